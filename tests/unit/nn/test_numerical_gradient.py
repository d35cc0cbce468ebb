"""Incremental numerical gradients against the plain loops over every weight."""

from __future__ import annotations

import numpy as np
import pytest

from hpsearch.nn import NETWORKS, MultiLayerNet, Network, TwoLayerNet
from hpsearch.nn.gradient_check import numerical_gradient
from hpsearch.nn.networks import Architecture
from hpsearch.nn.numerical_gradient import NumericalGradient

D, K, STEP = 6, 3, 1e-4
TOLERANCE = 7e-12  # a loss below 2 is rounded to 2e-16: 1e-12 over 2h, for each of the losses

ARCHITECTURES: dict[str, Architecture] = {
    "two layers": TwoLayerNet(hidden=5),
    "two layers, squared error": TwoLayerNet(hidden=5, loss="mean-squared-error"),
    "one hidden unit": TwoLayerNet(hidden=1),
    "no layer": MultiLayerNet(hidden_layers=1, hidden=1),
    "relu": MultiLayerNet(hidden=5, hidden_layers=3, width_ratio=0.8),
    "sigmoid": MultiLayerNet(hidden=4, hidden_layers=2, activation="sigmoid"),
    "tanh": MultiLayerNet(hidden=4, hidden_layers=3, activation="tanh"),
}


def made(described: Architecture, n_members: int = 2, dtype: str = "float64") -> Network:
    network = described.build(D, K, n_members, dtype)
    for row in range(n_members):
        described.initialize(network, row, np.random.default_rng(row))
        described.set_member(network, row, np.random.default_rng(row))
    network.w += 0.05 * np.random.default_rng(7).standard_normal(network.w.shape)  # biases too
    return network


def batch(n_members: int, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Images with inputs of 0, one of them in all images, and of either sign."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-0.5, 1, (n_members, n_images, D))
    x[rng.random(x.shape) < 0.3] = 0
    x[:, :, 2] = 0
    return x, rng.integers(0, K, (n_members, n_images))


def incremental(
    network: Network, x: np.ndarray, labels: np.ndarray, log_offset: float = 0.0
) -> np.ndarray:
    gradient = NumericalGradient(network)
    for row in range(len(x)):
        gradient.fill(row, x[row], labels[row], step=STEP, log_offset=log_offset)
    return network.g.copy()


@pytest.mark.parametrize("n_images", [1, 2, 7])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_is_the_quotient_of_the_plain_loops(name: str, n_images: int) -> None:
    network = made(ARCHITECTURES[name])
    x, labels = batch(2, n_images)
    wanted = numerical_gradient(network, x, labels, step=STEP)
    assert np.abs(incremental(network, x, labels) - wanted).max() < TOLERANCE


@pytest.mark.parametrize("layer", [0, 2])
def test_a_unit_that_crosses_its_kink_is_no_exception(layer: int) -> None:
    described = MultiLayerNet(hidden=5, hidden_layers=3)
    network = made(described, n_members=1)
    x, labels = batch(1, 4)
    # Unit 3 of a hidden layer is moved to just above 0 for image 1.
    inputs = x[0]
    for before in network.layers[: 3 * layer]:
        inputs = before.columns(0, inputs.T.copy()).T
    affine = network.layers[3 * layer]
    a = (inputs @ affine.w[0] + affine.b[0])[1, 3]  # type: ignore[attr-defined]
    affine.b[0, 0, 3] += STEP / 3 - a  # type: ignore[attr-defined]
    wanted = numerical_gradient(network, x, labels, step=STEP)
    assert np.abs(incremental(network, x, labels) - wanted).max() < TOLERANCE
    network.gradient(x, labels)
    assert np.abs(network.g - wanted).max() > 1e-3


def test_the_loss_may_have_an_offset_in_its_logarithm() -> None:
    network = made(TwoLayerNet(hidden=5), n_members=1)
    network.w *= 4  # probabilities far below the offset
    x, labels = batch(1, 3)
    w1, b1 = network.layers[0].w[0], network.layers[0].b[0]  # type: ignore[attr-defined]
    w2, b2 = network.layers[2].w[0], network.layers[2].b[0]  # type: ignore[attr-defined]

    def loss(offset: float) -> float:
        z = np.exp(np.maximum(x[0] @ w1 + b1, 0) @ w2 + b2)
        y = z / z.sum(axis=1, keepdims=True)
        return float(-np.log(y[np.arange(3), labels[0]] + offset).mean())

    def loops(offset: float) -> np.ndarray:
        wanted = []
        for i in range(network.w.size):
            kept, losses = network.w[0, i], []
            for sign in (1, -1):
                network.w[0, i] = kept + sign * STEP
                losses.append(loss(offset))
            network.w[0, i] = kept
            wanted.append((losses[0] - losses[1]) / (2 * STEP))
        return np.array(wanted)

    assert np.abs(incremental(network, x, labels, 1e-2)[0] - loops(1e-2)).max() < TOLERANCE
    assert np.abs(loops(1e-2) - loops(0)).max() > 1e-3


def test_an_input_without_ink_has_exactly_no_gradient() -> None:
    network = made(TwoLayerNet(hidden=5))
    incremental(network, *batch(2, 7))
    first = network.layers[0].dw  # type: ignore[attr-defined]
    assert (first[:, 2] == 0).all()
    assert (first[:, [0, 1, 3, 4, 5]] != 0).any(axis=2).all()


def test_a_float32_network_gets_the_quotients_of_float64() -> None:
    single, double = made(TwoLayerNet(hidden=5), dtype="float32"), made(TwoLayerNet(hidden=5))
    double.w[...] = single.w
    x, labels = batch(2, 3)
    x = x.astype(np.float32).astype(np.float64)
    found = incremental(single, x.astype(np.float32), labels)
    assert np.array_equal(found, incremental(double, x, labels).astype(np.float32))


def test_it_fills_the_row_of_its_member_alone() -> None:
    network = made(TwoLayerNet(hidden=5), n_members=3)
    x, labels = batch(3, 2)
    whole = incremental(network, x, labels)
    before, network.g[...] = network.w.copy(), 9
    NumericalGradient(network).fill(1, x[1], labels[1], step=STEP)
    assert np.array_equal(network.g[1], whole[1])
    assert (network.g[[0, 2]] == 9).all()
    assert np.array_equal(network.w, before)


def test_any_portions_give_the_same_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    x, labels = batch(2, 7)
    for described in ARCHITECTURES.values():
        network = made(described)
        whole = incremental(network, x, labels)
        with monkeypatch.context() as patched:
            patched.setattr("hpsearch.nn.numerical_gradient.CACHED", 1)
            assert np.abs(incremental(network, x, labels) - whole).max() < 1e-11


@pytest.mark.parametrize(
    ("described", "got"),
    [
        (MultiLayerNet(hidden_layers=1, batch_norm=True), "Affine, BatchNorm, ReLU, Affine"),
        (MultiLayerNet(hidden_layers=1, dropout=0.5), "Affine, ReLU, Dropout, Affine"),
    ],
)
def test_other_layers_are_refused(described: Architecture, got: str) -> None:
    with pytest.raises(ValueError, match=f"activations between them, got {got}"):
        NumericalGradient(made(described))


def test_convolutions_are_refused() -> None:
    network = NETWORKS["lenet"]().build(256, K, 1, np.float64)
    with pytest.raises(ValueError, match="got BatchLast, Convolution"):
        NumericalGradient(network)
