"""Initial weights have the spread that they are named for."""

import math

import numpy as np
import pytest

from hpsearch.nn import initializers


@pytest.mark.parametrize("fan_in", [50, 784])
def test_he_weights_have_standard_deviation_root_of_two_over_fan_in(fan_in: int) -> None:
    draw = initializers.he(np.random.default_rng(0), np.dtype("float64"))
    w = draw((fan_in, 2000), fan_in, 2000)
    # At least 100,000 draws: the deviation of the sample is known to 0.3 %; allow 4 such errors.
    assert math.isclose(w.std(), math.sqrt(2 / fan_in), rel_tol=0.01)
    assert abs(w.mean()) < 4 * w.std() / math.sqrt(w.size)


def test_normal_weights_do_not_depend_on_the_fan_in() -> None:
    wide, narrow = (
        initializers.normal(np.random.default_rng(0), np.dtype("float64"), 0.01)((8, 8), n, 8)
        for n in (8, 800)
    )
    assert np.array_equal(wide, narrow)


def test_float32_weights_are_the_float64_ones_rounded() -> None:
    single, double = (
        initializers.he(np.random.default_rng(0), np.dtype(dtype))((30, 20), 30, 20)
        for dtype in ("float32", "float64")
    )
    assert single.dtype == np.float32
    assert np.array_equal(single, double.astype(np.float32))
