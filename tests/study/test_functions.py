"""Studies of training functions of one's own: what they may do, and how it is told."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from hpsearch.api.plan import plan_study
from hpsearch.api.show import show_study
from hpsearch.api.status import status_rows, study_status
from hpsearch.api.support.trials import study_trials
from hpsearch.api.verify import verify_study
from hpsearch.console import StudyProgress, print_plan, print_report, print_status
from hpsearch.errors import StudyChangedError, StudyFailed
from hpsearch.study.events import BatchFailed, Event
from tests.harness.study import records, run
from tests.harness.study_files import ALONE
from tests.harness.tampering import tamper

WriteStudy = Callable[..., Path]

STAGES = [
    "stages=[{trials=4, epochs=3}, {trials=1, epochs=8, promote=1.0}]",
    "sampler.name=random",
]
# The good ones are done after two epochs.
ENDS_EARLY = """
    def train(params, data, seed, state=None):
        for epoch in range(state or 0, 2 if params["x"] > 0.5 else 100):
            yield {"validation_accuracy": params["x"] * (1 + epoch) / 10}, epoch + 1
"""
# Its precision is not defined for the good ones, its accuracy not for the bad ones.
UNDEFINED = """
    import math

    def train(params, data, seed):
        while True:
            x = params["x"]
            yield {
                "validation_accuracy": math.inf if x < 0.25 else x,
                "validation_precision": math.nan if x > 0.5 else x,
            }
"""
# Half of the space can't work.
RAISES = """
    def train(params, data, seed, state=None):
        if params["x"] < 0.5:
            raise TypeError("x is too small for me")
        while True:
            yield {"validation_accuracy": params["x"]}, 1
