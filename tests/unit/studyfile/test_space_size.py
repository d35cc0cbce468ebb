"""How many configurations a search space has."""

from __future__ import annotations

from typing import Any

import pytest

from hpsearch.studyfile.tables.space import read_space

NETWORK = {"name": "two-layer", "hidden": 8}
MOMENTUM = {"when": {"trainer": "momentum"}}


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ({"trainer": "sgd"}, 1),
        ({"trainer": {"choices": ["sgd", "adam"]}}, 2),
        ({"trainer": "sgd", "learning_rate": {"low": 0.1, "high": 0.5}}, None),
        ({"trainer": "sgd", "learning_rate": {"low": 0.1, "high": 0.5, "step": 0.1}}, 5),
        ({"trainer": "sgd", "batch_size": {"low": 2, "high": 9, "log": True}}, 8),
        ({"trainer": "sgd", "batch_size": {"low": 2, "high": 8, "step": 3}}, 3),
        (
            {
                "trainer": {"choices": ["sgd", "momentum"]},
                "batch_size": {"choices": [4, 5, 6]},
                "momentum": {"choices": [0.5, 0.9], **MOMENTUM},
            },
            9,
        ),
        (
            {
                "trainer": {"choices": ["sgd", "momentum"]},
                "momentum": {"low": 0.5, "high": 0.9, **MOMENTUM},
            },
            None,
        ),
        # by itself conditional: only momentum takes it
        ({"trainer": {"choices": ["sgd", "momentum"]}, "momentum": {"choices": [0.5, 0.9]}}, 3),
        # two parents, one of them conditional itself
        (
            {
                "trainer": {"choices": ["sgd", "momentum"]},
                "learning_rate_policy": {"choices": ["constant", "exp"]},
                "exp_gamma": {"choices": [0.9, 0.99, 0.999]},
                "momentum": {"choices": [0.5, 0.9]},
            },
            12,
        ),
    ],
)
def test_conditions_and_kinds_are_counted(entries: dict[str, Any], size: int | None) -> None:
    space, problems = read_space(NETWORK, entries)
    assert not problems
    assert space is not None
    assert space.size(1000) == size
    if size is not None:
        assert space.size(size) == size
        assert space.size(size - 1) is None
        if not any(isinstance(e, dict) and e.get("log") for e in entries.values()):
            assert len(space.cells()) == size


def test_a_large_space_is_not_counted_out() -> None:
    entries = {"trainer": "sgd", "batch_size": {"low": 1, "high": 10**9}}
    space, _ = read_space(NETWORK, entries)
    assert space is not None
    assert space.size(10**6) is None
