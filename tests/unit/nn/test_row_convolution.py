"""Minimal filtering against the definition of a convolution, and its choice."""

import numpy as np
import pytest

from hpsearch.nn import Convolution
from hpsearch.nn.base import Buffers
from hpsearch.nn.row_convolution import (
    POINTS,
    Shifts,
    Winograd,
    minimal_filtering,
    row_convolution,
)

PAIRS = [(m, k) for m in (2, 4) for k in range(2, 8) if m + k - 2 <= len(POINTS)]


@pytest.mark.parametrize(("m", "k"), PAIRS)
def test_minimal_filtering_slides_the_weights_over_the_inputs(m: int, k: int) -> None:
    a, g, b = minimal_filtering(m, k, np.dtype(np.float64))
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal(k), rng.standard_normal(m + k - 1)
    y = a.T @ ((g @ w) * (b @ x))
    assert np.allclose(y, np.correlate(x, w, mode="valid"), rtol=1e-12, atol=1e-12)


def convolved(
    monkeypatch: pytest.MonkeyPatch, chosen: type, outputs: int, kernel: int, dtype: str
) -> list[np.ndarray]:
    """Outputs, those of inference, and the gradients of one layer, by the algorithm `chosen`."""

    def always(channels: int, kernel: int, width: int, buffers: Buffers) -> Shifts | Winograd:
        return (
            Winograd(kernel, outputs, buffers) if chosen is Winograd else Shifts(kernel, buffers)
        )

    monkeypatch.setattr("hpsearch.nn.convolution.row_convolution", always)
    rng = np.random.default_rng(1)
    layer = Convolution(20, 30, kernel)
    weights = (0.05 * rng.standard_normal((2, layer.n_params))).astype("float32").astype(dtype)
    layer.bind(weights, np.empty_like(weights))
    x = rng.standard_normal((2, 20, kernel + 2, kernel + 7, 8)).astype("float32").astype(dtype)
    y = layer.forward(x).copy()
    d = rng.standard_normal(y.shape).astype("float32").astype(dtype)
    dx = layer.backward(d, need_input=True)
    assert dx is not None
    return [y, dx.copy(), layer.dw, layer.db, layer.columns(1, x[1]).copy()]


@pytest.mark.parametrize(("m", "k"), PAIRS)
def test_both_algorithms_agree(m: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shifts = convolved(monkeypatch, Shifts, m, k, "float64")
    for got, wanted in zip(convolved(monkeypatch, Winograd, m, k, "float64"), shifts, strict=True):
        assert np.abs(got - wanted).max() < 1e-12 * np.abs(wanted).max()


def test_rounding_errors_are_a_few_times_those_of_shifts(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = convolved(monkeypatch, Shifts, 4, 5, "float64")
    errors = [
        [np.sqrt(np.mean((got - wanted) ** 2)) for got, wanted in zip(some, exact, strict=True)]
        for some in (
            convolved(monkeypatch, Shifts, 4, 5, "float32"),
            convolved(monkeypatch, Winograd, 4, 5, "float32"),
        )
    ]
    ours, plain = errors[::-1]
    assert (np.divide(ours, plain) < 8).all()


@pytest.mark.parametrize(
    ("channels", "kernel", "width", "wanted"),
    [
        (20, 5, 12, (Winograd, 4)),  # LeNet's second convolution, of MNIST
        (20, 5, 14, (Winograd, 2)),  # and of CIFAR-10
        (20, 5, 13, (Shifts, None)),
        (1, 5, 28, (Shifts, None)),
        (20, 6, 13, (Winograd, 2)),
        (7, 3, 6, (Winograd, 4)),  # those of test_layers.py
        (10, 2, 7, (Winograd, 2)),
        (20, 8, 11, (Shifts, None)),
        (20, 1, 4, (Shifts, None)),
    ],
)
def test_minimal_filtering_is_chosen_where_it_saves(
    channels: int, kernel: int, width: int, wanted: tuple[type, int | None]
) -> None:
    chosen = row_convolution(channels, kernel, width, Buffers())
    assert (type(chosen), getattr(chosen, "n_outputs", None)) == wanted
