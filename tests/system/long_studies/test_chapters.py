"""A finished run that goes on with a file that asks for more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hpsearch import run_study, study_methods, verify_study
from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.records.layout import Artifact
from hpsearch.records.outcome import Outcome
from hpsearch.records.rescored import Rescored, read_rescored
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.records.whole_files import write_below
from hpsearch.study import opening
from hpsearch.study.chapters import filing
from hpsearch.study.chapters.filing import put_aside, put_back
from hpsearch.study.events import Event
from hpsearch.study.recorded import Recorded
from hpsearch.study.run_state import run_state
from tests.harness.study import records, run, stored, table
from tests.harness.study_files import TINY

ONE_MORE = TINY.replace("[confirmation]", "[[stages]]\ntrials = 4\nepochs = 12\n[confirmation]")
LONGER = TINY.replace("epochs = 8", "epochs = 12")
MORE = TINY.replace("trials = 5", "trials = 9").replace("trials = 4", "trials = 6")
WIDER = MORE.replace("high = 10.0", "high = 100.0").replace('"adam"]', '"adam", "rmsprop"]')
LOSS = MORE.replace(
    'metric = "validation_accuracy", direction = "maximize"',
    'metric = "validation_loss", direction = "minimize"',
)
REPEATS = TINY.replace("seeds = 3", "seeds = 4").replace("top = 2", "top = 3")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the finished run of TINY, beside its file."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.toml").write_text(TINY)
    run(folder / "small.toml", folder / "home")
    return folder


@pytest.fixture(scope="module")
def quiet_home(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives that home after it went on with another file, and nothing disturbed it."""

    @cache
    def extended(text: str) -> Path:
        folder = tmp_path_factory.mktemp("quiet")
        shutil.copytree(finished / "home", folder / "home")
        (folder / "small.toml").write_text(text)
        run(folder / "small.toml", folder / "home", extend=True)
        return folder / "home"

    return extended


