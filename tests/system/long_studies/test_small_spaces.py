"""Spaces with fewer configurations than the study asks for trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import plan_study, study_status, verify_study
from hpsearch.api.status import status_rows
from hpsearch.console import StudyProgress, print_plan, print_status
from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.study.events import Event, SpaceTried, TrialReached
from hpsearch.studyfile.reading import read_study
from tests.harness.stores import new_home
from tests.harness.study import records, run, table
from tests.harness.study_files import LITTLE, LITTLE_TESTED
from tests.harness.tampering import tamper

FOUR = (
    LITTLE
    + """\
[network]
name = "two-layer"
hidden = 8
[space]
trainer = { choices = ["sgd", "momentum"] }
learning_rate = 0.1
momentum = { choices = [0.5, 0.8, 0.9], when = { trainer = "momentum" } }
[[stages]]
trials = 40
epochs = 2
"""
    + LITTLE_TESTED
    + "[sampler]\n"
)
SAMPLERS = ["random", "tpe", "qmc", "coarse-to-fine"]
STAGES = "stages=[{trials=40, epochs=2}, {trials=8, epochs=3}]"


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """A study of 40 trials in a space of 4 configurations."""
    path = tmp_path / "small.toml"
    path.write_text(FOUR)
    return path


def configurations(home: Path) -> list[tuple[object, object]]:
    return [(r.params["trainer"], r.params.get("momentum")) for r in records(home)]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_drawing_ends_with_the_last_configuration_also_within_a_batch(
    sampler: str, four: Path, home: Path, tmp_path: Path
) -> None:
    options = (f"sampler.name={sampler}", "sampler.batch=7")
    events: list[Event] = []
    run(four, home, *options, tell=events.append)
    drawn = configurations(home)
    assert len(set(drawn)) == 4
    assert len(set(drawn[:-1])) == 3
    (told,) = [event for event in events if isinstance(event, SpaceTried)]
    assert (told.configurations, told.asked, told.left) == (4, 40, 40 - len(drawn))
    assert verify_study("small", home=home, trials=1).problems == []
    # Interrupted after each of the first trials, it comes to the same table.
    again = new_home(tmp_path / "again")
    reached = iter(range(1, 4))

    class Enough(Exception):
        pass

    def stop(event: Event) -> None:
        if isinstance(event, TrialReached) and next(reached, None):
            raise Enough

    for _ in range(3):
        with pytest.raises(Enough):
            run(four, again, *options, tell=stop)
    run(four, again, *options)
    assert table(again) == table(home)


def test_later_stages_promote_what_was_drawn(four: Path, home: Path) -> None:
    events: list[Event] = []
    result = run(four, home, STAGES, "sampler.name=random", tell=events.append)
    told = [event for event in events if isinstance(event, SpaceTried)]
    n_drawn = len(records(home))
    assert [(e.stage, e.left) for e in told] == [(0, 40 - n_drawn), (1, 4)]
    assert result.counts == {"complete": 4, "pruned": n_drawn - 4}
    assert verify_study("small", home=home, trials=0).problems == []


def test_a_stage_to_which_none_goes_on_tries_them_at_its_own_length(
    four: Path, home: Path
) -> None:
    run(four, home, STAGES.replace("epochs=3", "epochs=3, promote=0.0"), "sampler.name=random")
    second = sum(r.stage == 1 for r in records(home))
    drawn = configurations(home)[-second:]
    assert 4 < second <= 8
    assert len(set(drawn[:-1])) == 3 + (second == 8)


def test_repeats_can_be_wanted(four: Path, home: Path) -> None:
    events: list[Event] = []
    options = ("stages.0.trials=9", "sampler.repeats=true")
    run(four, home, *options, tell=events.append)
    assert len(records(home)) == 9
    assert not any(isinstance(event, SpaceTried) for event in events)
    assert plan_study(four, overrides=options, trials=0).small_spaces == []
    with pytest.raises(StudyChangedError, match=r"sampler\.repeats"):
        run(four, home, options[0], "sampler.repeats=false")


def test_a_run_from_before_there_were_rules_goes_on_with_its_own(
    study_file: Path, home: Path, tmp_path: Path
) -> None:
    few, more = "stages=[{trials=12, epochs=1}]", "stages=[{trials=18, epochs=1}]"
    run(study_file, home, few, "sampler.rule=1")
    tamper(home / "studies/small/1/study.json", lambda s: s["file"]["sampler"].pop("rule"))
    assert verify_study("small", home=home, trials=0).problems == []
    run(study_file, home, more)
    begun, anew = tmp_path / "begun", tmp_path / "anew"
    run(study_file, begun, more, "sampler.rule=1")
    run(study_file, anew, more)
    assert configurations(home) == configurations(begun) != configurations(anew)
    with pytest.raises(StudyChangedError, match=r"sampler\.rule"):
        run(study_file, home, more, "sampler.rule=2")


def test_a_run_from_before_draws_on(four: Path, home: Path) -> None:
    options = ("stages.0.trials=9", "sampler.name=random")
    run(four, home, *options, "sampler.repeats=true")
    before = table(home)
    tamper(home / "studies/small/1/study.json", lambda s: s["file"]["sampler"].pop("repeats"))
    assert verify_study("small", home=home, trials=0).problems == []
    run(four, home, *options)
    assert table(home) == before
    run(four, home, "stages.0.trials=12", options[1])
    assert len(records(home)) == 12
    assert verify_study("small", home=home, trials=0).problems == []


def test_a_sampler_that_counts_its_cells_is_not_asked(four: Path) -> None:
    with pytest.raises(StudyFileError, match=r"sampler\.repeats: must be left out: grid"):
        read_study(four, ["stages.0.trials=4", "sampler.name=grid", "sampler.repeats=true"])


def test_enqueued_trials_run_whatever_was_tried(four: Path, home: Path) -> None:
    four.write_text(four.read_text() + '[[enqueue]]\ntrainer = "sgd"\n' * 3)
    run(four, home)
    assert [r.params["trainer"] for r in records(home)][:3] == ["sgd"] * 3


def test_the_plan_and_the_progress_say_it(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_study(four, trials=0)
    print_plan(plan)
    line = "the space has 4 configurations, fewer than the 40 requested trials: drawing ends"
    assert line in " ".join(capsys.readouterr().out.split())
    StudyProgress().show(SpaceTried(4, 40, 31, 0, 1))
    said = " ".join(capsys.readouterr().err.split())
    assert "all 4 configurations were tried; 31 of the 40 requested trials are not needed" in said


def test_a_finished_study_says_that_all_were_tried(
    four: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(four, home, "sampler.name=random")
    assert result.tried == {"": 4}
    assert result.tried_text == "all 4 configurations were tried"
    n_drawn = len(records(home))
    (row,) = study_status(home=home).to_dict("records")
    assert (row["trials"], row["planned"], row["ended"]) == (
        n_drawn,
        n_drawn,
        "all configurations",
    )
    print_status(status_rows(home=home))
    assert f"{n_drawn}/{n_drawn} (all configurations)" in " ".join(capsys.readouterr().out.split())
    # A result from before said nothing of it.
    path = home / "studies/small/1/artifacts/result.json"
    tamper(path, lambda said: said["result"].pop("tried"))
    (again,) = study_status(home=home).to_dict("records")
    assert again == row


def test_arms_say_it_each(four: Path, home: Path) -> None:
    result = run(four, home, 'compare=["trainer"]', "stages.0.trials=2")
    assert result.tried_text == "all configurations were tried: 1 of trainer=sgd"
    (row,) = study_status(home=home).to_dict("records")
    assert row["trials"] == row["planned"] == len(records(home)) == 3


def test_a_budget_is_told_from_a_space_that_was_tried(four: Path, home: Path) -> None:
    result = run(four, home, "budget.epochs=8", "sampler.batch=1", "sampler.name=random")
    assert result.ended == "budget.epochs"
    assert result.tried == {}
    (row,) = study_status(home=home).to_dict("records")
    assert (row["planned"], row["ended"]) == (40, "budget.epochs")
    assert row["trials"] == len(records(home)) < 40


def test_a_study_that_drew_all_says_nothing(four: Path, home: Path) -> None:
    assert run(four, home, "stages.0.trials=3").tried_text == ""
    (row,) = study_status(home=home).to_dict("records")
    assert (row["trials"], row["planned"], row["ended"]) == (3, 3, "")
