"""Initial weights have the spread that they are named for."""

import math

import numpy as np
import pytest

from hpsearch.nn import TwoLayerNet, initializers
from hpsearch.nn.affine import Affine

IN, OUT = 784, 300
# The document's formulas, evaluated by hand: sqrt(2/1084), sqrt(1/784), sqrt(2/784).
DEVIATIONS = {"xavier": 0.042953, "xavier-fan-in": 0.035714, "he": 0.050508, "normal": 0.3}


def drawn(weights: str, distribution: str = "normal", dtype: str = "float64") -> np.ndarray:
    draw = initializers.drawing(
        np.random.default_rng(0),
        np.dtype(dtype),
        weights=weights,
        distribution=distribution,
        weight_std=0.3,
    )
    return draw((IN, OUT), IN, OUT)


def test_every_name_has_a_deviation_here_or_is_zeros() -> None:
    assert set(initializers.INITIAL_WEIGHTS) == {*DEVIATIONS, "zeros"}


@pytest.mark.parametrize("distribution", initializers.DISTRIBUTIONS)
@pytest.mark.parametrize("weights", DEVIATIONS)
def test_weights_have_mean_zero_and_the_named_deviation(weights: str, distribution: str) -> None:
    w = drawn(weights, distribution)
    # 235,200 draws: the deviation of the sample is known to 0.15 %; allow 4 such errors.
    assert math.isclose(w.std(), DEVIATIONS[weights], rel_tol=0.006)
    assert abs(w.mean()) < 4 * w.std() / math.sqrt(w.size)


@pytest.mark.parametrize(
    ("weights", "limit"),
    [("xavier", math.sqrt(6 / (IN + OUT))), ("he", math.sqrt(6 / IN))],
)
def test_uniform_weights_fill_the_published_interval(weights: str, limit: float) -> None:
    w = drawn(weights, "uniform")
    assert 0.999 * limit < w.max() <= limit
    assert -limit <= w.min() < -0.999 * limit


def test_uniform_and_normal_weights_are_told_apart_by_their_tails() -> None:
    assert np.abs(drawn("he", "normal")).max() > 4 * DEVIATIONS["he"]
    assert np.abs(drawn("he", "uniform")).max() < 1.74 * DEVIATIONS["he"]


@pytest.mark.parametrize("distribution", initializers.DISTRIBUTIONS)
def test_zeros_are_zeros(distribution: str) -> None:
    assert not drawn("zeros", distribution).any()
    assert not np.signbit(drawn("zeros", distribution)).any()


def test_normal_weights_do_not_depend_on_the_fan_in() -> None:
    wide, narrow = (
        initializers.drawing(np.random.default_rng(0), np.dtype("float64"), weights="normal")(
            (8, 8), n, 8
        )
        for n in (8, 800)
    )
    assert np.array_equal(wide, narrow)


@pytest.mark.parametrize("distribution", initializers.DISTRIBUTIONS)
def test_float32_weights_are_the_float64_ones_rounded(distribution: str) -> None:
    single, double = (drawn("he", distribution, dtype) for dtype in ("float32", "float64"))
    assert single.dtype == np.float32
    assert np.array_equal(single, double.astype(np.float32))


def test_a_network_draws_with_the_hyperparameters_of_its_member() -> None:
    described = {
        "he": TwoLayerNet(hidden=30),
        "normal": TwoLayerNet(hidden=30, initial_weights="normal", weight_std=2.0),
        "uniform": TwoLayerNet(hidden=30, initial_distribution="uniform"),
        "zeros": TwoLayerNet(hidden=30, initial_weights="zeros"),
    }
    network = TwoLayerNet(hidden=30).build(50, 10, len(described), "float64")
    for row, member in enumerate(described.values()):
        member.initialize(network, row, np.random.default_rng(0))
    layer = network.layers[0]
    assert isinstance(layer, Affine)
    first = layer.w
    assert np.array_equal(first[0], np.random.default_rng(0).standard_normal((50, 30)) * 0.2)
    assert np.array_equal(first[1], np.random.default_rng(0).standard_normal((50, 30)) * 2)
    assert np.abs(first[2]).max() <= math.sqrt(6 / 50)
    assert not first[3].any()
