"""What configurations cost: a forecast by which the expected improvement is weighed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hpsearch.samplers.coarse_to_fine.encoding import Encoding
from hpsearch.samplers.coarse_to_fine.model import fidelity
from hpsearch.samplers.history import Observation
from hpsearch.samplers.unit import Floats

POWER = 0.7  # of the forecast cost, that the expected improvement is divided by
LEAST_KNOWN = 5  # costs; with fewer, all configurations count as equally expensive
LEAST_SECONDS = 1e-3  # shorter ones count as this
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MOST_LEVERAGE = 0.99  # of a row, whose residual says nothing any more


def cheapness(
    encoding: Encoding,
    known: Sequence[tuple[Observation, float]],
    rows: Floats,
    length: float,
) -> Floats:
    """What the expected improvement of each row is multiplied by, (n,); 1 for the cheapest.

        (c / min c)^-POWER,  log c a linear function of the row's features

    Args:
        known: trials with their seconds.
        rows: candidates, (n, number of columns).
        length: of the training that they are to have.

    Source: Snoek et al., Practical Bayesian Optimization of Machine Learning Algorithms, 2012,
    section 3.2, who divide by the expected cost itself. A power below 1 is ours: it leaves more
    to what is expensive and good (Lee et al., Cost-aware Bayesian Optimization, 2020, let the
    power fall to 0 as a budget is spent). Measured by benchmarks/bench_cost.py.
    """
    if len(known) < LEAST_KNOWN:
        return np.ones(len(rows))
    trained = np.array([max(one.curve) for one, _ in known])
    seen = encoding.rows([one.params for one, _ in known])
    seconds = np.array([max(seconds, LEAST_SECONDS) for _, seconds in known])
    forecast = LinearForecast(encoding.features(seen, fidelity(trained)), np.log(seconds))
    logs = forecast(encoding.features(rows, fidelity(np.full(len(rows), length))))
    return np.asarray(np.exp(-POWER * (logs - logs.min())))


class LinearForecast:
    """A linear function of features, fitted by ridge regression.

    Cost is close to a power law in most numbers, of which the features are logarithms, and each
    choice has a factor of its own. A Gaussian process of the same costs made the search no
    better. The penalty is the one of PENALTIES with the least error when each row is predicted
    by the others.

    Args:
        x: features, (n, F).
        y: values, (n,).

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, eq. 3.47
    (ridge regression by singular values) and 7.64 (predictions by the other rows).
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        self._centre, self._mean = x.mean(0), float(y.mean())
        u, sizes, v = np.linalg.svd(x - self._centre, full_matrices=False)
        along = u.T @ (y - self._mean)
        errors = [
            _error(y - self._mean, u, along, sizes**2 / (sizes**2 + penalty))
            for penalty in PENALTIES
        ]
        penalty = PENALTIES[int(np.argmin(errors))]
        self._slope = v.T @ (sizes / (sizes**2 + penalty) * along)

    def __call__(self, z: Floats) -> Floats:
        """(m, F) -> (m,)."""
        return np.asarray((z - self._centre) @ self._slope + self._mean)


def _error(y: Floats, u: Floats, along: Floats, kept: Floats) -> float:
    """Mean square by which rows differ from what the others predict.

    Args:
        kept: the part of each direction of `u` that the penalty leaves.
    """
    leverage = np.minimum((u * u) @ kept + 1 / len(y), MOST_LEVERAGE)
    return float(np.mean(((y - u @ (kept * along)) / (1 - leverage)) ** 2))
