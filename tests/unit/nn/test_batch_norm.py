"""Batch normalisation: what the mini-batch decides, and what is remembered of it."""

import numpy as np
import pytest

from hpsearch.nn import BatchNorm


def bound(n_members: int, n: int = 4) -> BatchNorm:
    layer = BatchNorm(n)
    weights = np.zeros((n_members, layer.n_params))
    layer.bind(weights, np.zeros_like(weights))
    layer.bind_statistics(np.zeros((n_members, layer.n_statistics)))
    for row in range(n_members):
        layer.initialize(row, None)
    return layer


def images(n_members: int = 2, n_images: int = 50) -> np.ndarray:
    return np.random.default_rng(0).normal(5, 3, (n_members, n_images, 4))


def test_outputs_have_mean_beta_and_deviation_gamma() -> None:
    layer = bound(2)
    layer.gamma[1], layer.beta[1] = 2, 7
    y = layer.forward(images())
    for row, (gamma, beta) in enumerate([(1, 0), (2, 7)]):
        assert np.allclose(y[row].mean(axis=0), beta)
        assert np.allclose(y[row].std(axis=0), gamma, rtol=1e-5)


def test_running_statistics_come_to_those_of_the_data() -> None:
    layer, rng = bound(1), np.random.default_rng(1)
    layer.momentum[0] = 0.99
    for _ in range(2000):
        layer.forward(rng.normal(5, 3, (1, 4, 4)))
    # About 200 mini-batches of 4 count: 800 images, errors of 3/sqrt(800) and 9/sqrt(300).
    assert np.allclose(layer.mean, 5, atol=0.5)
    assert np.allclose(layer.variance, 9, atol=2)  # a biased one would come to 6.75


def test_momentum_is_each_members_own() -> None:
    layer, x = bound(2), images()
    layer.momentum[:, 0, 0] = 0.9, 0.5
    layer.forward(x.copy())
    assert np.allclose(layer.mean[0, 0], 0.1 * x[0].mean(axis=0))
    assert np.allclose(layer.mean[1, 0], 0.5 * x[1].mean(axis=0))


def test_a_mini_batch_of_one_image_leaves_the_running_statistics_alone() -> None:
    layer = bound(1)
    layer.forward(images(1, 1))
    assert (layer.mean == 0).all()
    assert (layer.variance == 1).all()


def test_inference_normalises_with_the_running_statistics() -> None:
    layer = bound(2)
    layer.mean[1], layer.variance[1] = 5, 9
    layer.gamma[1], layer.beta[1] = 2, 1
    y = layer.columns(1, np.full((4, 3), 8.0))
    assert y == pytest.approx(np.full((4, 3), 2 * (8 - 5) / 3 + 1), rel=1e-5)


def test_gamma_and_beta_are_not_decayed() -> None:
    assert bound(1).weight_views() == []