"""
BAD_FIRST = [0.0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.75, 0.875]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteStudy:
    """Writes a module and a study of its function `train` that tries these values of x."""
    monkeypatch.syspath_prepend(tmp_path)
    module = "own_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)

    def write(text: str, values: list[float], extra: str = "") -> Path:
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(text))
        listed = "".join(f"[[enqueue]]\nx = {x}\n" for x in values)
        study = ALONE.replace("TRAINER", f"{module}:train")
        study = study.replace("trials = 2", f"trials = {len(values)}")
        path = tmp_path / "own.toml"
        path.write_text(f'{study}[sampler]\nname = "listed"\n{extra}{listed}')
        return path

    return write


@pytest.mark.parametrize("state", [", state=None", ""], ids=["with-state", "without"])
def test_a_function_that_ends_early_keeps_its_last_scores(
    state: str, own: WriteStudy, home: Path
) -> None:
    text = ENDS_EARLY if state else ENDS_EARLY.replace(", state=None", "").replace("state or ", "")
    text = text if state else text.replace("10}, epoch + 1", "10}")
    path = own(text, [0.25, 0.75, 0.875, 0.125])
    result = run(path, home, *STAGES)
    assert result.counts == {"complete": 1, "pruned": 3}
    assert result.best_number == 2
    best = records(home, "own")[2]
    assert best.scores == {3: pytest.approx(0.175), 8: pytest.approx(0.175)}
    assert [m.epoch for m in best.members] == [8] * 3
    assert study_trials("own", home=home)["ended_early"].tolist()[1:3] == [2, 2]
    assert verify_study("own", home=home, trials=2).problems == []


def test_ending_early_can_be_an_error(own: WriteStudy, home: Path) -> None:
    path = own(ENDS_EARLY, [0.25, 0.75, 0.125])
    result = run(path, home, "stages.0.epochs=3", 'outcomes.ended_early="fail"')
    assert result.counts == {"complete": 2, "failed": 1}
    reason = records(home, "own")[1].reason
    assert "must yield metrics for 3 epochs, got 2: let it continue" in reason


def test_a_metric_that_decides_nothing_need_not_be_finite(own: WriteStudy, home: Path) -> None:
    path = own(UNDEFINED, [0.25, 0.75, 0.125, 0.375])
    result = run(path, home)
    assert result.counts == {"complete": 3, "diverged": 1}
    assert result.best_number == 1
    assert [*result.test] == ["test_accuracy"]
    reason = records(home, "own")[2].reason
    assert reason == "validation_accuracy not finite after epoch 0"
    assert verify_study("own", home=home, trials=2).problems == []


def test_the_metric_of_a_constraint_must_be_finite(own: WriteStudy, home: Path) -> None:
    limit = 'constraints=[{metric="validation_precision", at_least=0.3}]'
    result = run(own(UNDEFINED, [0.25, 0.75, 0.375]), home, limit)
    assert result.counts == {"complete": 2, "diverged": 1}
    assert result.best_number == 2
    reason = records(home, "own")[1].reason
    assert reason == "validation_precision not finite after epoch 0"


def test_a_study_without_a_score_says_what_ended_its_trials(own: WriteStudy, home: Path) -> None:
    with pytest.raises(StudyFailed) as caught:
        run(own(UNDEFINED, [0.125, 0.0, 0.2]), home)
    message = str(caught.value)
    assert "3 diverged (trials 0, 1, 2): validation_accuracy not finite" in message
    assert "Have the trainer report a finite validation_accuracy" in message
    assert "learning rates" not in message


def test_failed_trials_at_the_start_end_no_study(own: WriteStudy, home: Path) -> None:
    result = run(own(RAISES, BAD_FIRST), home)
    assert result.counts == {"complete": 2, "failed": 6}
    assert result.best_number == 7


def test_a_stage_of_failed_trials_alone_leads_to_the_next(own: WriteStudy, home: Path) -> None:
    stages = "stages=[{trials=6, epochs=1}, {trials=6, epochs=2}]"
    result = run(own(RAISES, BAD_FIRST[:6]), home, stages, "sampler.name=random")
    assert result.counts["complete"] + result.counts["failed"] == 12
    assert records(home, "own")[result.best_number].stage == 1


def test_as_many_failed_trials_in_a_row_as_the_file_says_end_it(
    own: WriteStudy, home: Path
) -> None:
    with pytest.raises(StudyFailed, match="6 trials in a row failed") as caught:
        run(own(RAISES, BAD_FIRST), home, "budget.failures=6")
    assert "TypeError: x is too small for me" in str(caught.value)
    assert [r.number for r in records(home, "own") if r.sealed] == [0, 1, 2, 3, 4, 5]


def test_a_study_of_few_trials_that_all_fail_says_why(own: WriteStudy, home: Path) -> None:
    with pytest.raises(StudyFailed) as caught:
        run(own(RAISES, BAD_FIRST[:3]), home)
    message = str(caught.value)
    assert "3 failed (trials 0, 1, 2): TypeError: x is too small for me\nCorrect it" in message
    assert "learning rates" not in message


def test_a_first_batch_that_fails_for_one_reason_is_told_once(
    own: WriteStudy, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Event] = []
    run(own(RAISES, BAD_FIRST), home, "sampler.batch=3", tell=told.append)
    (event,) = (event for event in told if isinstance(event, BatchFailed))
    assert event == BatchFailed(3, "TypeError: x is too small for me", 10)
    assert told.index(event) < 6  # before the other batches are there
    with StudyProgress() as progress:
        progress.show(event)
    line = " ".join(capsys.readouterr().err.split())
    assert "warning: all 3 trials of the first batch failed with TypeError: x is too" in line
    assert "budget.failures = 10" in line


def test_a_first_batch_that_fails_in_part_or_for_several_reasons_is_not(
    own: WriteStudy, home: Path
) -> None:
    told: list[Event] = []
    several = RAISES.replace("x is too small for me", "x").replace('"x")', 'str(params["x"]))')
    run(own(several, BAD_FIRST), home, "sampler.batch=3", tell=told.append)
    run(own(RAISES, [0.0, 0.75, 0.1]), home, "sampler.batch=3", fresh=True, tell=told.append)
    assert not any(isinstance(event, BatchFailed) for event in told)


def test_why_trials_failed_stands_in_report_status_and_table(
    own: WriteStudy, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = RAISES.replace(
        "while True", 'if params["x"] > 0.8: raise KeyError("y")\n        while True'
    )
    run(own(text, BAD_FIRST), home)
    lines = [
        "6 failed (trials 0, 1, 2, 3, 4, 5): TypeError: x is too small for me",
        "1 failed (trial 7): KeyError: 'y'",
    ]
    report = show_study("own", home=home)
    print_report(report)
    shown = capsys.readouterr().out
    assert [line for line in lines if line in shown] == lines
    assert [row["reason"] for row in report.as_dict()["failures"]] == [
        "TypeError: x is too small for me",
        "KeyError: 'y'",
    ]
    status = study_status("own", home=home)
    assert status["failures"].tolist() == [lines]
    print_status(status_rows("own", home=home))
    assert [f"own: {line}" for line in lines] == capsys.readouterr().out.splitlines()[-2:]
    table = study_trials("own", home=home)
    assert table.columns[-1] == "reason"
    assert table["reason"].tolist()[5:] == [
        "TypeError: x is too small for me",
        "",
        "KeyError: 'y'",
    ]


def test_a_run_that_drew_whole_numbers_without_a_word_says_so_to_go_on(
    own: WriteStudy, home: Path
) -> None:
    path = own(RAISES, [1.0, 2.0, 3.0], "[outcomes]\nretries = 0\n")
    whole = "space.x={low=0, high=9, int=true}"
    run(path, home, whole)
    # An older version wrote none.
    tamper(home / "studies/own/1/study.json", lambda said: said["file"]["space"]["x"].pop("int"))
    assert verify_study("own", home=home, trials=1).problems == []
    with pytest.raises(StudyChangedError, match=r"-space\.x\.int = true"):
        run(path, home, "space.x={low=0, high=9}")
    (home / "studies/own/1/artifacts/result.json").unlink()
    assert run(path, home, whole).counts == {"complete": 3}


def test_plan_says_what_is_drawn(own: WriteStudy, capsys: pytest.CaptureFixture[str]) -> None:
    path = own(RAISES, [1.0])
    kinds = [
        "enqueue=[]",
        "sampler.name=random",
        "space.x={low=0, high=1}",
        "space.layers={low=1, high=4, int=true}",
        'space.kind={choices=["a", "b"]}',
    ]
    print_plan(plan_study(path, overrides=kinds, trials=0))
    shown = capsys.readouterr().out
    assert "x:  a number from 0 to 1" in shown
    assert "layers:  a whole number from 1 to 4" in shown
    assert "kind:  one of a, b" in shown


def test_a_doubtful_direction_is_said_before_anything_runs(own: WriteStudy) -> None:
    said: list[str] = []
    wrong = "objective.direction=minimize"
    plan_study(own(RAISES, [1.0]), overrides=[wrong], trials=0, say=said.append)
    assert len(said) == 1
    assert said[0].startswith("warning: validation_accuracy is usually better when it is higher")
