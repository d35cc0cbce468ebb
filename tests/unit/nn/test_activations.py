"""Activation functions at the places where they bend."""

import math

import numpy as np

from hpsearch.nn import ReLU, Sigmoid, Tanh


def test_relu_cuts_below_zero() -> None:
    assert ReLU().forward(np.array([[[-2.0, 0.0, 3.0]]])).tolist() == [[[0, 0, 3]]]


def test_relu_gradient_is_zero_at_zero() -> None:
    layer = ReLU()
    layer.forward(np.array([[[-2.0, 0.0, 3.0]]]))
    d = layer.backward(np.ones((1, 1, 3)), need_input=True)
    assert d is not None
    assert d.tolist() == [[[0, 0, 1]]]


def test_relu_lets_nan_through() -> None:
    assert np.isnan(ReLU().forward(np.array([[[np.nan]]]))).all()


def test_relu_in_columns_is_the_same_function() -> None:
    assert ReLU().columns(0, np.array([[-1.0, 2.0]])).tolist() == [[0, 2]]


def test_sigmoid_and_tanh_are_those_of_the_math_module() -> None:
    x = [-30.0, -2.0, 0.0, 0.5, 30.0]
    sigmoid = Sigmoid().forward(np.array([[x]]))[0, 0]
    tanh = Tanh().forward(np.array([[x]]))[0, 0]
    assert np.allclose(sigmoid, [1 / (1 + math.exp(-v)) for v in x], rtol=1e-14)
    assert np.allclose(tanh, [math.tanh(v) for v in x], rtol=1e-14)


def test_sigmoid_of_large_inputs_is_0_or_1_without_a_warning() -> None:
    y = Sigmoid().forward(np.array([[[-1e30, 1e30]]], np.float32))
    assert y.tolist() == [[[0, 1]]]
