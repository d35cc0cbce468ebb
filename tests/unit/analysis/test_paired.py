"""Differences of two configurations on the same fresh splits."""

from __future__ import annotations

import numpy as np
import pytest

from hpsearch.analysis.estimates import estimate, over_splits
from hpsearch.analysis.paired import Repeats, paired, ratio_of

RATIO = 0.25
RNG = np.random.default_rng(0)


def repeats(spread: float) -> Repeats:
    of_splits = (0.5 + spread * RNG.normal(size=(5, 3))).tolist()
    every = [score for scores in of_splits for score in scores]
    return Repeats([float(np.mean(scores)) for scores in of_splits], every, [], {})


def test_another_objective_has_the_interval_of_its_own_spread() -> None:
    """The ratio of rows is read from the first objective, whatever its spread is."""
    narrow, wide = [repeats(0.01) for _ in range(2)], [repeats(0.2) for _ in range(2)]
    known = [over_splits(one.scores, one.of_splits, RATIO, "fresh splits") for one in narrow]
    ratio = ratio_of(narrow[0], narrow[1], (known[0], known[1]))
    assert ratio == pytest.approx(RATIO)
    found = paired(wide[0], wide[1], ratio)
    of_splits = np.subtract(wide[0].of_splits, wide[1].of_splits).tolist()
    scores = np.subtract(wide[0].scores, wide[1].scores).tolist()
    assert found == over_splits(scores, of_splits, ratio or 0.0, "fresh splits")
    assert found.distance is not None
    assert found.distance > 0.1


def test_repeats_on_kept_splits_have_the_plain_interval() -> None:
    first, other = repeats(0.1), repeats(0.1)
    assert ratio_of(first, other, (estimate(first.scores), estimate(other.scores))) is None
    found = paired(first, other, None, sign=-1)
    assert found == estimate(np.subtract(other.scores, first.scores).tolist())
