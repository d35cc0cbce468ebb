"""Dropout: how much is dropped, by whose numbers, and not at inference."""

import numpy as np
import pytest

from hpsearch.nn import Dropout


def bound(*rates: float, seed: int = 0) -> Dropout:
    layer = Dropout()
    layer.bind(np.empty((len(rates), 0)), np.empty((len(rates), 0)))
    for row, rate in enumerate(rates):
        layer.set_member(row, rate, np.random.default_rng((seed, row)))
    return layer


@pytest.mark.parametrize("rate", [0.15, 0.5, 0.999])
def test_each_member_drops_its_own_share_and_keeps_the_mean(rate: float) -> None:
    y = bound(0.0, rate).forward(np.ones((2, 500, 400)))
    assert (y[0] == 1).all()
    # 200,000 units: the share is known to sqrt(rate (1 - rate) / 200,000); allow 4 such errors.
    error = 4 * np.sqrt(rate * (1 - rate) / 200_000)
    assert abs((y[1] == 0).mean() - rate) < error
    assert np.allclose(y[1][y[1] > 0], 1 / (1 - rate), rtol=0.01)


def test_the_gradient_goes_through_the_units_that_were_kept() -> None:
    layer = bound(0.5, 0.2)
    y = layer.forward(np.ones((2, 7, 5))).copy()
    d = layer.backward(np.ones((2, 7, 5)), need_input=True)
    assert d is not None
    assert np.array_equal(d, y)


def test_every_step_and_every_member_has_another_mask() -> None:
    layer = bound(0.5, 0.5)
    first = layer.forward(np.ones((2, 9, 9))).copy()
    second = layer.forward(np.ones((2, 9, 9)))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_a_rate_of_zero_draws_nothing() -> None:
    layer, rng = bound(0.5), np.random.default_rng(3)
    state = rng.bit_generator.state
    layer.set_member(0, 0.0, rng)
    x = np.ones((1, 3, 3))
    assert layer.forward(x) is x
    assert rng.bit_generator.state == state


def test_inference_uses_all_units_as_they_are() -> None:
    x = np.ones((4, 3))
    assert bound(0.5).columns(0, x) is x
