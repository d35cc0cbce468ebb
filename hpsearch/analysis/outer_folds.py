"""What a nested search is worth, from what the searches of its outer folds found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hpsearch.analysis.estimates import over_splits
from hpsearch.records.estimate import Estimate
from hpsearch.records.result import Agreement, ArmResult, OuterResult
from hpsearch.samplers.unit import Numeric, to_unit
from hpsearch.studyfile.space import Space


def outer_result(
    split: Mapping[str, Any], folds: Sequence[ArmResult], space: Space, ratio: float
) -> OuterResult:
    """The result of a nested search.

    Args:
        split: as the study file has it.
        folds: what the search of each found.
        space: that they searched.
        ratio: tested rows by rows learned from, a mean over folds.
    """
    untested = any(not fold.test for fold in folds)
    gains = [fold.default.test_gain for fold in folds if fold.default]
    known = [gain for gain in gains if gain is not None]
    return OuterResult(
        split=dict(split),
        folds=list(folds),
        test={} if untested else _scores(folds, ratio),
        gain=_over_folds(known, ratio) if len(known) == len(folds) else None,
        agreement=[*_agreement(folds, space)] if len(folds) > 1 else [],
        failure="; ".join(
            f"outer fold {k}: {fold.failure}" for k, fold in enumerate(folds, 1) if fold.failure
        ),
    )


def _scores(folds: Sequence[ArmResult], ratio: float) -> dict[str, Estimate]:
    """Of each metric that all folds have."""
    shared = [name for name in folds[0].test if all(name in fold.test for fold in folds)]
    return {
        name: _over_folds([fold.test[name] for fold in folds], ratio).within_range(name)
        for name in shared
    }


def _over_folds(estimates: Sequence[Estimate], ratio: float) -> Estimate:
    """Of one fold its own, over refits and rows."""
    if len(estimates) == 1:
        return estimates[0]
    means = [one.mean for one in estimates]
    return over_splits(means, means, ratio, "outer folds")


def _agreement(folds: Sequence[ArmResult], space: Space) -> Iterator[Agreement]:
    for name in dict.fromkeys(parameter.key for parameter in space.parameters):
        values = [fold.searched.get(name) for fold in folds]
        known = [value for value in values if value is not None]
        if not known:
            continue
        of_name = [p.distribution for p in space.parameters if p.key == name]
        ranges = [d for d in of_name if isinstance(d, Numeric)]
        if len(ranges) < len(of_name):
            ((choice, _),) = Counter(known).most_common(1)
            yield Agreement(name, values, choice, None)
        else:
            yield Agreement(name, values, None, _spread(ranges, known))


def _spread(ranges: Sequence[Numeric], values: Sequence[float]) -> float:
    """From the smallest to the largest value, as a share of all that the ranges reach over."""
    scale = next((d for d in ranges if not d.log), ranges[0])  # 0 may lie in one without logarithm
    low, high = min(d.low for d in ranges), max(d.high for d in ranges)
    ends = [to_unit(scale, end) for end in (low, min(values), max(values), high)]
    return (ends[2] - ends[1]) / (ends[3] - ends[0]) if high > low else 0.0
