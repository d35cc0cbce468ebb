"""The lines of a study's progress where stderr is no terminal."""

from __future__ import annotations

import pytest

from hpsearch.console import progress
from hpsearch.console.progress import StudyProgress
from hpsearch.study.events import PhaseStarted, StageStarted, TrackingAwaited


class Clock:
    """Time as the test says."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def test_no_more_time_is_foretold_than_the_budget_leaves(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with StudyProgress() as shown:
        shown.show(StageStarted(0, 1, 200, 5, 0, seconds=215.0))
        clock.now += 10.0
        shown.show(object())  # type: ignore[arg-type]  # something was done: 10 s of 200 times that
    begun, line = capsys.readouterr().err.splitlines()[:2]
    assert begun == "stage 1/1, 5 epochs: 200 to do, in 215 s at most"
    assert line == "stage 1/1, 5 epochs: 1/200, 6.0/min, 205 s left"


def test_without_such_a_budget_it_is_foretold_by_the_pace(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with StudyProgress() as shown:
        shown.show(StageStarted(0, 1, 200, 5, 3))
        clock.now += 10.0
        shown.show(object())  # type: ignore[arg-type]
    begun, line = capsys.readouterr().err.splitlines()[:2]
    assert begun == "stage 1/1, 5 epochs: 200 to do, 3 done before"
    assert line == "stage 1/1, 5 epochs: 4/200, 6.0/min, 1960 s left"


def test_a_phase_that_is_done_has_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress() as shown:
        shown.show(PhaseStarted("confirmation", 9, 9))
    assert "to do" not in capsys.readouterr().err


def test_a_wait_for_mlflow_is_told_and_is_no_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with StudyProgress() as shown:
        shown.show(TrackingAwaited("waiting for MLflow at [lab]"))
    said = capsys.readouterr().err.strip()  # older rich adds a line
    assert said == "waiting for MLflow at [lab]"
