"""Activation functions at the places where they bend."""

import numpy as np

from hpsearch.nn import ReLU


def test_relu_cuts_below_zero() -> None:
    assert ReLU().forward(np.array([[[-2.0, 0.0, 3.0]]])).tolist() == [[[0, 0, 3]]]


def test_relu_gradient_is_zero_at_zero() -> None:
    layer = ReLU()
    layer.forward(np.array([[[-2.0, 0.0, 3.0]]]))
    d = layer.backward(np.ones((1, 1, 3)), need_input=True)
    assert d.tolist() == [[[0, 0, 1]]]


def test_relu_lets_nan_through() -> None:
    assert np.isnan(ReLU().forward(np.array([[[np.nan]]]))).all()


def test_relu_in_columns_is_the_same_function() -> None:
    assert ReLU().columns(0, np.array([[-1.0, 2.0]])).tolist() == [[0, 2]]
