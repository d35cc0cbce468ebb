"""How a convolution runs along the rows of its images: by shifts, or by minimal filtering."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from hpsearch.nn.base import Array, Buffers

# Finite points of evaluation: 0 and small powers of two, so that float32 holds A and B exactly.
POINTS = tuple(
    Fraction(n, d) for n, d in [(0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2)]
)
FEWEST_ROWS = 20  # of a product, C k: with fewer the transforms cost more than they save


class RowConvolution(ABC):
    """Turns a k x k convolution of images into k x 1 convolutions of planes.

    Images x (P, C, H, W, B) are spread over R planes a member, (P R, H, M, N), kernels w
    (P, F, k C k) likewise, (P R, F, k M). Then every output row of a plane is one product of its
    kernels with the k rows under it, a matrix (k M, N), and all products of a member's planes,
    (P R, F, H', N), give its outputs (P, F, H', W', B), where H' = H - k + 1 and W' = W - k + 1.
    Every step is linear, and has its transpose for the gradients.
    """

    def __init__(self, kernel: int, buffers: Buffers) -> None:
        self.kernel = kernel
        self._buffers = buffers

    @abstractmethod
    def planes(self, x: Array, use: str) -> Array:
        """(P, C, H, W, B) -> (P R, H, M, N); `use` keeps training and inference apart."""

    @abstractmethod
    def kernels(self, w: Array, use: str) -> Array:
        """(P, F, k C k) -> (P R, F, k M)."""

    @abstractmethod
    def outputs(self, products: Array, b: Array, n_images: int, use: str) -> Array:
        """(P R, F, H', N), which may be overwritten, and biases (P, F) -> (P, F, H', W', B)."""

    @abstractmethod
    def products_gradient(self, d: Array) -> Array:
        """d loss / d outputs (P, F, H', W', B) -> d loss / d products (P R, F, H', N)."""

    @abstractmethod
    def kernels_gradient(self, d: Array) -> Array:
        """d loss / d kernels, transposed (P R, k M, F) -> d loss / d w (P, F, k C k)."""

    @abstractmethod
    def input_gradient(self, d: Array, shape: tuple[int, ...]) -> Array:
        """d loss / d planes (P R, H, M, N) -> d loss / d x of this shape, (P, C, H, W, B)."""


class Shifts(RowConvolution):
    """One plane of k copies of the images, shifted by 0 ... k - 1 columns: M = C k, N = W' B.

    The usual im2col copies k^2 times.
    """

    def planes(self, x: Array, use: str) -> Array:
        p, c, height, width, n = x.shape
        k, out = self.kernel, width - self.kernel + 1
        shifted = self._buffers.get(f"{use} shifted", (p, height, c, k, out, n), x)
        for j in range(k):
            shifted[:, :, :, j] = x[:, :, :, j : j + out].swapaxes(1, 2)
        return shifted.reshape(p, height, c * k, out * n)

    def kernels(self, w: Array, use: str) -> Array:
        return w

    def outputs(self, products: Array, b: Array, n_images: int, use: str) -> Array:
        products += b[:, :, None, None]
        return products.reshape(*products.shape[:3], -1, n_images)

    def products_gradient(self, d: Array) -> Array:
        return d.reshape(*d.shape[:3], -1)

    def kernels_gradient(self, d: Array) -> Array:
        return d.swapaxes(1, 2)

    def input_gradient(self, d: Array, shape: tuple[int, ...]) -> Array:
        p, c, height, width, n = shape
        k, out = self.kernel, width - self.kernel + 1
        shifts = d.reshape(p, height, c, k, out, n).swapaxes(1, 2)  # (P, C, H, k, W', B)
        dx = self._buffers.get("dx", shape, d)
        dx[:, :, :, :out] = shifts[:, :, :, 0]
        dx[:, :, :, out:] = 0
        for j in range(1, k):
            dx[:, :, :, j : j + out] += shifts[:, :, :, j]
        return dx


class Winograd(RowConvolution):
    """Minimal filtering F(m, k): m outputs in a row with m + k - 1 multiplications, not m k.

    y = A^T ((G w) * (B x)) for m outputs y, k weights w and the m + k - 1 inputs x under them, a
    tile; * is elementwise, and here a product of matrices, of all channels and k rows: M = C,
    N = W' / m B, a plane for each of the R = m + k - 1 elements. Rounding errors are those of a
    plain product times 2 to 5 for the largest tiles, R = 8, and less below.

    Source: Winograd 1980, Arithmetic Complexity of Computations; Lavin and Gray 2016,
    arXiv:1509.09308, for convolutions; their B is the transpose of ours.
    """

    def __init__(self, kernel: int, outputs: int, buffers: Buffers) -> None:
        super().__init__(kernel, buffers)
        self.n_outputs, self.n_planes = outputs, outputs + kernel - 1

    def _matrices(self, like: Array) -> tuple[Array, Array, Array]:
        return minimal_filtering(self.n_outputs, self.kernel, like.dtype)

    def planes(self, x: Array, use: str) -> Array:
        p, c, height, width, n = x.shape
        per_row = (width - self.kernel + 1) // self.n_outputs
        shape = p, self.n_planes, height, c, per_row, n
        tiles = self._buffers.get("tiles", shape, x)
        by_row = x.swapaxes(1, 2)
        for j in range(self.n_planes):
            tiles[:, j] = by_row[:, :, :, self._inputs(j, per_row)]
        _, _, to_planes = self._matrices(x)
        planes = self._buffers.get(f"{use} planes", shape, x)
        self._mix(to_planes, tiles, planes)
        return planes.reshape(p * self.n_planes, height, c, per_row * n)

    def _inputs(self, j: int, per_row: int) -> slice:
        """Where the j-th inputs of all tiles of a row lie."""
        return slice(j, j + self.n_outputs * (per_row - 1) + 1, self.n_outputs)

    @staticmethod
    def _mix(matrix: Array, x: Array, out: Array) -> None:
        """out[p, i] = sum_j matrix[i, j] x[p, j], both contiguous."""
        p = len(x)
        np.matmul(matrix, x.reshape(p, matrix.shape[1], -1), out=out.reshape(p, len(matrix), -1))

    def kernels(self, w: Array, use: str) -> Array:
        p, filters, fan_in = w.shape
        k = self.kernel
        _, to_kernels, _ = self._matrices(w)
        kernels = self._buffers.get(f"{use} kernels", (p, self.n_planes, filters * fan_in // k), w)
        np.matmul(to_kernels, w.reshape(p, -1, k).swapaxes(1, 2), out=kernels)
        return kernels.reshape(p * self.n_planes, filters, fan_in // k)

    def outputs(self, products: Array, b: Array, n_images: int, use: str) -> Array:
        p, (filters, rows, n) = len(b), products.shape[1:]
        from_products, _, _ = self._matrices(products)
        shape = p, self.n_outputs, filters, rows, n // n_images, n_images
        mixed = self._buffers.get("mixed", shape, products)
        self._mix(from_products.T, products.reshape(p, self.n_planes, -1), mixed)
        y = self._buffers.get(
            f"{use} y", (*shape[:1], *shape[2:5], self.n_outputs, n_images), products
        )
        np.add(np.moveaxis(mixed, 1, 4), b[:, :, None, None, None, None], out=y)
        return y.reshape(p, filters, rows, -1, n_images)

    def products_gradient(self, d: Array) -> Array:
        p, filters, rows, width, n = d.shape
        per_row = width // self.n_outputs
        mixed = self._buffers.get("mixed", (p, self.n_outputs, filters, rows, per_row, n), d)
        mixed[...] = np.moveaxis(d.reshape(p, filters, rows, per_row, self.n_outputs, n), 4, 1)
        from_products, _, _ = self._matrices(d)
        products = self._buffers.get(
            "training products", (p * self.n_planes, filters, rows, per_row * n), d
        )
        self._mix(from_products, mixed, products.reshape(p, self.n_planes, -1))
        return products

    def kernels_gradient(self, d: Array) -> Array:
        p, (rows, filters) = len(d) // self.n_planes, d.shape[1:]
        _, to_kernels, _ = self._matrices(d)
        dw: Array = np.matmul(to_kernels.T, d.reshape(p, self.n_planes, -1))
        return (
            dw.reshape(p, self.kernel, rows, filters).transpose(0, 3, 2, 1).reshape(p, filters, -1)
        )

    def input_gradient(self, d: Array, shape: tuple[int, ...]) -> Array:
        p, c, height, width, n = shape
        per_row = (width - self.kernel + 1) // self.n_outputs
        _, _, to_planes = self._matrices(d)
        tiles = self._buffers.get("tiles", (p, self.n_planes, height, c, per_row, n), d)
        self._mix(to_planes.T, d.reshape(p, self.n_planes, -1), tiles)
        dx = self._buffers.get("dx", shape, d)
        by_row = dx.swapaxes(1, 2)
        dx[:, :, :, self.n_outputs * per_row :] = 0
        for j in range(self.n_planes):
            inputs = by_row[:, :, :, self._inputs(j, per_row)]
            if j < self.n_outputs:
                inputs[...] = tiles[:, j]
            else:
                inputs += tiles[:, j]
        return dx


def row_convolution(channels: int, kernel: int, width: int, buffers: Buffers) -> RowConvolution:
    """The faster of both for images so wide and of so many channels."""
    if channels * kernel >= FEWEST_ROWS:
        for outputs in (4, 2):
            enough_points = outputs + kernel - 2 <= len(POINTS)
            if kernel > 1 and enough_points and (width - kernel + 1) % outputs == 0:
                return Winograd(kernel, outputs, buffers)
    return Shifts(kernel, buffers)


@cache
def minimal_filtering(m: int, k: int, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """A (R, m), G (R, k) and B (R, R) of y = A^T ((G w) * (B x)), R = m + k - 1; read only.

    The transpose of Toom and Cook's product of polynomials of degrees k - 1 and m - 1, whose
    values at R points, the last at infinity, are multiplied and interpolated.
    """
    points = POINTS[: m + k - 2]
    a, g, b = [], [], []
    for p in points:
        others = [q for q in points if q != p]
        a.append([p**i for i in range(m)])
        g.append([p**i / math.prod(p - q for q in others) for i in range(k)])
        b.append([*_coefficients(others), Fraction(0)])
    a.append([Fraction(i == m - 1) for i in range(m)])
    g.append([Fraction(i == k - 1) for i in range(k)])
    b.append(_coefficients(points))
    return _constant(a, dtype), _constant(g, dtype), _constant(b, dtype)


def _constant(rows: list[list[Fraction]], dtype: np.dtype[Any]) -> Array:
    matrix = np.array(rows, dtype=float).astype(dtype)
    matrix.flags.writeable = False
    return matrix


def _coefficients(roots: Sequence[Fraction]) -> list[Fraction]:
    """Of the product of t - q over the roots q, from t^0 up."""
    coefficients = [Fraction(1)]
    for q in roots:
        higher, lower = [Fraction(0), *coefficients], [*coefficients, Fraction(0)]
        coefficients = [h - q * low for h, low in zip(higher, lower, strict=True)]
    return coefficients
