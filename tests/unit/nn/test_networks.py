"""Networks: the flat arrays, and that members never mix."""

import numpy as np
import pytest

from hpsearch.nn import NETWORKS, Architecture, LeNet, MultiLayerNet, Network, TwoLayerNet
from hpsearch.nn.affine import Affine
from hpsearch.nn.networks.lenet import image_shape


def built(n_members: int, dtype: str = "float32") -> Network:
    net = TwoLayerNet(hidden=6)
    network = net.build(9, 4, n_members, dtype)
    for row in range(n_members):
        net.initialize(network, row, np.random.default_rng(row))
    return network


def batch(n_members: int, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((n_members, n_images, 9)).astype(np.float32)
    return x, rng.integers(0, 4, (n_members, n_images))


def test_a_row_holds_all_parameters_of_a_member() -> None:
    assert built(3).w.shape == (3, 9 * 6 + 6 + 6 * 4 + 4)


def test_layers_hold_views_into_the_flat_arrays() -> None:
    network = built(2)
    first = network.layers[0]
    assert isinstance(first, Affine)
    assert np.shares_memory(first.w, network.w)
    assert np.shares_memory(first.dw, network.g)


def test_biases_start_at_zero() -> None:
    network = built(2)
    for layer in (network.layers[0], network.layers[2]):
        assert isinstance(layer, Affine)
        assert not layer.b.any()


@pytest.mark.parametrize("n_images", [1, 2, 7])
def test_a_member_has_the_same_gradient_bits_alone(n_images: int) -> None:
    together = built(8)
    x, labels = batch(8, n_images)
    loss = together.loss_and_gradient(x, labels).copy()
    for row in range(8):
        alone = built(1)
        alone.w[0] = together.w[row]
        assert alone.loss_and_gradient(x[row : row + 1], labels[row : row + 1])[0] == loss[row]
        assert np.array_equal(alone.g[0], together.g[row])


def test_a_short_mini_batch_leaves_nothing_of_a_longer_one_behind() -> None:
    used, fresh = built(2), built(2)
    used.loss_and_gradient(*batch(2, 7))
    used.loss_and_gradient(*batch(2, 3))
    fresh.loss_and_gradient(*batch(2, 3))
    assert np.array_equal(used.g, fresh.g)


def test_logits_in_columns_agree_with_the_training_pass() -> None:
    network = built(2, "float64")
    x = np.random.default_rng(0).standard_normal((2, 5, 9))
    forward: np.ndarray = x
    for layer in network.layers:
        forward = layer.forward(forward)
    for row in range(2):
        columns = network.logits(row, np.ascontiguousarray(x[row].T))
        assert np.allclose(columns.T, forward[row], rtol=1e-13)


def test_inference_leaves_the_images_as_they_are() -> None:
    network = built(1)
    x = np.random.default_rng(0).standard_normal((9, 5)).astype(np.float32)
    before = x.copy()
    network.logits(0, x)
    assert np.array_equal(x, before)


def test_shrinking_leaves_the_biases() -> None:
    network = built(2)
    network.w[:] = 1
    network.shrink_weights(np.array([[0.5], [0.25]], np.float32))
    first, _, last = network.layers
    for layer in (first, last):
        assert isinstance(layer, Affine)
        assert (layer.w[0] == 0.5).all()
        assert (layer.w[1] == 0.25).all()
        assert (layer.b == 1).all()


# Small ones of each kind, for 400 inputs: 20 x 20 pixels.
SMALL: dict[str, Architecture] = {
    "two-layer": TwoLayerNet(hidden=6),
    "multi-layer": MultiLayerNet(hidden=6, hidden_layers=3, batch_norm=True, dropout=0.4),
    "lenet": LeNet(filters1=2, filters2=3, hidden=4),
}


def test_the_table_holds_every_network() -> None:
    assert set(SMALL) == set(NETWORKS)


def started(described: Architecture, seeds: list[int], dtype: str = "float32") -> Network:
    network = described.build(400, 4, len(seeds), dtype)
    for row, seed in enumerate(seeds):
        described.set_member(network, row, np.random.default_rng((seed, 1)))
        described.initialize(network, row, np.random.default_rng(seed))
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_draws_the_same_weights(name: str) -> None:
    network = started(SMALL[name], [1, 1, 2])
    assert np.array_equal(network.w[0], network.w[1])
    assert not np.array_equal(network.w[0], network.w[2])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_members", [8, 32])
def test_a_member_of_any_network_has_the_same_bits_alone(name: str, n_members: int) -> None:
    together = started(SMALL[name], list(range(n_members)))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_members, 7, 400)).astype(np.float32)
    labels = rng.integers(4, size=(n_members, 7))
    loss = together.loss_and_gradient(x.copy(), labels)
    for row in range(0, n_members, 5):
        alone, own = started(SMALL[name], [row]), slice(row, row + 1)
        assert alone.loss_and_gradient(x[own].copy(), labels[own])[0] == loss[row]
        assert np.array_equal(alone.g[0], together.g[row])
        columns = np.ascontiguousarray(x[row].T)
        assert np.array_equal(alone.logits(0, columns), together.logits(row, columns))


