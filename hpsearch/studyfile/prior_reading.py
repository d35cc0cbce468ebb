"""The prior of an entry of [space]: where a range or choices are expected to be good."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.errors import Problem, unknown_name
from hpsearch.samplers.coarse_to_fine.priors import WIDTHS, Prior


def read_prior(
    path: str, said: Mapping[str, Any], distribution: BaseDistribution
) -> Prior | Problem | None:
    """The prior of an entry, or what is wrong with it.

    Args:
        path: of the entry, e.g. "space.learning_rate".
        said: the entry, as the study file says it.
        distribution: that it describes.

    Returns:
        None where the entry has no prior.
    """
    if isinstance(distribution, CategoricalDistribution):
        return _weights(f"{path}.weights", said.get("weights"), len(distribution.choices))
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    value, confidence = said.get("prior"), said.get("confidence")
    if confidence is not None and confidence not in [*WIDTHS]:
        return unknown_name(f"{path}.confidence", confidence, WIDTHS)
    if value is None:
        rule = "is missing: confidence says how sure it is"
        return None if confidence is None else Problem(f"{path}.prior", rule)
    low, high = distribution.low, distribution.high
    if not _is_number(value) or not low <= value <= high:
        return Problem(f"{path}.prior", f"must be a number from {low!r} to {high!r}", repr(value))
    return Prior(float(value), confidence or "medium")


def _weights(key: str, weights: Any, n: int) -> Prior | Problem | None:
    if weights is None:
        return None
    numbers = isinstance(weights, list) and all(map(_is_number, weights))
    if numbers and len(weights) == n:
        with suppress(ValueError):  # one is below 0, or none above it
            return Prior(weights=tuple(map(float, weights)))
    rule = f"must be a list of {n} numbers, at least 0, one for each choice, and one above 0"
    return Problem(key, rule, repr(weights))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
