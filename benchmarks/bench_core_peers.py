"""The peers of bench_core.py: PyTorch, scikit-learn, and textbook loops.

Every peer is a function that makes a `step(x, labels)`: one training step on a mini-batch, as a
careful user of that tool writes it. Networks are ReLU, softmax cross-entropy, He initial weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[Any]
Labels = NDArray[np.int64]
Step = Callable[[Floats, Labels], object]


def he(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, dtype: DTypeLike) -> Floats:
    """Normal weights with standard deviation sqrt(2 / fan_in)."""
    result: Floats = (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(dtype)
    return result


class Textbook:
    """The two-layer network as a textbook writes it, in the given dtype, with plain SGD."""

    def __init__(self, hidden: int, rate: float, dtype: DTypeLike, n_inputs: int = 784) -> None:
        self.inner = n_inputs != 784  # on top of other layers
        rng = np.random.default_rng(0)
        self.w1, self.b1 = he(rng, (n_inputs, hidden), n_inputs, dtype), np.zeros(hidden, dtype)
        self.w2, self.b2 = he(rng, (hidden, 10), hidden, dtype), np.zeros(10, dtype)
        self.rate = self.w1.dtype.type(rate)

    def step(self, x: Floats, y: Labels) -> Floats:
        """One step of backpropagation and SGD; returns dx where the input is another's output."""
        a = np.maximum(x @ self.w1 + self.b1, 0)
        p = softmax(a @ self.w2 + self.b2)
        p[np.arange(len(y)), y] -= 1
        p /= len(y)
        d = (p @ self.w2.T) * (a > 0)
        dx = d @ self.w1.T if self.inner else d
        gradients = (x.T @ d, d.sum(0), a.T @ p, p.sum(0))
        for w, g in zip((self.w1, self.b1, self.w2, self.b2), gradients, strict=True):
            w -= self.rate * g
        result: Floats = dx
        return result

    def accuracy(self, x: Floats, y: Labels) -> float:
        """Fraction of images that it classifies correctly."""
        logits = np.maximum(x @ self.w1 + self.b1, 0) @ self.w2 + self.b2
        return float((softmax(logits).argmax(1) == y).mean())


def softmax(z: Floats) -> Floats:
    """Probabilities, (B, K)."""
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    result: Floats = p
    return result


def im2col(x: Floats, size: int, stride: int) -> Floats:
    """Windows of (N, C, H, W) as rows, (N H' W', C size size)."""
    n, c, h, w = x.shape
    rows, columns = (h - size) // stride + 1, (w - size) // stride + 1
    col = np.zeros((n, c, size, size, rows, columns), x.dtype)
    for i in range(size):
        for j in range(size):
            part = x[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride]
            col[:, :, i, j] = part
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(n * rows * columns, -1)


def col2im(col: Floats, shape: Sequence[int], size: int, stride: int) -> Floats:
    """The sum that is im2col's gradient."""
    n, c, h, w = shape
    rows, columns = (h - size) // stride + 1, (w - size) // stride + 1
    parts = col.reshape(n, rows, columns, c, size, size).transpose(0, 3, 4, 5, 1, 2)
    x = np.zeros((n, c, h, w), col.dtype)
    for i in range(size):
        for j in range(size):
            x[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride] += parts[
                :, :, i, j
            ]
    return x


class TextbookConvolution:
    """A convolution layer by im2col, as a textbook writes it: every layer returns its dx."""

    def __init__(self, rng: np.random.Generator, filters: int, channels: int, size: int) -> None:
        self.w = he(rng, (filters, channels, size, size), channels * size * size, "f4")
        self.b = np.zeros(filters, "f4")
        self.size = size

    def forward(self, x: Floats) -> Floats:
        """(N, C, H, W) -> (N, F, H', W')."""
        self.shape, rows = x.shape, x.shape[2] - self.size + 1
        self.col = im2col(x, self.size, 1)
        out = self.col @ self.w.reshape(len(self.w), -1).T + self.b
        return out.reshape(len(x), rows, rows, -1).transpose(0, 3, 1, 2)

    def backward(self, d: Floats) -> Floats:
        """Store dw and db, return dx."""
        flat = d.transpose(0, 2, 3, 1).reshape(-1, len(self.w))
        self.db = flat.sum(0)
        self.dw = (self.col.T @ flat).T.reshape(self.w.shape)
        return col2im(flat @ self.w.reshape(len(self.w), -1), self.shape, self.size, 1)


class TextbookPooling:
    """2 x 2 max pooling by im2col, as a textbook writes it."""

    def forward(self, x: Floats) -> Floats:
        """(N, C, H, W) -> (N, C, H/2, W/2)."""
        n, c, h, w = x.shape
        col = im2col(x, 2, 2).reshape(-1, 4)
        self.shape, self.chosen = x.shape, col.argmax(axis=1)
        result: Floats = col.max(axis=1).reshape(n, h // 2, w // 2, c).transpose(0, 3, 1, 2)
        return result

    def backward(self, d: Floats) -> Floats:
        """The gradient, to where each maximum was."""
        d = d.transpose(0, 2, 3, 1)
        spread = np.zeros((d.size, 4), d.dtype)
        spread[np.arange(d.size), self.chosen] = d.flatten()
        col = spread.reshape(d.shape[0] * d.shape[1] * d.shape[2], -1)
        return col2im(col, self.shape, 2, 2)


class TextbookLeNet:
    """LeNet of textbook layers on (N, C, H, W), float32, plain SGD."""

    def __init__(self, rate: float) -> None:
        rng = np.random.default_rng(0)
        self.convolutions = [
            TextbookConvolution(rng, 20, 1, 5),
            TextbookConvolution(rng, 50, 20, 5),
        ]
        self.pools = [TextbookPooling(), TextbookPooling()]
        self.top = Textbook(500, rate, "f4", n_inputs=800)
        self.rate = np.float32(rate)

    def step(self, x: Floats, y: Labels) -> None:
        """One step on images (N, 784)."""
        z = x.reshape(-1, 1, 28, 28)
        for convolution, pool in zip(self.convolutions, self.pools, strict=True):
            z = pool.forward(convolution.forward(z))
        d = self.top.step(z.reshape(len(z), -1), y).reshape(z.shape)
        for convolution, pool in zip(self.convolutions[::-1], self.pools[::-1], strict=True):
            d = convolution.backward(pool.backward(d))
        for convolution in self.convolutions:
            convolution.w -= self.rate * convolution.dw
            convolution.b -= self.rate * convolution.db


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
