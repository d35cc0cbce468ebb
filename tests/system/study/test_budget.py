"""Budgets that a second start changes, and what verify derives of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.verify import verify_study
from hpsearch.errors import StudyChangedError
from tests.harness.study import run, table
from tests.harness.study_files import CALM, ONE_STAGE


@pytest.mark.parametrize("limit", ["epochs=60", "epochs=95", "target=0.3"])
def test_a_wider_budget_goes_on_to_what_it_would_have_been_without(
    study_file: Path, tmp_path: Path, limit: str
) -> None:
    narrow, free = tmp_path / "narrow", tmp_path / "free"
    assert run(study_file, narrow, *CALM, f"budget.{limit}").ended
    result = run(study_file, narrow, *CALM)
    run(study_file, free, *CALM)
    trials = [
        {key: row for key, row in table(home).items() if isinstance(key, int)}
        for home in (narrow, free)
    ]
    assert trials[0] == trials[1]
    assert result.ended == ""
    assert result.counts == {"complete": 6, "pruned": 15}


def test_a_target_of_something_minimised_is_reached_from_above(
    study_file: Path, home: Path
) -> None:
    options = [*ONE_STAGE, "objective={metric='validation_loss', direction='minimize'}"]
    assert run(study_file, home / "a", *options, "budget.target=-1.0").ended == ""
    result = run(study_file, home / "b", *options, "budget.target=1e9")
    assert result.counts == {"complete": 4}


@pytest.mark.parametrize("limit", ["epochs=95", "target=0.3", "plateau=2"])
def test_what_a_budget_ended_is_derived_again(study_file: Path, home: Path, limit: str) -> None:
    assert run(study_file, home, *CALM, f"budget.{limit}").ended
    verified = verify_study("small", home=home, trials=0)
    assert verified.problems == []
    assert verified.replay.result


@pytest.mark.parametrize(
    ("before", "now", "rule"),
    [
        (
            ["budget.epochs=95"],
            ["budget.epochs=94"],
            "budget.epochs must be at least the earlier 95",
        ),
        ([], ["budget.epochs=95"], "budget.epochs must stay left out"),
        (["budget.target=0.9"], ["budget.target=0.8"], "budget.target must not be easier"),
        (
            ["budget.plateau=2", "budget.plateau_improvement=0.1"],
            ["budget.plateau=2", "budget.plateau_improvement=0.2"],
            "budget.plateau_improvement must be at most the earlier 0.1",
        ),
        (["budget.plateau=2"], ["budget.plateau=9"], "budget.plateau and .plateau_improvement"),
    ],
)
def test_a_narrower_budget_is_refused(
    study_file: Path, home: Path, before: list[str], now: list[str], rule: str
) -> None:
    run(study_file, home, *CALM, *before)
    with pytest.raises(StudyChangedError) as caught:
        run(study_file, home, *CALM, *now)
    assert rule in str(caught.value)
