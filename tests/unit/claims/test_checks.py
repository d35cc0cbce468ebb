"""Checks of paired differences, on runs whose differences are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hpsearch.claims import Evidence, find_check, load_check
from hpsearch.records.outcome import Outcome
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord

OF, THAN = {"trainer": "adam"}, {"trainer": "sgd"}


def record(
    number: int, scores: list[float], outcome: Outcome = Outcome.COMPLETE, **params: object
) -> TrialRecord:
    """A trial with one seed a score; the best epoch is the one before the last."""
    members = [
        MemberRecord(
            0, SeedKey(0, number, seed, 0), 2, epochs=[1, 2], history={"accuracy": [s, s - 0.1]}
        )
        for seed, s in enumerate(scores)
    ]
    return TrialRecord(f"{number}", "trial", number, params, members, {}, outcome=outcome)


def study(leads: dict[int, list[float]]) -> Evidence:
    """adam leads sgd by so much on each seed, by batch size."""
    records: list[TrialRecord] = []
    for batch_size, lead in leads.items():
        for trainer in ("sgd", "adam"):
            scores = [
                0.5 + seed / 100 + (x if trainer == "adam" else 0) for seed, x in enumerate(lead)
            ]
            own: dict[str, Any] = {"beta1": 0.9} if trainer == "adam" else {}
            records.append(
                record(len(records), scores, trainer=trainer, batch_size=batch_size, **own)
            )
    return Evidence(records, None, Path())


def test_runs_have_a_row_a_training_with_last_and_best_scores() -> None:
    runs = study({1: [0.1, 0.2]}).runs
    assert runs[["trial", "seed", "trainer"]].to_numpy().tolist() == [
        [0, 0, "sgd"],
        [0, 1, "sgd"],
        [1, 0, "adam"],
        [1, 1, "adam"],
    ]
    assert runs["best/accuracy"].tolist() == pytest.approx([0.5, 0.51, 0.6, 0.71])
    assert runs["accuracy"].tolist() == pytest.approx([0.4, 0.41, 0.5, 0.61])


@pytest.mark.parametrize(
    ("lead", "verdicts"),
    [
        ([0.05, 0.06, 0.055], ("holds", "does not hold", "not shown")),
        ([-0.05, -0.06, -0.055], ("does not hold", "holds", "not shown")),
        ([0.05, -0.06, 0.01], ("not shown", "not shown", "not shown")),
        ([0.001, 0.0012, 0.0011], ("holds", "does not hold", "holds")),
    ],
)
def test_a_difference_is_judged_by_its_interval_over_seeds(
    lead: list[float], verdicts: tuple[str, str, str]
) -> None:
    evidence = study({1: lead, 8: lead})
    given = [
        find_check("higher")(evidence, "best/accuracy", OF, THAN),
        find_check("lower")(evidence, "best/accuracy", OF, THAN),
        find_check("alike")(evidence, "best/accuracy", OF, THAN, margin=0.01),
    ]
    first = given[0]
    assert (first.judgement, given[1].judgement) == verdicts[:2]
    assert "over 3 seeds" in first.detail
    wide = verdicts[2] == "not shown" and abs(sum(lead)) > 0.1
    assert given[2].judgement == ("does not hold" if wide else verdicts[2])


def test_few_seeds_are_judged_over_pairs_and_say_so() -> None:
    verdict = find_check("higher")(study({1: [0.1], 2: [0.11], 4: [0.12]}), "accuracy", OF, THAN)
    assert verdict.judgement == "holds"
    assert "over 3 pairs of trials with 1 seed" in verdict.detail
    assert "3 higher, 0 equal, 0 lower" in verdict.detail


@pytest.mark.parametrize(
    ("expect", "judgement"), [("grows", "holds"), ("shrinks", "does not hold")]
)
def test_a_gap_is_followed_over_a_third_setting(expect: str, judgement: str) -> None:
    evidence = study({1: [0.1, 0.11, 0.1], 4: [0.2, 0.21, 0.2], 8: [0.3, 0.31, 0.29]})
    verdict = find_check("gap")(
        evidence, "best/accuracy", OF, THAN, by="batch_size", expect=expect
    )
    assert verdict.judgement == judgement
    assert "+0.1033 at 1" in verdict.detail


def test_only_the_wanted_and_complete_runs_count() -> None:
    evidence = study({1: [0.1, 0.1, 0.1], 8: [-0.3, -0.3, -0.3]})
    where = find_check("higher")(evidence, "accuracy", OF, THAN, where={"batch_size": [1, 2]})
    assert where.judgement == "holds"
    evidence.records[1].outcome = Outcome.DIVERGED
    alone = Evidence(evidence.records, None, Path())
    gone = find_check("higher")(alone, "accuracy", OF, THAN, where={"batch_size": 1})
    assert (gone.judgement, gone.detail) == ("not shown", "no runs to compare")


def test_a_printed_number_belongs_to_the_first_seed_alone() -> None:
    evidence = study({1: [0.1, 0.1]})
    printed = pd.DataFrame({"trial": [0, 1, None], "printed": [0.25, 0.75, 0.5]})
    runs = Evidence(evidence.records, printed, Path()).runs
    assert runs.dropna(subset="printed")[["trial", "seed", "printed"]].to_numpy().tolist() == [
        [0, 0, 0.25],
        [1, 0, 0.75],
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "highest",
            {},
            "must be one of better_tuned, higher, .*, module:function, got 'highest'",
        ),
        (
            "higher",
            {"metric": "x"},
            "must have arguments that higher takes .metric, of, than, where",
        ),
    ],
)
def test_a_wrong_check_is_refused(name: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_check(name, arguments)


def test_conditional_settings_are_part_of_a_pair() -> None:
    """sgd has no momentum; its runs pair with none of the two that have."""
    records = [
        record(0, [0.5], trainer="sgd", weight_decay=0.0),
        record(1, [0.5], trainer="sgd", weight_decay=0.1),
        *(
            record(2 + 2 * i + j, [0.6 + i / 10], trainer="momentum", momentum=m, weight_decay=d)
            for i, m in enumerate((0.5, 0.9))
            for j, d in enumerate((0.0, 0.1))
        ),
    ]
    evidence = Evidence(records, None, Path())
    decay = {"weight_decay": 0.1}, {"weight_decay": 0.0}
    verdict = find_check("higher")(evidence, "accuracy", *decay)
    assert "0 higher, 3 equal, 0 lower" in verdict.detail


@pytest.mark.parametrize(
    ("metric", "extra", "message"),
    [
        ("acuracy", {}, "acuracy must be a metric or hyperparameter of the runs"),
        ("accuracy", {"where": {"shots": 2}}, "shots must be a metric or hyperparameter"),
    ],
)
def test_a_misspelt_name_is_said(metric: str, extra: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_check("higher")(study({1: [0.1]}), metric, OF, THAN, **extra)
    with pytest.raises(ValueError, match="expect must be grows or shrinks, got 'grow'"):
        find_check("gap")(study({1: [0.1]}), "accuracy", OF, THAN, by="batch_size", expect="grow")
