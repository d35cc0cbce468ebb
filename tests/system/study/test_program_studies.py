"""Studies whose trials are programs of a user's own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hpsearch import delete_study, export_study, import_study, run_study
from hpsearch.errors import StudyChangedError, StudyFailed, StudyFileError
from hpsearch.processes import alive
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.events import CodeDoubt, Event, PhaseStarted, RunReached
from hpsearch.study.starting.dry_start import dry_start
from hpsearch.studyfile.reading import read_study
from tests.harness.commands import call_here
from tests.harness.programs import AWK, TESTED, study_of, study_of_shell, study_with_test, trained
from tests.harness.stores import new_home
from tests.harness.study import records, run, table

pytestmark = pytest.mark.usefixtures("without_mlflow")

NO_PROBE = "probe = false"
LOSS = 'echo "{\\"epoch\\": $2, \\"loss\\": $1}"'


def runs(home: Path, kind: Any) -> list[Any]:
    return list(RunFolder(home / "studies" / "small" / "1").read_all(kind))


def times(folder: Path) -> Counter[int]:
    """How often epochs of trials were trained: epochs by how often."""
    searched = Counter(row for row in trained(folder) if row[2] == "search")
    return Counter(searched.values())


def test_a_study_is_the_same_with_a_checkpoint_and_without(tmp_path: Path) -> None:
    tables = []
    for name, checkpoint in (("anew", False), ("on", True)):
        (tmp_path / name).mkdir()
        path = study_of(tmp_path / name, NO_PROBE, checkpoint=checkpoint)
        result = run(path, tmp_path / name / "home")
        tables.append(table(tmp_path / name / "home"))
    assert tables[0] == tables[1]
    assert result.counts["complete"] == 3
    # What was promoted from epoch 2 is trained again from its start, or for the new epochs.
    assert {*times(tmp_path / "on")} == {1}
    assert {*times(tmp_path / "anew")} == {1, 2}


def test_a_score_is_the_mean_over_folds(tmp_path: Path) -> None:
    path = study_of(tmp_path, "folds = 3", NO_PROBE)
    run(path, tmp_path / "home", "stages=[{trials=2, epochs=2}]")
    for record in records(tmp_path / "home"):
        found = [member.history["loss"][-1] for member in record.members]
        assert [member.split for member in record.members] == [0, 1, 2]
        assert found == pytest.approx([found[0], found[0] + 0.1, found[0] + 0.2])
        assert record.scores[2] == pytest.approx(found[1])


def two_programs(folder: Path, trainers: str) -> Path:
    """A study of two programs, the second worse."""
    path = study_of(folder, NO_PROBE)
    (folder / "other.awk").write_text(AWK.replace("1 / e", "2 / e"))
    text = path.read_text()
    said = text[text.index("[program]") : text.index("[space]")]
    both = said.replace("[program]", "[programs.plain]")
    both += said.replace("[program]", "[programs.worse]").replace("train.awk", "other.awk")
    path.write_text(text.replace(said, both).replace('trainer = "program"', trainers))
    return path


def test_programs_are_compared(tmp_path: Path) -> None:
    path = two_programs(tmp_path, 'trainer = { choices = ["programs.plain", "programs.worse"] }')
    result = run(path, tmp_path / "home", "stages=[{trials=3, epochs=2}]", "compare=['trainer']")
    first, second = result.arms
    assert [arm.values["trainer"] for arm in result.arms] == ["programs.plain", "programs.worse"]
    assert first.validation is not None
    assert second.validation is not None
    assert first.validation.mean < second.validation.mean


def test_two_programs_are_choices_of_one_space(tmp_path: Path) -> None:
    path = two_programs(tmp_path, 'trainer = { choices = ["programs.plain", "programs.worse"] }')
    run(path, tmp_path / "home")
    names = {r.params["trainer"] for r in records(tmp_path / "home")}
    assert names == {"programs.plain", "programs.worse"}


def test_a_pruner_stops_programs_at_its_rungs(tmp_path: Path) -> None:
    path = study_of(tmp_path, NO_PROBE, checkpoint=True)
    pruner = "pruner={name='median', rungs=[2, 4], options={n_startup_trials=2}}"
    run(path, tmp_path / "home", "stages=[{trials=8, epochs=6}]", pruner)
    found = records(tmp_path / "home")
    pruned = [r for r in found if r.outcome == "pruned"]
    assert pruned
    assert {r.members[0].epoch for r in pruned} <= {2, 4}
    assert all(r.members[0].epoch == 6 for r in found if r.outcome == "complete")
    assert {*times(tmp_path)} == {1}


ONE_WINNER = "confirmation={top=1, seeds=2, test_seeds=2}"


def test_a_test_command_gives_the_test_row(tmp_path: Path) -> None:
    path = study_with_test(tmp_path, TESTED, NO_PROBE)
    result = run(path, tmp_path / "home", ONE_WINNER)
    assert result.test["test_loss"].mean == pytest.approx(result.validation.mean)
    assert [r.outcome for r in runs(tmp_path / "home", "test")] == ["complete", "complete"]


PATTERN = r"metrics = { pattern = 'epoch (?P<epoch>\d+) loss (?P<loss>\S+)' }"


@pytest.mark.parametrize("epoch", ["0", "7.5"])
def test_the_epoch_of_a_test_line_does_not_count(tmp_path: Path, epoch: str) -> None:
    script = f"""
