"""Affine layers: shapes, what is refused, and the same numbers in both directions of the data."""

import numpy as np
import pytest

from hpsearch.nn import Affine


def bound(n_members: int, n_in: int, n_out: int) -> tuple[Affine, np.ndarray]:
    layer = Affine(n_in, n_out)
    weights = np.random.default_rng(0).standard_normal((n_members, layer.n_params))
    gradients = np.empty_like(weights)
    layer.bind(weights, gradients)
    return layer, gradients


@pytest.mark.parametrize(("n_in", "n_out"), [(0, 3), (3, 0)])
def test_a_layer_without_inputs_or_outputs_is_refused(n_in: int, n_out: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 input and output, got {n_in} x {n_out}"):
        Affine(n_in, n_out)


def test_an_empty_mini_batch_is_refused() -> None:
    layer, _ = bound(2, 3, 4)
    with pytest.raises(ValueError, match="a mini-batch must have at least 1 image, got 0"):
        layer.forward(np.empty((2, 0, 3)))


def test_forward_multiplies_each_member_by_its_own_weights() -> None:
    layer, _ = bound(2, 3, 4)
    x = np.random.default_rng(1).standard_normal((2, 5, 3))
    y = layer.forward(x)
    for p in range(2):
        assert np.allclose(y[p], x[p] @ layer.w[p] + layer.b[p], rtol=1e-14)


def test_inference_in_columns_is_forward_transposed() -> None:
    layer, _ = bound(2, 3, 4)
    x = np.random.default_rng(1).standard_normal((2, 5, 3))
    y = layer.forward(x).copy()
    for p in range(2):
        assert np.allclose(layer.columns(p, np.ascontiguousarray(x[p].T)), y[p].T, rtol=1e-14)


@pytest.mark.parametrize("n_images", [1, 3])
def test_the_first_layer_leaves_out_its_input_gradient_only(n_images: int) -> None:
    layer, gradients = bound(2, 3, 4)
    rng = np.random.default_rng(1)
    x, d = rng.standard_normal((2, n_images, 3)), rng.standard_normal((2, n_images, 4))
    layer.forward(x)
    assert layer.backward(d, need_input=False) is None
    without = gradients.copy()
    below = layer.backward(d, need_input=True)
    assert below is not None
    assert below.shape == x.shape
    assert np.array_equal(gradients, without)


def test_a_weight_penalty_sees_the_weights_and_not_the_biases() -> None:
    layer, _ = bound(2, 3, 4)
    ((weights, gradients),) = layer.weight_views()
    assert weights is layer.w
    assert gradients is layer.dw