# PyTorch 2.13.0, float64, one thread: torch.nn.Sequential of the same layers (BatchNorm1d with
# its own defaults), every parameter set from 0.5 cos(0), 0.5 cos(1), ... in our flat order
# (affine weights by input, then output; kernels by filter, row, channel, column), inputs
# sin(0), sin(1), ..., labels 0, 1, ... K - 1, 0, ...; losses of 4 steps of optim.SGD at 0.1
# (cross_entropy, or half the squared distance from one_hot, mean over the batch), then the
# outputs of the first image after .eval().
REFERENCES = {
    "batch norm": (
        MultiLayerNet(hidden=4, hidden_layers=2, activation="tanh", batch_norm=True),
        (5, 3, 2),
        [0.934642085952, 0.65609843812, 0.618236750869, 0.587982895233],
        [-0.179456910358, 0.066271078964],
    ),
    "batch norm, squared error": (
        MultiLayerNet(
            hidden=4,
            hidden_layers=2,
            activation="tanh",
            batch_norm=True,
            loss="mean-squared-error",
        ),
        (5, 3, 2),
        [0.92828919281, 0.569943155184, 0.435584359733, 0.339511869624],
        [0.200806853363, 0.374705911338],
    ),
    "sigmoid, 4 and 2 units": (
        MultiLayerNet(hidden=4, hidden_layers=2, width_ratio=0.5, activation="sigmoid"),
        (5, 3, 2),
        [0.720618954464, 0.713660983186, 0.707780105414, 0.702812043982],
        [0.035474112899, 0.073008697795],
    ),
    "lenet of 3 channels": (
        LeNet(filters1=2, filters2=3, hidden=4),
        (4, 1200, 3),
        [1.21188076834, 1.19615016307, 1.158360947805, 1.104273062809],
        [0.056930439952, -0.13944755854, -0.097863023969],
    ),
    "lenet of 3 channels, squared error": (
        LeNet(filters1=2, filters2=3, hidden=4, loss="mean-squared-error"),
        (4, 1200, 3),
        [0.511032497213, 0.470749151522, 0.419298778615, 0.398794142038],
        [0.135455953308, 0.197502826918, 0.251994167832],
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_training_is_pytorchs(name: str) -> None:
    described, (n_images, n_inputs, n_classes), losses, outputs = REFERENCES[name]
    network = described.build(n_inputs, n_classes, 1, "float64")
    network.w[0] = 0.5 * np.cos(np.arange(network.w.shape[1]))
    x = np.sin(np.arange(n_images * n_inputs)).reshape(1, n_images, n_inputs)
    labels = np.arange(n_images)[None] % n_classes
    for wanted in losses:
        assert network.loss_and_gradient(x, labels)[0] == pytest.approx(wanted, abs=1e-11)
        network.w -= 0.1 * network.g
    assert network.logits(0, x[0, :1].T.copy())[:, 0] == pytest.approx(outputs, abs=1e-11)


@pytest.mark.parametrize(
    ("described", "widths"),
    [
        (MultiLayerNet(hidden=100, hidden_layers=3), [100, 100, 100]),
        (MultiLayerNet(hidden=100, hidden_layers=3, width_ratio=0.5), [100, 50, 25]),
        (MultiLayerNet(hidden=2, hidden_layers=4, width_ratio=0.1), [2, 1, 1, 1]),
    ],
)
def test_hidden_layers_narrow_by_the_width_ratio(
    described: MultiLayerNet, widths: list[int]
) -> None:
    assert described.widths() == widths


def test_lenet_of_mnist_has_its_published_number_of_parameters() -> None:
    assert LeNet().build(784, 10, 1, "float32").w.shape == (1, 431_080)


@pytest.mark.parametrize(("n_inputs", "shape"), [(784, (1, 28)), (3072, (3, 32)), (256, (1, 16))])
def test_images_are_square_with_1_or_3_channels(n_inputs: int, shape: tuple[int, int]) -> None:
    assert image_shape(n_inputs) == shape


@pytest.mark.parametrize(
    ("n_inputs", "message"),
    [
        (785, "square images of 1 or 3 channels as inputs, got 785 numbers"),
        (64, "images of at least 16 x 16, got 8 x 8"),
    ],
)
def test_other_images_are_refused_by_lenet(n_inputs: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LeNet().build(n_inputs, 10, 1, "float32")