[ $1 = test ] && echo "epoch {epoch} loss 0.25" || echo "epoch $3 loss $2"
"""
    pattern = PATTERN.replace(r"\d+", r"\S+")
    path = study_with_test(tmp_path, script, NO_PROBE, pattern, 'checkpoint = "{folder}/c"')
    result = run(path, tmp_path / "home", ONE_WINNER)
    assert result.test["test_loss"].mean == 0.25


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (
            'echo "TEST loss 0.25"',
            "program.test: must print loss, got exit code 0 and no line with it: print a line "
            r"that metrics.pattern = 'epoch (?P<epoch>\d+) loss (?P<loss>\S+)' finds",
        ),
        ('echo "epoch 1 loss high"', "program.test: must print a number for the metric 'loss'"),
    ],
)
def test_a_wrong_test_command_is_found_before_the_search(
    tmp_path: Path, test: str, said: str
) -> None:
    script = f"[ $1 = test ] && {{ {test}; exit; }}\necho epoch $3 loss $2\n"
    path, home = study_with_test(tmp_path, script, NO_PROBE, PATTERN), tmp_path / "home"
    with pytest.raises(StudyFileError) as caught:
        run_study(path, home=home, workers=0)
    assert said in str(caught.value)
    assert not home.exists()


def test_a_test_that_may_need_more_epochs_is_a_warning(tmp_path: Path) -> None:
    script = f'[ $1 = test ] && ! [ -e "$4/c" ] && {{ echo none >&2; exit 4; }}\n{TESTED}'
    script += '\n[ "$3" -ge 2 ] && echo > "$4/c"\ntrue\n'
    path = study_with_test(tmp_path, script, NO_PROBE)
    (line,) = dry_start(read_study(path))
    assert line.startswith(
        "program.test ended with exit code 4; stderr:\nnone\nIt was tried after"
    )
    said: list[str] = []
    report = run_study(
        path, overrides=[ONE_WINNER], home=new_home(tmp_path / "home"), workers=0, warn=said.append
    )
    assert line in said
    assert not report.result.untested


def test_the_dry_start_of_a_test_is_a_refit_of_one_epoch_that_leaves_nothing(
    tmp_path: Path,
) -> None:
    script = f"echo $1 $3 $HPSEARCH_TRIAL $4 >> {tmp_path}/started\n{TESTED}"
    path = study_with_test(tmp_path, script, NO_PROBE)
    assert dry_start(read_study(path)) == []
    lines = [line.split() for line in (tmp_path / "started").read_text().splitlines()]
    assert [line[:-1] for line in lines][1:] == [["train", "1", "test"], ["test", "1", "test"]]
    assert not any(Path(line[-1]).exists() for line in lines)
    result = run(path, tmp_path / "home", ONE_WINNER)
    assert result.test_uses == 1


def test_a_refit_that_only_fails_in_the_test_is_found_before_the_search(tmp_path: Path) -> None:
    script = f'[ "$HPSEARCH_TRIAL" = test ] && exit 5\n{TESTED}'
    with pytest.raises(StudyFileError, match=r"command: with {purpose} = test ended with"):
        dry_start(read_study(study_with_test(tmp_path, script, NO_PROBE)))


@pytest.mark.parametrize("slow", ["train", "test"])
def test_a_test_that_takes_too_long_to_try_is_told_of(tmp_path: Path, slow: str) -> None:
    script = f'[ "$HPSEARCH_TRIAL-$1" = test-{slow} ] && sleep 60\n{TESTED}'
    path = study_with_test(tmp_path, script, NO_PROBE, "dry_start = 1.5")
    (line,) = dry_start(read_study(path))
    assert "program.test was not tried before the search" in line
    assert "program.dry_start = 1.5 seconds: raise it" in line


def with_failed_test(folder: Path) -> tuple[Path, Path]:
    """A study file and a home in which it has ended, with refits that failed."""
    path = study_with_test(folder, TESTED, NO_PROBE, "dry_start = 0")
    path.write_text(path.read_text().replace('"test"', '"tset"'))
    home = new_home(folder / "home")
    report = run_study(path, overrides=[ONE_WINNER], home=home, workers=0)
    assert "2 of 2 refits failed: its test command" in report.result.untested
    assert report.failed_refits == 2
    return path, home


def test_refits_that_failed_are_run_again_with_another_test_command(tmp_path: Path) -> None:
    path, home = with_failed_test(tmp_path)
    before = [r.content() for kind in ("trial", "confirmation") for r in runs(home, kind)]
    path.write_text(path.read_text().replace('"tset"', '"test"'))
    events: list[Event] = []
    report = run_study(path, overrides=[ONE_WINNER], home=home, workers=0, on_event=events.append)
    assert (report.ran, report.result.untested, report.failed_refits) == (True, "", 0)
    assert report.result.test_uses == 1
    assert [e.record.kind for e in events if isinstance(e, RunReached)] == ["test", "test"]
    after = [r.content() for kind in ("trial", "confirmation") for r in runs(home, kind)]
    assert after == before
    for record in runs(home, "test"):
        assert [a["event"] for a in record.attempts] == ["failed", "retested"]
        assert "its test command" in record.attempts[-1]["reason"]
    done = call_here("verify", "small", "--home", str(home))
    assert done.returncode == 0, done.stdout
    again = run_study(path, overrides=[ONE_WINNER], home=home, workers=0)
    assert (again.ran, again.result.test) == (False, report.result.test)
    path.write_text(path.read_text().replace('"test"', '"tset"'))
    with pytest.raises(StudyChangedError, match="tset"):  # the test set was used
        run_study(path, overrides=[ONE_WINNER], home=home, workers=0)


def test_refits_that_failed_are_run_again_with_accepted_code(tmp_path: Path) -> None:
    path, home = with_failed_test(tmp_path)
    script = tmp_path / "train.sh"
    script.write_text(TESTED.replace("= test", "= tset"))
    with pytest.raises(StudyChangedError):
        run_study(path, overrides=[ONE_WINNER], home=home, workers=0)
    report = run_study(path, overrides=[ONE_WINNER], home=home, workers=0, accept_code=True)
    assert (report.ran, report.result.untested) == (True, "")
    old, new = ({tuple(r.code) for r in runs(home, kind)} for kind in ("confirmation", "test"))
    assert len(old) == len(new) == 1
    assert old != new
    assert not run_study(path, overrides=[ONE_WINNER], home=home, workers=0, accept_code=True).ran


def test_phases_that_are_done_are_not_told_as_to_do(tmp_path: Path) -> None:
    path, home = with_failed_test(tmp_path)
    path.write_text(path.read_text().replace('"tset"', '"test"'))
    events: list[Event] = []
    run_study(path, overrides=[ONE_WINNER], home=home, workers=0, on_event=events.append)
    phases = [(e.name, e.runs, e.done) for e in events if isinstance(e, PhaseStarted)]
    assert phases == [("confirmation", 2, 2), ("test", 2, 0)]


def test_without_a_test_command_nothing_is_tested_and_the_report_says_so(tmp_path: Path) -> None:
    path = study_of(tmp_path)
    home = new_home(tmp_path / "home")
    report = run_study(path, home=home, workers=0)
    assert runs(home, "test") == []
    assert "no test command" in report.result.untested
    assert report.repeats == ["program repeats to the last digit (one trial was run twice)"]
    shown = call_here("show", "small", "--home", str(home))
    assert "not tested: the study has no test data: no [data], and no test command" in shown.stdout
    assert "program repeats to the last digit" in shown.stdout


EARLY = f"[ $2 -gt 3 ] && set -- $1 3; {LOSS}"


def test_a_program_that_ends_early_fails_its_trial_where_the_study_says_so(tmp_path: Path) -> None:
    path = study_of_shell(tmp_path, EARLY, NO_PROBE)
    stages = "stages=[{trials=2, epochs=2}, {trials=2, epochs=5}]"
    with pytest.raises(StudyFailed):
        run(path, tmp_path / "home", stages, "outcomes={ended_early='fail'}")
    found = records(tmp_path / "home")
    assert [r.outcome for r in found] == ["pruned", "failed", "failed"]
    assert all("must yield metrics for 5 epochs, got 3" in r.reason for r in found[1:])


def test_a_program_may_end_early(tmp_path: Path) -> None:
    path = study_of_shell(tmp_path, EARLY, NO_PROBE)
    run(path, tmp_path / "home", "stages=[{trials=2, epochs=2}, {trials=2, epochs=5}]")
    kept = [r for r in records(tmp_path / "home") if 5 in r.scores]
    assert kept
    assert {r.ended_early for r in kept} == {3}


def test_a_program_that_prints_at_its_end_alone(tmp_path: Path) -> None:
    path = study_of_shell(tmp_path, LOSS, NO_PROBE)
    run(path, tmp_path / "home", "stages=[{trials=2, epochs=2}, {trials=2, epochs=5}]")
    new, promoted = (
        next(r for r in records(tmp_path / "home") if r.stage == stage and 5 in r.scores)
        for stage in (1, 0)
    )
    assert [*promoted.scores] == [2, 5]
    assert [*new.scores] == [5]  # drawn for the second stage, it was never asked for two epochs


def test_a_program_that_does_not_repeat_is_told(tmp_path: Path) -> None:
    script = f"""
