"""What a batch ends with: rows, exit code and the line for people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpsearch.records.estimate import Estimate
from hpsearch.scheduler.batch_report import EXIT_UNFINISHED, BatchReport, Outcome, StudyRow
from tests.harness.results import RESULT

RESULT = replace(
    RESULT,
    counts={"complete": 3, "pruned": 2},
    test={"test_accuracy": Estimate(0.5, None, None, [0.5])},
)
ROW = StudyRow(
    study="night",
    outcome="finished",
    objective="validation_accuracy",
    validation=0.75,
    low=0.5,
    high=1.0,
    test=0.5,
    trials=5,
    seconds=12.3,
    folder="artifacts",
    winner="trial 0",
)


def report(*outcomes: Outcome, seconds: float = 61.0, cut: str = "") -> BatchReport:
    rows = tuple(StudyRow(f"s{n}", outcome) for n, outcome in enumerate(outcomes))
    return BatchReport("b", "b.toml", rows, seconds, cut)


def test_the_row_of_a_result() -> None:
    assert StudyRow.of("night", RESULT, ran=True, missing="", seconds=12.345) == ROW
    found = StudyRow.of("night", replace(RESULT, test={}), ran=False, missing="away", seconds=12.3)
    why = "MLflow is not up to date: away"
    assert found == replace(ROW, outcome="found", reason=why, test=None)
    searched = replace(RESULT, searched={"learning_rate": 0.1, "trainer": "sgd"})
    won = StudyRow.of("night", searched, ran=True, missing="", seconds=1.0, link="http://x")
    assert (won.winner, won.link) == ("trial 0: learning_rate = 0.1, trainer = sgd", "http://x")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["finished", "found"], 0),
        (["finished", "stopped"], EXIT_UNFINISHED),
        (["found", "waiting"], EXIT_UNFINISHED),
        (["locked"], EXIT_UNFINISHED),
        (["failed", "finished"], 1),
        (["waiting", "failed"], 1),
        ([], 0),
    ],
)
def test_a_failure_tells_more_than_what_is_left(outcomes: list[Outcome], code: int) -> None:
    assert report(*outcomes).exit_code == code


@pytest.mark.parametrize(
    ("cut", "end"),
    [
        ("", ""),
        ("window", "; its window is closed"),
        ("budget", "; its budget is spent"),
        ("asked", "; stopped on request"),
        ("failure", "; stopped after the failure"),
    ],
)
def test_the_line_counts_outcomes_and_says_what_cut_it(cut: str, end: str) -> None:
    found = report("finished", "waiting", "finished", cut=cut)
    assert found.counts == {"finished": 2, "waiting": 1}
    assert found.line == f"b: 2 finished, 1 waiting, 1 min{end}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.9, "59.9 s"),
        (60.0, "1 min"),
        (95.0, "2 min"),
        (59 * 60.0, "59 min"),
        (60 * 60.0, "1 h 0 min"),
        (135 * 60.0, "2 h 15 min"),
    ],
)
def test_times_are_as_fine_as_they_need(seconds: float, text: str) -> None:
    assert report("finished", seconds=seconds).line == f"b: 1 finished, {text}"


def test_a_report_is_read_back_from_its_json() -> None:
    whole = BatchReport("b", "b.toml", (ROW, StudyRow("c", "failed", "why")), 3.25, "asked", "s")
    said = whole.as_dict()
    assert (said["counts"], said["exit_code"]) == ({"finished": 1, "failed": 1}, 1)
    assert said["seconds"] == 3.2
    assert BatchReport.from_dict(said) == replace(whole, seconds=3.2)
    table = whole.table()
    assert list(table["study"]) == ["night", "c"]
    assert list(table["outcome"]) == ["finished", "failed"]
