"""Defaults as a configuration that is tried, near as the ranges allow."""

from __future__ import annotations

from typing import Any

import pytest

from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.space import read_space
from hpsearch.studyfile.tables.start.enqueue import wanted_in


def space_of(**entries: Any) -> Space:
    space, problems = read_space({"name": "two-layer"} if "hidden" in entries else {}, entries)
    assert not problems
    assert space is not None
    return space


RATE = {"low": 1e-4, "high": 1.0, "log": True}
OURS: dict[str, Any] = {
    "trainer": {"choices": ["sgd", "momentum"]},
    "learning_rate": RATE,
    "weight_decay": {"low": 1e-6, "high": 1e-2, "log": True},
    "momentum": {"low": 0.5, "high": 0.8},
    "hidden": {"low": 20, "high": 100, "step": 40},
}
SVC: dict[str, Any] = {
    "trainer": "sklearn.svm.SVC",
    "C": RATE,
    "gamma": RATE,  # "scale" by default, which is no number
    "kernel": {"choices": ["linear", "rbf"]},
    "degree": {"low": 1, "high": 5},
}


@pytest.mark.parametrize(
    ("entries", "said", "wanted"),
    [
        (
            OURS,
            {},
            {"trainer": "sgd", "learning_rate": 0.01, "weight_decay": 1e-6, "hidden": 60},
        ),
        (
            OURS,
            {"trainer": "momentum", "learning_rate": 0.5},
            {
                "trainer": "momentum",
                "learning_rate": 0.5,
                "weight_decay": 1e-6,
                "momentum": 0.8,
                "hidden": 60,
            },
        ),
        (SVC, {}, {"C": 1.0, "kernel": "rbf", "degree": 3}),
        ({"trainer": "program", "a": RATE | {"default": 5.0}, "b": RATE}, {}, {"a": 1.0}),
    ],
)
def test_defaults_are_those_of_the_trainer_within_the_ranges(
    entries: dict[str, Any], said: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert wanted_in(space_of(**entries), {"defaults": True, **said}) == wanted


def test_an_entry_without_them_and_a_parameter_of_that_name_stay_what_they_are() -> None:
    assert wanted_in(space_of(**OURS), {"learning_rate": 0.1}) == {"learning_rate": 0.1}
    own = space_of(trainer="program", defaults={"choices": [True, False]}, a=RATE)
    assert wanted_in(own, {"defaults": True}) == {"defaults": True}
