"""Networks: the flat arrays, and that members never mix."""

import numpy as np
import pytest

from hpsearch.nn import NETWORKS, Network, TwoLayerNet


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
    assert np.shares_memory(first.w, network.w)
    assert np.shares_memory(first.dw, network.g)


def test_biases_start_at_zero() -> None:
    network = built(2)
    assert not network.layers[0].b.any()
    assert not network.layers[2].b.any()


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
    forward = x
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
        assert (layer.w[0] == 0.5).all()
        assert (layer.w[1] == 0.25).all()
        assert (layer.b == 1).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_draws_the_same_weights(name: str) -> None:
    net = NETWORKS[name]()
    drawn = []
    for seed in (1, 1, 2):
        network = net.build(9, 4, 1, "float32")
        net.initialize(network, 0, np.random.default_rng(seed))
        drawn.append(network.w)
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
