"""How much each searched parameter had to do with which trials were good, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hpsearch.analysis.ped_anova import importance
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.space import Space

Direction = Literal["maximize", "minimize"]
FEWEST = 8  # trials; of fewer nothing can be said
RESAMPLES = 200  # the ends of an interval are then known to a tenth of its width
SEED = 0x1A9  # of the resamples, so that a report repeats
LEVEL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Importance:
    """A parameter's share in what made trials good.

    Attributes:
        low, high: its 95 % interval, by resamples of the trials: what another search with as many
            trials may say. Of more trials the share of a parameter that matters is larger.
    """

    share: float
    low: float
    high: float


def importances(
    space: Space, records: Iterable[TrialRecord], *, epochs: int, direction: Direction
) -> dict[str, Importance]:
    """PED-ANOVA over the trials' scores after this many epochs, {name: Importance}, largest first.

    Diverged trials count as worse than all others. A parameter that not all trials have matters as
    far as the best of all trials have it, each range of a list by itself and by its name in
    Optuna. {} for too few trials.

    Source: Watanabe, Bansal & Hutter 2023, Conditional PED-ANOVA 2026, Optuna's default; Efron
    1979.
    """
    sign = -1.0 if direction == "maximize" else 1.0
    scored = [
        (record, sign * record.scores[epochs] if record.outcome.ranked else math.inf)
        for record in records
        if epochs in record.scores or not record.outcome.ranked
    ]
    finite = [loss for _, loss in scored if loss < math.inf]
    if len(finite) < FEWEST:
        return {}
    losses = np.array([min(loss, max(finite)) for _, loss in scored])
    drawn = [space.in_optuna(record.params) for record, _ in scored]
    counts = _counts(len(scored))
    names, found = [], []
    for parameter in space.parameters:
        having = [i for i, params in enumerate(drawn) if parameter.name in params]
        values = [drawn[i][parameter.name] for i in having]
        if len(having) >= FEWEST and len(set(values)) > 1:
            names.append(parameter.name)
            found.append(importance(parameter.distribution, values, losses, counts, having=having))
    if not found:
        return {}
    total = np.sum(found, axis=0)
    shares = np.array(found) / np.where(total > 0, total, 1.0)
    ends = np.percentile(shares[:, 1:], LEVEL, axis=1)
    order = sorted(range(len(names)), key=lambda i: -shares[i, 0])
    # Resamples have ties, by which all parameters look somewhat more alike.
    low, high = np.minimum(ends[0], shares[:, 0]), np.maximum(ends[1], shares[:, 0])
    return {
        names[i]: Importance(float(shares[i, 0]), float(low[i]), float(high[i])) for i in order
    }


def _counts(n: int) -> NDArray[np.float64]:
    """How often each of n trials is in all trials, and in each resample, (1 + RESAMPLES, n)."""
    rng = np.random.default_rng(SEED)
    resampled = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES)
    return np.concatenate([np.ones((1, n)), resampled.astype(np.float64)])
