"""What bench_core.py compares hpsearch's core with: PyTorch, scikit-learn, and textbook loops.

Every peer is a function that makes a `step(x, labels)`: one training step on a mini-batch, as a
careful user of that tool writes it. Networks are ReLU, softmax cross-entropy, He initial weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]
Step = Callable[[Floats, Labels], None]


def he(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, dtype: DTypeLike) -> Floats:
    """Normal weights with standard deviation sqrt(2 / fan_in)."""
    return (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(dtype)


class Textbook:
    """The two-layer network as a textbook writes it, in the given dtype, with plain SGD."""

    def __init__(self, hidden: int, rate: float, dtype: DTypeLike, n_inputs: int = 784) -> None:
        rng = np.random.default_rng(0)
        self.w1, self.b1 = he(rng, (n_inputs, hidden), n_inputs, dtype), np.zeros(hidden, dtype)
        self.w2, self.b2 = he(rng, (hidden, 10), hidden, dtype), np.zeros(10, dtype)
        self.rate = self.w1.dtype.type(rate)

    def step(self, x: Floats, y: Labels) -> None:
        """One step of backpropagation and SGD."""
        a = np.maximum(x @ self.w1 + self.b1, 0)
        p = softmax(a @ self.w2 + self.b2)
        p[np.arange(len(y)), y] -= 1
        p /= len(y)
        d = (p @ self.w2.T) * (a > 0)
        gradients = (x.T @ d, d.sum(0), a.T @ p, p.sum(0))
        for w, g in zip((self.w1, self.b1, self.w2, self.b2), gradients, strict=True):
            w -= self.rate * g

    def accuracy(self, x: Floats, y: Labels) -> float:
        """Share of images it has right."""
        logits = np.maximum(x @ self.w1 + self.b1, 0) @ self.w2 + self.b2
        return float((softmax(logits).argmax(1) == y).mean())


def softmax(z: Floats) -> Floats:
    """Probabilities, (B, K)."""
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return p


class TextbookLeNet:
    """Convolutions by im2col on (N, C, H, W), float32, plain SGD."""

    def __init__(self, rate: float) -> None:
        rng, f = np.random.default_rng(0), np.float32
        shapes = [(20, 25), (50, 20 * 25), (800, 500), (500, 10)]
        fans = [25, 500, 800, 500]
        self.w = [he(rng, s, n, f) for s, n in zip(shapes, fans, strict=True)]
        self.b = [np.zeros(n, f) for n in (20, 50, 500, 10)]
        self.rate = f(rate)

    def step(self, x: Floats, y: Labels) -> None:
        """One step on images (N, 784)."""
        n = len(x)
        images = x.reshape(n, 1, 28, 28)
        c1, z1 = self._convolve(images, 0)
        p1, i1 = max_pool(z1)
        c2, z2 = self._convolve(p1, 1)
        p2, i2 = max_pool(z2)
        flat = p2.reshape(n, -1)
        a = np.maximum(flat @ self.w[2] + self.b[2], 0)
        p = softmax(a @ self.w[3] + self.b[3])
        p[np.arange(n), y] -= 1
        p /= n
        d = (p @ self.w[3].T) * (a > 0)
        d2 = un_pool((d @ self.w[2].T).reshape(p2.shape), i2, z2.shape)
        g2, columns = self._convolution_gradient(d2, c2, 1)
        d1 = un_pool(from_columns(columns, p1.shape), i1, z1.shape)
        g1, _ = self._convolution_gradient(d1, c1, 0)
        gw = (g1, g2, flat.T @ d, a.T @ p)
        gb = (d1.sum((0, 2, 3)), d2.sum((0, 2, 3)), d.sum(0), p.sum(0))
        for w, g in zip([*self.w, *self.b], [*gw, *gb], strict=True):
            w -= self.rate * g

    def _convolve(self, x: Floats, layer: int) -> tuple[Floats, Floats]:
        n, _, h, w = x.shape
        columns = to_columns(x)
        z = columns @ self.w[layer].T + self.b[layer]
        return columns, z.reshape(n, h - 4, w - 4, -1).transpose(0, 3, 1, 2)

    def _convolution_gradient(
        self, d: Floats, columns: Floats, layer: int
    ) -> tuple[Floats, Floats]:
        flat = d.transpose(0, 2, 3, 1).reshape(-1, d.shape[1])
        return flat.T @ columns, flat @ self.w[layer]


def to_columns(x: Floats) -> Floats:
    """im2col with a 5 x 5 kernel: (N, C, H, W) -> (N H' W', C 25)."""
    n, c, h, w = x.shape
    columns = np.empty((n, c, 5, 5, h - 4, w - 4), x.dtype)
    for i in range(5):
        for j in range(5):
            columns[:, :, i, j] = x[:, :, i : i + h - 4, j : j + w - 4]
    return columns.transpose(0, 4, 5, 1, 2, 3).reshape(n * (h - 4) * (w - 4), -1)


def from_columns(columns: Floats, shape: Sequence[int]) -> Floats:
    """col2im, the sum that im2col's gradient is."""
    n, c, h, w = shape
    parts = columns.reshape(n, h - 4, w - 4, c, 5, 5).transpose(0, 3, 4, 5, 1, 2)
    x = np.zeros((n, c, h, w), columns.dtype)
    for i in range(5):
        for j in range(5):
            x[:, :, i : i + h - 4, j : j + w - 4] += parts[:, :, i, j]
    return x


def max_pool(x: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """2 x 2 max pooling by im2col, and where each maximum was."""
    n, c, h, w = x.shape
    windows = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(-1, 4)
    chosen = windows.argmax(1)
    return windows.max(1).reshape(n, c, h // 2, w // 2), chosen


def un_pool(d: Floats, chosen: NDArray[np.intp], shape: Sequence[int]) -> Floats:
    """The gradient of `max_pool`."""
    n, c, h, w = shape
    windows = np.zeros((d.size, 4), d.dtype)
    windows[np.arange(d.size), chosen] = d.ravel()
    parts = windows.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return parts.reshape(n, c, h, w)


def torch_step(layers: str, optimizer: str, rate: float, n_inputs: int = 784) -> Step:
    """PyTorch eager on one thread; `layers` is "784-50-10", "deep" or "lenet"."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    nn = torch.nn
    if layers == "lenet":
        net = nn.Sequential(
            nn.Unflatten(1, (1, 28, 28)),
            nn.Conv2d(1, 20, 5),
            nn.MaxPool2d(2),
            nn.Conv2d(20, 50, 5),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(800, 500),
            nn.ReLU(),
            nn.Linear(500, 10),
        )
    elif layers == "deep":
        parts: list[Any] = []
        for n_in in (n_inputs, 100, 100, 100, 100):
            parts += [nn.Linear(n_in, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Dropout(0.2)]
        net = nn.Sequential(*parts, nn.Linear(100, 10))
    else:
        n_in, hidden, n_out = map(int, layers.split("-"))
        net = nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    opt, loss = make(net.parameters(), lr=rate), nn.CrossEntropyLoss()

    def step(x: Floats, y: Labels) -> None:
        opt.zero_grad()
        loss(net(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        opt.step()

    return step


def sklearn_step(hidden: int, rate: float, batch: int) -> Step:
    """MLPClassifier.partial_fit on one mini-batch."""
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier(
        (hidden,), solver="sgd", momentum=0.0, learning_rate_init=rate, batch_size=batch
    )

    def step(x: Floats, y: Labels) -> None:
        net.partial_fit(x, y, classes=np.arange(10))

    return step
