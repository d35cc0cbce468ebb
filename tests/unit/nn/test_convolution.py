"""Layers of images against their definitions, evaluated by SciPy or pixel by pixel."""

import numpy as np
import pytest
from scipy.signal import correlate

from hpsearch.nn import BatchLast, Convolution, Flatten, MaxPooling


def convolution(n_members: int, channels: int, filters: int, kernel: int) -> Convolution:
    layer = Convolution(channels, filters, kernel)
    weights = np.random.default_rng(0).standard_normal((n_members, layer.n_params))
    layer.bind(weights, np.empty_like(weights))
    return layer


@pytest.mark.parametrize(("height", "width"), [(5, 5), (8, 11)])
def test_convolution_is_a_correlation_with_each_members_kernels(height: int, width: int) -> None:
    layer = convolution(2, 3, 4, 5)
    x = np.random.default_rng(1).standard_normal((2, 3, height, width, 6))
    y = layer.forward(x)
    kernels = layer.w.reshape(2, 4, 5, 3, 5).swapaxes(2, 3)  # (P, F, C, k, k)
    for p, f, n in np.ndindex(2, 4, 6):
        wanted = correlate(x[p, ..., n], kernels[p, f], mode="valid")[0] + layer.b[p, f]
        assert np.allclose(y[p, f, ..., n], wanted, rtol=1e-12)


def test_a_weight_penalty_sees_the_kernels_and_not_the_biases() -> None:
    layer = convolution(2, 3, 4, 5)
    ((weights, gradients),) = layer.weight_views()
    assert weights is layer.w
    assert gradients is layer.dw


def test_kernels_are_drawn_by_what_a_filter_sees_and_feeds() -> None:
    asked = []

    def draw(shape: tuple[int, ...], fan_in: int, fan_out: int) -> np.ndarray:
        asked.append((fan_in, fan_out))
        return np.ones(shape)

    layer = convolution(2, 3, 4, 5)
    layer.initialize(1, draw)
    assert asked == [(3 * 25, 4 * 25)]
    assert (layer.w[1] == 1).all()
    assert not layer.b[1].any()


def test_pooling_takes_the_maximum_and_leaves_out_odd_ends() -> None:
    x = np.random.default_rng(1).standard_normal((2, 3, 5, 7, 4))
    y = MaxPooling().forward(x)
    assert y.shape == (2, 3, 2, 3, 4)
    for h, w in np.ndindex(2, 3):
        window = x[:, :, 2 * h : 2 * h + 2, 2 * w : 2 * w + 2]
        assert np.array_equal(y[:, :, h, w], window.max(axis=(2, 3)))


def test_among_equals_only_one_pixel_gets_the_gradient() -> None:
    layer = MaxPooling()
    layer.forward(np.zeros((1, 1, 4, 4, 1)))
    dx = layer.backward(np.arange(1.0, 5).reshape(1, 1, 2, 2, 1), need_input=True)
    assert dx is not None
    assert dx[0, 0, ..., 0].tolist() == [[1, 0, 2, 0], [0] * 4, [3, 0, 4, 0], [0] * 4]


def test_images_and_columns_have_one_order_of_pixels() -> None:
    x = np.random.default_rng(1).standard_normal((2, 5, 2 * 3 * 4))
    images = BatchLast(2, 3, 4).forward(x)
    assert np.array_equal(images[1, :, :, :, 3], x[1, 3].reshape(2, 3, 4))
    assert np.array_equal(BatchLast(2, 3, 4).columns(1, np.ascontiguousarray(x[1].T)), images[1])
    assert np.array_equal(Flatten().forward(images), x)