@pytest.fixture
def extended(quiet_home: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Gives a copy of such a home, beside its file."""

    def home(text: str) -> Path:
        shutil.copytree(quiet_home(text), tmp_path / "home")
        (tmp_path / "small.toml").write_text(text)
        return tmp_path / "home"

    return home


Table = dict[object, object]


@pytest.fixture(scope="module")
def quiet(quiet_home: Callable[[str], Path]) -> Callable[[str], Table]:
    """Gives the table of such a home."""
    return cache(lambda text: table(quiet_home(text)))


def folder_of(home: Path) -> RunFolder:
    return RunFolder(home / "studies" / "small" / "1")


def recorded(home: Path) -> Recorded:
    return Recorded("small", 1, folder_of(home))


def trained_to(home: Path, epochs: int) -> list[TrialRecord]:
    return [record for record in records(home) if epochs in record.scores]


@pytest.mark.parametrize("text", [ONE_MORE, LONGER, MORE, WIDER, LOSS, REPEATS])
def test_earlier_records_stay_as_they_are_and_both_chapters_are_verified(
    finished: Path, extended: Callable[..., Path], text: str
) -> None:
    home = extended(text)
    for kind in ("trials", "confirmation", "test"):
        for before in sorted((finished / "home" / "studies" / "small" / "1" / kind).iterdir()):
            now = home / "studies" / "small" / "1" / kind / before.name / "record.json"
            assert now.read_bytes() == (before / "record.json").read_bytes()
    found = verify_study("small", trials=1, home=home)
    assert found.problems == []
    assert found.replay.draws == len(records(home))


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (
            TINY.replace("trials = 5", "trials = 9"),
            "stage 1: 4 new trials can't be promoted, because stage 2 of 4 trials promotes no "
            "more; raise stages.1.trials further",
        ),
        (MORE.replace("trials = 3", "trials = 8"), ""),
    ],
)
def test_new_trials_that_can_t_be_promoted_are_told_of(
    finished: Path, tmp_path: Path, text: str, warned: str
) -> None:
    shutil.copytree(finished / "home", tmp_path / "home")
    (tmp_path / "small.toml").write_text(text)
    lines: list[str] = []
    run_study(
        tmp_path / "small.toml",
        home=tmp_path / "home",
        workers=0,
        extend=True,
        warn=lines.append,
    )
    assert [line for line in lines if "promoted" in line] == [warned] * bool(warned)


def test_verify_says_in_which_chapter_a_draw_differs(extended: Callable[..., Path]) -> None:
    home = extended(MORE)
    folder = folder_of(home)
    changed = folder.read("trial", max(record.number for record in records(home)))
    assert changed is not None
    changed.params["learning_rate"] *= 2
    folder.write(changed)
    (problem, *_) = verify_study("small", trials=0, home=home).problems
    assert problem.startswith(f"chapter 2: trial {changed.number}: learning_rate = ")


def test_one_more_stage_takes_the_best_of_the_last_one_on(extended: Callable[..., Path]) -> None:
    home = extended(ONE_MORE)
    longest = trained_to(home, 12)
    assert len(longest) == 4
    best = sorted(trained_to(home, 8), key=lambda r: (-r.scores[8], r.number))
    best = [record for record in best if record.continues is None and 12 not in record.scores]
    assert [record.continues for record in longest] == [best[0].number, best[1].number, None, None]
    assert [record.stage for record in longest] == [3, 3, 3, 3]


def test_a_trial_that_goes_on_repeats_its_curve_and_trains_longer(
    extended: Callable[..., Path],
) -> None:
    home = extended(ONE_MORE)
    by_number = {record.number: record for record in records(home)}
    longer = [record for record in by_number.values() if record.continues is not None]
    assert longer
    for now in longer:
        assert now.continues is not None
        before = by_number[now.continues]
        assert now.params == before.params
        for mine, earlier in zip(now.members, before.members, strict=True):
            assert mine.entropy == earlier.entropy
            for name, curve in earlier.history.items():
                assert mine.history[name][: len(curve)] == curve
            assert (earlier.epoch, mine.epoch) == (8, 12)


def test_a_longer_last_stage_trains_all_its_trials_on(extended: Callable[..., Path]) -> None:
    home = extended(LONGER)
    before = {record.number for record in trained_to(home, 8) if 12 not in record.scores}
    assert {record.continues for record in trained_to(home, 12)} == before
    assert len(before) == 3


def test_more_trials_in_early_stages_are_drawn_and_promoted(
    finished: Path, extended: Callable[..., Path]
) -> None:
    n_before = len(records(finished / "home"))
    home = extended(MORE)
    new = [record for record in records(home) if record.number >= n_before]
    assert sum(record.stage == 0 for record in new) == 4
    # 4 of the second stage's trials were there, 2 of them promoted; of 6 trials 3 are.
    at_second = [record for record in new if 4 in record.scores]
    assert len(at_second) == 2
    assert sum(record.stage == 0 or record.continues is not None for record in at_second) == 1


def test_new_trials_come_from_the_wider_space(extended: Callable[..., Path]) -> None:
    home = extended(WIDER)
    study = stored(home)
    (choices,) = {t.distributions["trainer"].choices for t in study.trials}  # type: ignore[attr-defined]
    assert choices == ("sgd", "momentum", "adam", "rmsprop")
    assert {t.distributions["learning_rate"].high for t in study.trials} == {100.0}  # type: ignore[attr-defined]
    assert [t.number for t in study.trials] == [record.number for record in records(home)]
    assert all(trial.state.is_finished() for trial in study.trials)


def test_more_repeats_add_to_those_that_were_run(extended: Callable[..., Path]) -> None:
    home = extended(REPEATS)
    again = [*folder_of(home).read_all("confirmation")]
    assert len(again) == 3 * 4
    assert len(records(home)) == 8


def test_a_third_chapter_follows_the_second(extended: Callable[..., Path], tmp_path: Path) -> None:
    home = extended(ONE_MORE)
    (tmp_path / "small.toml").write_text(ONE_MORE.replace("trials = 5", "trials = 7"))
    run(tmp_path / "small.toml", home, extend=True)
    chapters = recorded(home).chapters
    assert [one.chapter.number for one in chapters] == [1, 2, 3]
    assert [len(one.file.stages) for one in chapters] == [3, 4, 4]
    assert [one.result() is not None for one in chapters] == [True, True, True]
    assert verify_study("small", trials=0, home=home).problems == []


def test_each_chapter_keeps_its_file_and_its_result(
    finished: Path, extended: Callable[..., Path]
) -> None:
    first = json.loads(folder_of(finished / "home").files.artifact(Artifact.RESULT).read_bytes())
    home = extended(ONE_MORE)
    place = folder_of(home).files.chapter(1)
    assert place.artifact(Artifact.STUDY_TOML).read_text() == TINY
    assert folder_of(home).files.artifact(Artifact.STUDY_TOML).read_text() == ONE_MORE
    kept = json.loads(place.artifact(Artifact.RESULT).read_bytes())
    assert kept["result"]["best_number"] == first["result"]["best_number"]
    assert recorded(home).chapter.first == len(records(finished / "home"))


def test_the_test_set_counts_the_winners_of_both_chapters(
    finished: Path, extended: Callable[..., Path]
) -> None:
    home = extended(ONE_MORE)
    before, now = recorded(home).chapters
    results = before.result(), now.result()
    assert results[0] is not None
    assert results[1] is not None
    assert (results[0].test_uses, results[1].test_uses) == (1, 2)


def test_the_same_file_resumes_with_and_without_the_option(
    extended: Callable[..., Path], tmp_path: Path
) -> None:
    home = extended(ONE_MORE)
    before = table(home)
    for extend in (False, True):
        run(tmp_path / "small.toml", home, extend=extend)
    assert table(home) == before
    assert recorded(home).chapter.number == 2


def test_a_kill_while_files_are_put_aside_leaves_the_first_chapter(
    finished: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(finished / "home", home)
    result = recorded(home).result()
    put_aside(folder_of(home).files)
    assert recorded(home).result() is None
    (tmp_path / "small.toml").write_text(TINY)
    now = run(tmp_path / "small.toml", home)
    assert result is not None
    assert replace(now, folder=result.folder) == result
    assert not folder_of(home).files.chapters
    (tmp_path / "small.toml").write_text(ONE_MORE)
    run(tmp_path / "small.toml", home, extend=True)
    put_aside(folder_of(home).files)
    run(tmp_path / "small.toml", home, extend=True)
    assert [one.chapter.number for one in recorded(home).chapters] == [1, 2]


def test_a_new_run_puts_back_what_a_kill_left_aside(finished: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(finished / "home", home)
    put_aside(folder_of(home).files)
    (tmp_path / "small.toml").write_text(TINY)
    run(tmp_path / "small.toml", home, fresh=True)
    assert recorded(home).result() is not None
    assert not folder_of(home).files.chapters


def test_a_run_that_is_not_finished_is_not_told_of_the_option(
    finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished / "home", tmp_path / "home")
    folder_of(tmp_path / "home").files.artifact(Artifact.RESULT).unlink()
    (tmp_path / "small.toml").write_text(ONE_MORE)
    with pytest.raises(StudyChangedError) as refused:
        run(tmp_path / "small.toml", tmp_path / "home")
    assert "--extend" not in str(refused.value)


def test_without_the_option_the_refusal_names_it(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "home", tmp_path / "home")
    (tmp_path / "small.toml").write_text(ONE_MORE)
    with pytest.raises(StudyChangedError, match="--extend            go on with the finished run"):
        run(tmp_path / "small.toml", tmp_path / "home")
    (tmp_path / "small.toml").write_text(TINY.replace("shots = 6", "shots = 7"))
    with pytest.raises(StudyChangedError) as refused:
        run(tmp_path / "small.toml", tmp_path / "home")
    assert "--extend" not in str(refused.value)


def test_what_can_not_be_extended_is_refused_by_its_key(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "home", tmp_path / "home")
    (tmp_path / "small.toml").write_text(ONE_MORE.replace("shots = 6", "shots = 7"))
    with pytest.raises(StudyChangedError, match=r"data\.shots must stay 6, got 7"):
        run(tmp_path / "small.toml", tmp_path / "home", extend=True)
    assert not folder_of(tmp_path / "home").files.chapters


def test_a_wider_range_without_more_trials_is_refused(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "home", tmp_path / "home")
    (tmp_path / "small.toml").write_text(TINY.replace("high = 10.0", "high = 100.0"))
    said = r"stages\.0\.trials must be above 5 to draw from what is wider now, space\.learning"
    with pytest.raises(StudyChangedError, match=said):
        run(tmp_path / "small.toml", tmp_path / "home", extend=True)


def test_a_run_that_is_not_finished_is_not_extended(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "home", tmp_path / "home")
    folder_of(tmp_path / "home").files.artifact(Artifact.RESULT).unlink()
    (tmp_path / "small.toml").write_text(ONE_MORE)
    with pytest.raises(StudyChangedError, match="must be finished before it is extended"):
        run(tmp_path / "small.toml", tmp_path / "home", extend=True)


def test_there_must_be_a_run_to_extend(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(TINY)
    with pytest.raises(StudyFileError, match="--extend goes on with a finished run"):
        run(tmp_path / "small.toml", tmp_path / "home", extend=True)


def test_all_trials_of_a_chapter_end(extended: Callable[..., Path]) -> None:
    outcomes = {record.outcome for record in records(extended(WIDER))}
    assert outcomes <= {Outcome.COMPLETE, Outcome.PRUNED, Outcome.DIVERGED}


def test_the_result_says_which_chapters_used_the_test_set(extended: Callable[..., Path]) -> None:
    home = extended(ONE_MORE)
    before, now = (one.result() for one in recorded(home).chapters)
    assert before is not None
    assert now is not None
    assert (before.chapters, before.uses_text) == ([], "1 configuration")
    assert now.chapters == [{"trials": 8, "tested": 1}, {"trials": 4, "tested": 1}]
    assert now.uses_text == "2 configurations in chapters 1 and 2"


def test_the_methods_say_that_the_run_was_extended(extended: Callable[..., Path]) -> None:
    text = study_methods("small", home=extended(ONE_MORE)).text()
    assert "the run was extended: its 2 chapters drew 8 trials and 4 trials" in text
    assert "its scores in the earlier chapter were known when the run was extended" in text
    assert "was not used before the choice" not in text


class Interrupted(Exception):
    """What a test raises in the middle of a study."""


@pytest.mark.parametrize("text", [WIDER, LOSS])
@pytest.mark.parametrize("events", [1, 2, 4, 7, 11])
def test_an_extension_that_ends_anywhere_is_resumed_by_its_file_alone(
    quiet: Callable[[str], Table], finished: Path, tmp_path: Path, events: int, text: str
) -> None:
    expected = quiet(text)
    home, left = tmp_path / "home", events
    (tmp_path / "small.toml").write_text(text)

    def interrupt(event: Event) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Interrupted

    shutil.copytree(finished / "home", home)
    with pytest.raises(Interrupted):
        run(tmp_path / "small.toml", home, extend=True, tell=interrupt)
    run(tmp_path / "small.toml", home)
    found = table(home)
    assert [key for key in expected | found if expected.get(key) != found.get(key)] == []
    assert recorded(home).chapter.number == 2


def test_status_counts_the_trials_of_all_chapters(
    extended: Callable[..., Path], finished: Path, tmp_path: Path
) -> None:
    run_ = recorded(extended(MORE))
    trials = [*run_.folder.read_all("trial")]
    state = run_state(run_, trials, None)
    assert (state.trials, state.planned, state.ended) == (13, 13, "")
    unfinished = [record for record in trials if record.number < 9]
    run_.folder.files.artifact(Artifact.RESULT).unlink()
    assert run_state(recorded(tmp_path / "home"), unfinished, None).planned == 13


def test_another_objective_ranks_earlier_trials_by_their_curves(
    finished: Path, extended: Callable[..., Path]
) -> None:
    home = extended(LOSS)
    n_before = len(records(finished / "home"))
    for record in records(home):
        assert record.rescored == ("validation_loss" if record.number < n_before else "")
        for epochs, score in record.scores.items():
            curves = [m.history["validation_loss"][m.epochs.index(epochs)] for m in record.members]
            assert score == np.mean(curves)
    study = stored(home)
    assert study.direction.name == "MINIMIZE"
    assert [trial.intermediate_values for trial in study.trials] == [
        record.reported for record in records(home)
    ]
    result = recorded(home).result()
    assert result is not None
    assert (result.objective, result.direction) == ("validation_loss", "minimize")
    means = {number: estimate.mean for number, estimate in result.confirmed.items()}
    assert min(means, key=means.__getitem__) == str(result.best_number)


def test_the_first_chapter_keeps_its_own_scores(
    finished: Path, extended: Callable[..., Path]
) -> None:
    home = extended(LOSS)
    (first, _), before = recorded(home).chapters, records(finished / "home")
    now = [*first.folder.read_all("trial")][: len(before)]
    assert [record.scores for record in now] == [record.scores for record in before]


def test_scores_that_do_not_follow_from_the_curves_are_found(
    extended: Callable[..., Path],
) -> None:
    home = extended(LOSS)
    path = folder_of(home).files.rescored
    found = read_rescored(path)
    assert found is not None
    uid = records(home)[2].uid
    changed = {epochs: score + 0.5 for epochs, score in found.records[uid]["scores"].items()}
    others = {**found.records, uid: {**found.records[uid], "scores": changed}}
    replace(found, records=others).write(path)
    (problem, *_) = verify_study("small", trials=0, home=home).problems
    assert problem.startswith("chapter 2: trial 2: scores")


def test_a_metric_that_is_in_no_record_is_refused(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "home", tmp_path / "home")
    (tmp_path / "small.toml").write_text(MORE.replace("validation_acc", "validation_balanced_acc"))
    said = "objective.metric must be a metric that all records have: .*validation_loss.*, got "
    with pytest.raises(StudyChangedError, match=said):
        run(tmp_path / "small.toml", tmp_path / "home", extend=True)
    assert not folder_of(tmp_path / "home").files.chapters


def test_the_objective_can_change_back(extended: Callable[..., Path], tmp_path: Path) -> None:
    home = extended(LOSS)
    own = [record.scores for record in recorded(home).chapters[0].folder.read_all("trial")]
    (tmp_path / "small.toml").write_text(MORE)
    run(tmp_path / "small.toml", home, extend=True)
    first = recorded(home).chapters[0].chapter
    assert first.number == 1
    now = records(home)
    assert [record.scores for record in now[:8]] == own[:8]
    assert [record.rescored for record in now[:8]] == [""] * 8
    assert {record.rescored for record in now[8:]} == {"validation_accuracy"}
    assert verify_study("small", trials=0, home=home).problems == []


def test_a_kill_before_the_next_objective_counts_leaves_the_scores(
    extended: Callable[..., Path], tmp_path: Path
) -> None:
    home = extended(LOSS)
    before = [record.scores for record in records(home)]
    files = folder_of(home).files
    put_aside(files)
    Rescored(3, "validation_accuracy", {}).write(files.rescored)
    run(tmp_path / "small.toml", home)
    assert [record.scores for record in records(home)] == before
    assert recorded(home).chapter.number == 2


def contents(home: Path) -> dict[str, bytes]:
    """Every file of the run, but for the journal, to which each start adds lines."""
    top = home / "studies" / "small" / "1"
    files = (path for path in top.rglob("*") if path.is_file() and path.suffix != ".jsonl")
    return {str(path.relative_to(top)): path.read_bytes() for path in files}


@pytest.mark.parametrize("text", [TINY, LOSS])
def test_files_are_put_back_whatever_was_put_aside(
    extended: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    calm = extended(text)
    before, done = contents(calm), -1
    write, rename = write_below, Path.rename
    for most in range(20):
        home, done = tmp_path / str(most), 0
        shutil.copytree(calm, home)

        def counted() -> None:
            nonlocal done
            if done == most:  # noqa: B023  it is called before `most` changes
                raise Interrupted
            done += 1

        def written(path: Path, content: bytes) -> None:
            counted()
            write(path, content)

        def renamed(path: Path, target: Path) -> Path:
            counted()
            return rename(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(filing, "write_below", written)
            patch.setattr(Path, "rename", renamed)
            with suppress(Interrupted):
                put_aside(folder_of(home).files)
        if done < most:
            break
        put_back(folder_of(home).files)
        assert contents(home) == before, f"after {most} steps"
    assert done > 3


def test_a_kill_before_the_chapter_is_named_leaves_the_finished_run(
    finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(finished / "home", home)
    (tmp_path / "small.toml").write_text(LOSS)
    with monkeypatch.context() as patch:
        patch.setattr(opening, "seal", raising)
        with pytest.raises(Interrupted):
            run(tmp_path / "small.toml", home, extend=True)
    assert folder_of(home).files.rescored.exists()
    (tmp_path / "small.toml").write_text(TINY)
    run(tmp_path / "small.toml", home)
    assert table(home) == table(finished / "home")
    assert not folder_of(home).files.rescored.exists()
    assert not folder_of(home).files.chapters


def raising(content: object, name: object) -> None:
    raise Interrupted


def test_more_trials_of_the_last_stage_go_on_within_a_chapter(
    extended: Callable[..., Path], tmp_path: Path
) -> None:
    home = extended(ONE_MORE)
    before = [path.read_bytes() for path in sorted(folder_of(home).files.trials.glob("*/*.json"))]
    text = ONE_MORE.replace("trials = 4\nepochs = 12", "trials = 6\nepochs = 12")
    assert text != ONE_MORE
    (tmp_path / "small.toml").write_text(text)
    run(tmp_path / "small.toml", home)
    now = [path.read_bytes() for path in sorted(folder_of(home).files.trials.glob("*/*.json"))]
    assert (now[: len(before)], len(now)) == (before, len(before) + 2)
    assert recorded(home).chapter.number == 2
    assert verify_study("small", trials=0, home=home).problems == []
