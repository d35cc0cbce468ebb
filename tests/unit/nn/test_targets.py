"""Numbers are learned with mean 0 and deviation 1 of the rows that a network is trained on."""

import numpy as np

from hpsearch.nn.targets import Targets, TargetScale

PRICES = np.array([100_000.0, 300_000.0, 200_000.0, 9e9])


def test_each_network_learns_by_its_own_rows() -> None:
    targets = Targets(PRICES, [np.array([0, 1]), np.array([1, 2])], [None, None])
    rows = np.array([[0, 1, 2], [1, 2, 0]])
    learned = targets.standardised(rows, np.dtype(np.float32))
    assert learned.dtype == np.float32
    assert learned.tolist() == [[-1, 1, 0], [1, -1, -3]]
    assert targets.scales == [TargetScale(200_000, 100_000), TargetScale(250_000, 50_000)]


def test_outputs_are_told_in_units() -> None:
    told = TargetScale(200_000, 100_000).in_units(np.array([-1, 0.5], np.float32))
    assert told.dtype == np.float64
    assert told.tolist() == [100_000, 250_000]


def test_equal_numbers_are_only_shifted() -> None:
    assert TargetScale.of(np.array([0.1] * 7)).deviation == 1
