"""What MLflow's views are made of: which parameters every trial has."""

from __future__ import annotations

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from hpsearch.reports.look import in_every
from hpsearch.studyfile.parameter import Conditions, Parameter

TRAINERS = ("sgd", "momentum", "adam")


def searched(*conditions: Conditions) -> list[Parameter]:
    """A trainer, and a rate with a range for each of these conditions."""
    rates = [
        Parameter("rate", FloatDistribution(0.1, 1.0), when, entry)
        for entry, when in enumerate(conditions)
    ]
    return [Parameter("trainer", CategoricalDistribution(TRAINERS), {}), *rates]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([{}], True),
        ([{"trainer": ("adam",)}], False),
        ([{"trainer": ("adam",)}, {"trainer": ("sgd", "momentum")}], True),
        ([{"trainer": ("adam",)}, {"trainer": ("sgd",)}], False),
        ([{"trainer": TRAINERS, "schedule": ("step",)}], False),
        ([{"schedule": ("step",)}], False),
    ],
)
def test_a_parameter_is_in_every_trial_where_its_conditions_cover_all_choices(
    conditions: list[Conditions], expected: bool
) -> None:
    assert in_every("rate", searched(*conditions), {}) is expected
    assert in_every("trainer", searched(*conditions), {})


def test_a_condition_that_a_fixed_value_meets_is_none() -> None:
    (_, *rates) = searched({"trainer": ("adam",)})
    assert in_every("rate", rates, {"trainer": "adam"})
    assert not in_every("rate", rates, {"trainer": "sgd"})
