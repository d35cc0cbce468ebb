"""What a record scores: the last epoch, the best, what a level took, and constraints."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hpsearch.records.layout import Kind
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.goals import FAR_OFF, Goals, MissingMetric
from hpsearch.studyfile.tables.objectives import Constraint, Objective

ACCURACY = Objective(metric="validation_accuracy", direction="maximize")
CURVES = [[0.2, 0.6, 0.8, 0.7], [0.5, 0.7, 0.6, 0.9]]
IMAGES = [100.0, 200.0, 300.0, 400.0]


def record(kind: Kind = "trial", **more: list[float]) -> TrialRecord:
    members = [
        MemberRecord(
            split,
            SeedKey(0, 0, 0, split),
            epochs=[2, 4, 6, 8],
            history={"validation_accuracy": curve, "passes/images": IMAGES, **more},
        )
        for split, curve in enumerate(CURVES)
    ]
    return TrialRecord("0", kind, 0, {}, members, {})


def level(**said: Any) -> Objective:
    return Objective(metric="validation_accuracy", direction="minimize", **said)


def test_one_objective_is_the_mean_over_members_after_the_last_epoch() -> None:
    found = Goals([ACCURACY], []).measured(record(), 6)
    assert found.score == pytest.approx(0.7)
    assert not found.values
    assert not found.violations
    best = ACCURACY.model_copy(update={"best_epoch": True})
    assert Goals([best], []).measured(record(), 6).score == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("count", "scores"), [("epochs", {4: 4.0, 8: 3.0}), ("passes/images", {4: 200.0, 8: 150.0})]
)
def test_a_level_is_scored_by_what_it_took(count: str, scores: dict[int, float]) -> None:
    # 0.6 is reached after 4 epochs by both; 0.5 after 4 and after 2.
    rises = {4: 0.6, 8: 0.5}
    for epochs, wanted in scores.items():
        goal = level(rises_to=rises[epochs], count=count)
        found = Goals([goal], []).measured(record(), epochs)
        assert found.score == wanted
        assert found.violations == {f"validation_accuracy {rises[epochs]}": 0.0}


def test_who_never_comes_to_a_level_is_infeasible_by_what_is_missing() -> None:
    found = Goals([level(rises_to=0.85)], []).measured(record(), 8)
    # The first member ends at its 8th epoch with at best 0.8, the second is there.
    assert found.score == 8.0
    assert found.violations["validation_accuracy 0.85"] == pytest.approx((0.05 / 0.85) / 2)


def test_a_level_may_be_below() -> None:
    goal = Objective(metric="validation_loss", direction="minimize", falls_to=1.0)
    falling = record(validation_loss=[3.0, 2.0, 0.9, 0.8])
    assert Goals([goal], []).measured(falling, 8).score == 6.0
    short = Goals([goal], []).measured(falling, 4)
    assert (short.score, short.violations) == (4.0, {"validation_loss 1": 1.0})


def test_constraints_are_missed_by_a_share_of_their_limit() -> None:
    limits = [
        Constraint(metric="memory", at_most=50.0),
        Constraint(metric="memory", at_least=50.0),
        Constraint(metric="change", at_most=0.0),
        Constraint(metric="broken", at_most=1.0),
    ]
    held = record(memory=[40.0] * 4, change=[0.25] * 4, broken=[math.nan] * 4)
    assert Goals([ACCURACY], limits).measured(held, 8).violations == {
        "memory at most 50": pytest.approx(-0.2),
        "memory at least 50": pytest.approx(0.2),
        "change at most 0": 0.25,
        "broken at most 1": FAR_OFF,
    }


def test_several_objectives_have_a_value_each_and_the_first_is_the_score() -> None:
    found = Goals([level(rises_to=0.5, count="passes/images"), ACCURACY], [])
    measured = found.measured(record(), 8)
    assert measured.values == {
        "passes/images to validation_accuracy 0.5": 150.0,
        "validation_accuracy": pytest.approx(0.8),
    }
    assert measured.score == 150.0
    kept = record()
    measured.keep(kept, 8)
    assert (kept.scores, kept.values) == ({8: 150.0}, {8: measured.values})
    assert TrialRecord.from_json(kept.to_json()) == kept


def test_a_test_is_scored_by_the_first_metric_alone() -> None:
    tested = record("test", test_accuracy=[0.1, 0.2, 0.3, 0.4])
    found = Goals([level(rises_to=0.99), ACCURACY], []).measured(tested, 8)
    assert (found.score, found.values, found.violations) == (0.4, {}, {})


def test_a_metric_that_is_not_reported_is_named() -> None:
    limits = [Constraint(metric=name, at_most=1.0) for name in ("passes/images", "memory")]
    one, several = Goals([ACCURACY], limits), Goals([ACCURACY, level(rises_to=0.1, count="x")], [])
    with pytest.raises(MissingMetric, match="memory"):
        one.measured(record(), 8)
    assert one.key_of("memory") == "constraints.1.metric"
    assert one.key_of("test_accuracy") == "objective.metric"
    assert several.key_of("validation_accuracy") == "objectives.0.metric"
    assert several.key_of("x") == "objectives.1.count"
