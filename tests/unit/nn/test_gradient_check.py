"""Analytic gradients of whole networks against central differences."""

from itertools import product

import numpy as np
import pytest

from hpsearch.nn import Affine, Network, ReLU, TwoLayerNet
from hpsearch.nn.gradient_check import gradient_error, numerical_gradient

D, H, K = 5, 4, 3
PENALISED = np.r_[0 : D * H, D * H + H : D * H + H + H * K]  # columns of weights, without biases


class WrongAffine(Affine):
    """Has one derivative of one member wrong by 0.1 %."""

    def backward(self, d: np.ndarray, *, need_input: bool) -> np.ndarray | None:
        back = super().backward(d, need_input=need_input)
        self.db[1, 0, 0] *= 1.001
        return back


def make_network(n_members: int, initial_weights: str, dtype: str = "float64") -> Network:
    net = TwoLayerNet(hidden=H, initial_weights=initial_weights)
    network = net.build(D, K, n_members, dtype)
    for row in range(n_members):
        net.initialize(network, row, np.random.default_rng(row))
    return network


def make_batch(n_members: int, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(99)
    x = rng.standard_normal((n_members, n_images, D))
    return x, rng.integers(0, K, (n_members, n_images))


CASES = list(product((1, 5), (1, 2, 7), ("he", "normal")))


@pytest.mark.parametrize(("n_members", "n_images", "initial_weights"), CASES)
def test_analytic_gradient_is_the_numerical_one(
    n_members: int, n_images: int, initial_weights: str
) -> None:
    network = make_network(n_members, initial_weights)
    assert gradient_error(network, *make_batch(n_members, n_images)) < 1e-7


@pytest.mark.parametrize("n_members", [1, 5])
def test_the_gradient_where_numbers_are_predicted_is_the_numerical_one(n_members: int) -> None:
    net = TwoLayerNet(hidden=H)  # with the loss of classes, which is not asked for
    network = net.build(D, 0, n_members, "float64")
    for row in range(n_members):
        net.initialize(network, row, np.random.default_rng(row))
    x, _ = make_batch(n_members, 7)
    numbers = np.random.default_rng(3).standard_normal((n_members, 7))
    assert network.w.shape[1] == D * H + H + H + 1
    assert gradient_error(network, x, numbers) < 1e-7


@pytest.mark.parametrize("kind", ["l2", "l1"])
@pytest.mark.parametrize(("n_members", "n_images", "initial_weights"), CASES)
def test_a_weight_penalty_is_the_gradient_of_its_loss_term(
    n_members: int, n_images: int, initial_weights: str, kind: str
) -> None:
    network = make_network(n_members, initial_weights)
    network.w += 0.1  # biases of 0 would hide a penalty on them
    x, labels = make_batch(n_members, n_images)
    decay = np.linspace(0.1, 0.9, n_members)[:, None]
    network.loss_and_gradient(x, labels)
    (network.add_weight_penalty if kind == "l2" else network.add_absolute_penalty)(decay)
    analytic = network.g.copy()
    step = 1e-5

    def objective() -> np.ndarray:
        w = network.w[:, PENALISED]
        term = (w**2 / 2 if kind == "l2" else np.abs(w)).sum(axis=1)
        loss: np.ndarray = network.loss_and_gradient(x, labels) + decay[:, 0] * term
        return loss

    numerical = np.empty_like(analytic)
    for column in range(network.w.shape[1]):
        network.w[:, column] += step
        above = objective()
        network.w[:, column] -= 2 * step
        numerical[:, column] = (above - objective()) / (2 * step)
        network.w[:, column] += step
    assert np.abs(analytic - numerical).max() < 1e-7 * np.abs(numerical).max()


def test_a_gradient_wrong_in_one_place_is_seen() -> None:
    network = Network([Affine(D, H), ReLU(), WrongAffine(H, K)], 2, np.float64)
    network.w += np.random.default_rng(0).standard_normal(network.w.shape)
    assert gradient_error(network, *make_batch(2, 3)) > 1e-5


def test_numerical_gradient_puts_the_weights_back() -> None:
    network = make_network(2, "he")
    before = network.w.copy()
    numerical_gradient(network, *make_batch(2, 3))
    assert np.array_equal(network.w, before)


def test_float32_is_refused() -> None:
    network = make_network(1, "he", "float32")
    with pytest.raises(ValueError, match="must have a float64 network, got float32"):
        gradient_error(network, *make_batch(1, 2))
