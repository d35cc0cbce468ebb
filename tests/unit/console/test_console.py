"""What a person reads at a study's end."""

from __future__ import annotations

import re

import pytest

from hpsearch import Report
from hpsearch.analysis.estimates import estimate
from hpsearch.analysis.kept_answers import Answers
from hpsearch.console import print_report
from hpsearch.records.range_row import RangeRow, branch_text
from hpsearch.records.result import Result

SVC = "sklearn.svm.SVC"


def narrowed(
    parameter: str,
    where: dict[str, str],
    declared: str = "",
    now: str = "",
    weights: dict[str, float] | None = None,
) -> RangeRow:
    return RangeRow(
        stage=0,
        parameter=parameter,
        branch=branch_text(where),
        declared=declared,
        before=declared,
        now=now,
        low=None,
        high=None,
        share=0.5,
        survivors=[0],
        weights=weights,
        where=where,
    )


def report(values: list[float]) -> Report:
    """A study that SVC won with these scores on fresh seeds."""
    searched = {"trainer": SVC, "C": 0.25}
    ranges = [
        narrowed("trainer", {}, weights={"sgd": 0.24, SVC: 0.76}),
        narrowed("learning_rate", {}, "0.001 … 1", "0.001 … 0.3231"),
        narrowed("C", {"trainer": SVC}, "0.01 … 100", "0.0125 … 42.5"),
    ]
    result = Result(
        study="mixed",
        objective="validation_accuracy",
        direction="maximize",
        counts={"complete": 1},
        best_number=0,
        best_params=searched,
        searched=searched,
        validation=estimate(values),
        test={},
        untested="",
        test_uses=1,
        optimistic=None,
        ranges=[row.as_dict() for row in ranges],
        top=[{"number": 0, "epochs": 9, "score": 0.5, "params": searched, "confirmed": None}],
        confirmed={},
        folder="artifacts",
        arms=[],
    )
    return Report(result, Answers([], []), True, "sqlite:///mlflow.db", "", "", "", "")


def test_tables_name_an_estimator_by_its_class_and_the_winner_by_its_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_report(report([0.5, 0.6]))
    winner, tables = capsys.readouterr().out.split("Best trials")
    winner = winner.partition("winner  ")[2]
    assert "sklearn" not in tables
    assert "SVC 76%, sgd 24%" in tables
    assert "trainer=SVC  0.01 … 100  0.0125 … 42.5" in tables
    assert winner.startswith(f"trial 0: trainer = {SVC}, C = 0.25")


def test_who_diverged_on_a_fresh_seed_has_that_for_a_mean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = report([0.5, 0.6])
    said.result.top[0]["not_confirmed"] = "diverged"
    print_report(said)
    (row,) = (
        line for line in capsys.readouterr().out.splitlines() if "0.5000" in line and "9" in line
    )
    assert "diverged" in row


def test_ranges_of_other_branches_than_the_winners_are_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_report(report([0.5, 0.6]))
    assert "learning_rate" not in capsys.readouterr().out


def test_ranges_are_shown_where_two_names_are_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    compared = report([0.5, 0.6])
    mine, other = {"trainer": "sgd", "shots": "5"}, {"trainer": "sgd", "shots": "3"}
    compared.result.searched.update({"trainer": "sgd", "shots": 5})
    rows = [narrowed("C", mine, "0.01 … 1", "0.3 … 0.4"), narrowed("C", other, "0.01 … 1", "…")]
    compared.result.ranges[:] = [row.as_dict() for row in rows]
    print_report(compared)
    assert "trainer=sgd, shots=5  0.01 … 1  0.3 … 0.4" in capsys.readouterr().out


def test_a_range_of_an_older_format_has_its_branch_as_text() -> None:
    row = narrowed("C", {"trainer": "sgd", "shots": "5"}).as_dict()
    del row["where"]
    assert RangeRow.from_dict(row).where == {"trainer": "sgd", "shots": "5"}


def test_an_estimator_without_anything_random_has_no_interval(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_report(report([0.5, 0.5]))
    assert "0.5000 (the same on all 2 seeds)" in capsys.readouterr().out


def test_the_winner_comes_first_and_warnings_and_addresses_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = report([0.5, 0.6])
    said.result.alarms.append("C lies at the end of its range")
    print_report(said)
    text = capsys.readouterr().out
    parts = ["winner  ", "Best trials", "Narrowed ranges", "WARNING  C lies", "artifacts  "]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_on_a_narrow_terminal_no_word_is_broken_and_no_line_is_longer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("TERM", "xterm"), ("COLUMNS", "60")):
        monkeypatch.setenv(name, value)
    said = report([0.5, 0.6])
    many = {f"parameter_{letter}": 0.000123456 for letter in "abcdef"}
    said.result.searched.update(many)
    said.result.top[0]["params"].update(many)
    print_report(said)
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 60
    words = " ".join(lines).split()
    assert words.count("parameter_f") == 2  # the winner's, and in the table
    assert words.count("0.0001235,") + words.count("0.0001235") == 6


def test_brackets_in_a_choice_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    said = report([0.5, 0.6])
    said.result.top[0]["params"]["activation"] = "[/b] [relu]"
    print_report(said)
    assert "[/b] [relu]" in capsys.readouterr().out