if [ -e {tmp_path}/once ]; then extra=$(cat {tmp_path}/once); fi
echo 1 >> {tmp_path}/once
echo "{{\\"epoch\\": $2, \\"loss\\": $(wc -l < {tmp_path}/once)}}"
"""
    path, home = study_of_shell(tmp_path, script), new_home(tmp_path / "home")
    report = run_study(path, home=home, workers=0)
    (line,) = report.repeats
    assert line.startswith("program is not reproducible: a metric differed by ")


def test_verify_and_reproduce_run_trials_again(tmp_path: Path) -> None:
    path, home = study_of(tmp_path, checkpoint=True), new_home(tmp_path / "home")
    run_study(path, home=home, workers=0)
    done = call_here("verify", "small", "--home", str(home))
    assert (done.returncode, "equal" in done.stdout) == (0, True)
    (tmp_path / "train.awk").write_text(AWK.replace("1 / e", "1.0001 / e"))
    done = call_here("reproduce", "small", "0", "--home", str(home))
    assert done.returncode == 1
    assert "epoch 1, split 0: loss" in done.stdout


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['command = ["no-such-program", "{lr}"]'], "must be a program on PATH, got none of this"),
        (
            ['command = ["train.awk", "{lr}"]'],
            ": write ./train.awk, or name its interpreter first",
        ),
        (['command = ["./train.awk", "{lr}"]'], "must be executable: chmod +x ./train.awk"),
        (['command = ["./nothing", "{lr}"]'], "./nothing must be a file in"),
        (['command = ["./script", "{lr}"]'], "must have its interpreter, got none at '/no/such'"),
        (['command = ["awk", "{lr}"]', "workdir = 'gone'"], "workdir must be a folder"),
        (
            ['command = ["python3", "-c", "import not_there", "{lr}"]'],
            "ModuleNotFoundError: No module named 'not_there'",
        ),
        (
            ['command = ["sh", "-c", "echo oh >&2; exit 3", "{lr}"]'],
            "ended with exit code 3; stde",
        ),
        (['command = ["true", "{lr}"]'], "must print loss, got exit code 0 and no line with it"),
        (['command = "no-such-program {lr}"', "shell = true"], "can't be started by the shell"),
        (
            ['command = ["printf", "{{\\"loss\\": 3}}\\\\n", "{lr}"]', 'checkpoint="{folder}/c"'],
            "must print epoch with its metrics, because it resumes from a checkpoint",
        ),
    ],
)
def test_a_dry_start_says_what_is_missing(tmp_path: Path, lines: list[str], said: str) -> None:
    path, home = study_of(tmp_path), tmp_path / "home"
    (tmp_path / "script").write_text("#!/no/such\n")
    (tmp_path / "script").chmod(0o755)
    head, _, rest = path.read_text().partition("[program]\n")
    rest = rest.partition("[space]")[2]
    path.write_text("\n".join([f"{head}[program]", *lines, f"[space]{rest}"]))
    with pytest.raises(StudyFileError) as caught:
        run_study(path, home=home, workers=0)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
    assert not home.exists()


def test_a_dry_start_ends_what_it_started(tmp_path: Path) -> None:
    path = study_of_shell(tmp_path, f"{LOSS}; sleep 60 & echo $! > child; wait", NO_PROBE)
    dry_start(read_study(path))
    child = int((tmp_path / "child").read_text())
    assert not alive(child, "")


def test_a_dry_start_may_be_left_out(tmp_path: Path) -> None:
    path = study_of_shell(tmp_path, "exit 3", "dry_start = 0")
    dry_start(read_study(path))


def test_one_line_without_an_epoch_is_worth_the_whole_length(tmp_path: Path) -> None:
    path = study_of_shell(tmp_path, 'echo "{\\"loss\\": $2}"\n', NO_PROBE)
    result = run(path, tmp_path / "home")
    for record in records(tmp_path / "home"):
        assert record.scores == {epochs: float(epochs) for epochs in record.scores}
        assert record.ended_early == 0
    assert result.validation.mean == 5.0  # fresh seeds too are run for all epochs


def test_who_stopped_early_is_run_again_with_a_greater_length(tmp_path: Path) -> None:
    """It prints every second epoch, and has the length beside the loss."""
    script = 'for e in 2 4; do [ $e -le $2 ] && echo "{\\"epoch\\": $e, \\"loss\\": $e}"; done; :'
    path = study_of_shell(tmp_path, script, NO_PROBE)
    run(path, tmp_path / "home", "stages.0.epochs=3")
    promoted = [r for r in records(tmp_path / "home") if len(r.scores) == 2]
    assert promoted
    assert {(r.scores[3], r.scores[5]) for r in promoted} == {(2.0, 4.0)}


def test_the_test_command_of_a_program_with_a_csv_prints_its_score(tmp_path: Path) -> None:
    script = 'mkdir -p "$3"; printf "epoch,loss\\n1,4\\n2,4\\n" > "$3/log.csv"\n'
    path = study_of_shell(
        tmp_path,
        script,
        NO_PROBE,
        "metrics = { csv = 'log.csv' }",
        """test = ["echo", '{{"loss": 0.25}}']""",
    )
    result = run(path, tmp_path / "home", "stages=[{trials=2, epochs=2}]")
    assert result.validation.mean == 4
    assert result.test["test_loss"].mean == 0.25


def test_a_dry_start_has_the_gpus_of_a_slot(tmp_path: Path) -> None:
    script = '[ -n "$4" ] || exit 3\n' + LOSS
    path = study_of_shell(tmp_path, script, NO_PROBE)
    path.write_text(path.read_text().replace('"{folder}"]', '"{folder}", "{gpu}"]'))
    dry_start(read_study(path), "0")
    with pytest.raises(StudyFileError, match="ended with exit code 3"):
        dry_start(read_study(path))


def test_a_trial_that_goes_on_meanwhile_is_compared_as_far_as_it_was_run_again(
    tmp_path: Path,
) -> None:
    """The second run takes longer than the stage, after which the trial is promoted."""
    script = '[ -e "$3/../../../trials" ] || sleep 3\n' + LOSS
    path = study_of_shell(tmp_path, script, "dry_start = 0")
    report = run_study(
        path,
        overrides=["stages.0.trials=1", "stages.1.trials=1", "stages.1.promote=1.0"],
        home=new_home(tmp_path / "home"),
        workers=2,
    )
    assert report.repeats == ["program repeats to the last digit (one trial was run twice)"]


def test_what_programs_left_in_a_shared_folder_is_deleted_with_their_study(tmp_path: Path) -> None:
    there, here, shared = tmp_path / "there", new_home(tmp_path / "here"), tmp_path / "shared"
    path = study_of(tmp_path, NO_PROBE, f'shared = "{shared}"')
    run(path, there, "stages=[{trials=1, epochs=1}]")
    (record,) = records(there)
    own, other = shared / f"small-{record.uid.partition(':')[0]}", shared / "small-other"
    for folder in (own, other):
        folder.mkdir(parents=True)
    archive = export_study("small", tmp_path / "small.zip", home=there)
    import_study(archive, home=here)
    copy = delete_study("small", home=here, keep_mlflow=True)
    assert copy is not None
    assert copy.shared == []  # an archive may name any folder
    assert own.exists()
    deletion = delete_study("small", home=there, keep_mlflow=True)
    assert deletion is not None
    assert deletion.shared == [str(own)]
    assert f"{own}  (files of programs)" in deletion.lines()
    assert [*shared.iterdir()] == [other]


@pytest.mark.parametrize(
    ("end", "trials"),
    [
        ("3", [3]),
        ("$((3 + $(wc -l < runs) % 2))", []),  # as one that stops by what it sees
        ("$2", []),
    ],
)
def test_a_program_that_is_shorter_than_its_stage_in_all_trials_is_told_of_once(
    tmp_path: Path, end: str, trials: list[int]
) -> None:
    script = f"""
echo >> runs
last={end}; [ $last -lt $2 ] || last=$2
for e in $(seq $last); do echo "{{\\"epoch\\": $e, \\"loss\\": $1}}"; done
"""
    path, home = study_of_shell(tmp_path, script, NO_PROBE), new_home(tmp_path / "home")
    events: list[Event] = []
    report = run_study(path, home=home, workers=0, on_event=events.append)
    warnings = [event.warning for event in events if isinstance(event, CodeDoubt)]
    assert warnings == [
        f"program must train for the requested 5 epochs, but all {n} trials of a stage ended "
        "after epoch 3, and their last scores count for the rest: let it train and "
        "report until there, or give the stages at most 3 epochs"
        for n in trials
    ]
    events.clear()
    again = run_study(path, home=home, workers=0, on_event=events.append)
    assert again.code_warnings == report.code_warnings == warnings
    assert not any(isinstance(event, CodeDoubt) for event in events)
