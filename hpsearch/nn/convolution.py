"""Layers of images, (P, C, H, W, B): the mini-batch last, so that every copy is in long runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from hpsearch.nn.base import Array, Buffers, Layer, refuse_empty
from hpsearch.nn.row_convolution import RowConvolution, row_convolution


class BatchLast(Layer):
    """(P, B, C H W) -> (P, C, H, W, B): from a table's rows to images with the mini-batch last.

    Images in columns, (C H W, N), lie in that order already: there it is a free reshape.

    Raises:
        ValueError: a side or the number of channels below 1, or an empty mini-batch.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        if min(channels, height, width) < 1:
            raise ValueError(
                "images must have at least 1 channel, row and column, "
                f"got {channels} x {height} x {width}"
            )
        self.shape = channels, height, width
        self._buffers = Buffers()

    def forward(self, x: Array) -> Array:
        refuse_empty(x, axis=1)
        n_members, n_images, n_inputs = x.shape
        images = self._buffers.get("images", (n_members, n_inputs, n_images), x)
        images[...] = x.swapaxes(1, 2)
        return images.reshape(n_members, *self.shape, n_images)

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        return d.reshape(len(d), -1, d.shape[-1]).swapaxes(1, 2) if need_input else None

    def columns(self, row: int, x: Array) -> Array:
        return x.reshape(*self.shape, x.shape[1])


class Flatten(Layer):
    """(P, C, H, W, B) -> (P, B, C H W), for the affine layers behind."""

    def __init__(self) -> None:
        self._buffers = Buffers()

    def forward(self, x: Array) -> Array:
        refuse_empty(x, axis=4)
        self._shape = x.shape
        n_members, n_images = x.shape[0], x.shape[-1]
        features = x.reshape(n_members, -1, n_images)
        y = self._buffers.get("y", (n_members, n_images, features.shape[1]), x)
        y[...] = features.swapaxes(1, 2)
        return y

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        n_members, n_images, n_features = d.shape
        dx = self._buffers.get("dx", (n_members, n_features, n_images), d)
        dx[...] = d.swapaxes(1, 2)
        return dx.reshape(self._shape)

    def columns(self, row: int, x: Array) -> Array:
        return x.reshape(-1, x.shape[-1])


class Convolution(Layer):
    """y[f, h, w] = b[f] + sum_cij W[f, i, c, j] x[c, h + i, w + j]: kernels of k x k, stride 1.

    W is (P, F, k, C, k), b (P, F); (P, C, H, W, B) -> (P, F, H - k + 1, W - k + 1, B).

    The k rows under a row of outputs are one matrix, and the convolution is one product a row, of
    overlapping views; `RowConvolution` says what is in a row. The input gradient goes the same way
    back: a product a row, and a sum over the k rows that a row of inputs lies under.

    Raises:
        ValueError: no channel or filter, a kernel below 1 or larger than the images, or an empty
            mini-batch.
    """

    def __init__(self, channels: int, filters: int, kernel: int) -> None:
        if min(channels, filters, kernel) < 1:
            raise ValueError(
                "a convolution must have at least 1 channel, filter and kernel row, "
                f"got {channels}, {filters} and {kernel}"
            )
        self.channels, self.filters, self.kernel = channels, filters, kernel
        self._fan_in = channels * kernel * kernel
        self.n_params = filters * self._fan_in + filters
        self._buffers = Buffers()

    def bind(self, weights: Array, gradients: Array) -> None:
        self.w, self.b = self._split(weights)
        self.dw, self.db = self._split(gradients)

    def _split(self, flat: Array) -> tuple[Array, Array]:
        n = self.filters * self._fan_in
        return flat[:, :n].reshape(-1, self.filters, self._fan_in), flat[:, n:]

    def weight_views(self) -> list[tuple[Array, Array]]:
        return [(self.w, self.dw)]

    def initialize(self, row: int, draw: Any) -> None:
        fan_out = self.filters * self.kernel**2
        self.w[row] = draw((self.filters, self._fan_in), self._fan_in, fan_out)
        self.b[row] = 0

    def forward(self, x: Array) -> Array:
        refuse_empty(x, axis=4)
        self._x_shape, self._along = x.shape, self._along_rows(x)
        self._blocks = _row_blocks(self._along.planes(x, "training"), self.kernel)
        self._kernels = self._along.kernels(self.w, "training")
        products = self._products(self._kernels, self._blocks, "training")
        return self._along.outputs(products, self.b, x.shape[-1], "training")

    def columns(self, row: int, x: Array) -> Array:
        one, along = slice(row, row + 1), self._along_rows(x[None])
        blocks = _row_blocks(along.planes(x[None], "columns"), self.kernel)
        products = self._products(along.kernels(self.w[one], "columns"), blocks, "columns")
        y: Array = along.outputs(products, self.b[one], x.shape[-1], "columns")[0]
        return y

    def _along_rows(self, x: Array) -> RowConvolution:
        _, c, height, width, _ = x.shape
        if c != self.channels or min(height, width) < self.kernel:
            raise ValueError(
                f"images must have {self.channels} channels of at least "
                f"{self.kernel} x {self.kernel}, got {c} of {height} x {width}"
            )
        return row_convolution(c, self.kernel, width, self._buffers)

    def _products(self, kernels: Array, blocks: Array, use: str) -> Array:
        shape = len(blocks), self.filters, blocks.shape[1], blocks.shape[3]
        products = self._buffers.get(f"{use} products", shape, blocks)
        np.matmul(kernels[:, None], blocks, out=products.swapaxes(1, 2))
        return products

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        np.sum(d.reshape(*d.shape[:2], -1), axis=2, out=self.db)
        by_row = self._along.products_gradient(d).swapaxes(1, 2)
        # Blocks times d^T: a fifth faster than d times blocks^T.
        parts = self._buffers.get("dw", (*self._blocks.shape[:3], self.filters), d)
        np.matmul(self._blocks, by_row.swapaxes(2, 3), out=parts)
        self.dw[...] = self._along.kernels_gradient(parts.sum(axis=1))
        return self._input_gradient(by_row) if need_input else None

    def _input_gradient(self, d: Array) -> Array:
        """From d loss / d products by row, (P R, H', F, N)."""
        blocks = self._buffers.get("d blocks", self._blocks.shape, d)
        np.matmul(self._kernels.swapaxes(1, 2)[:, None], d, out=blocks)
        n_planes, rows, under, n = blocks.shape
        height, m = self._x_shape[2], under // self.kernel
        planes = self._buffers.get("d planes", (n_planes, height, m, n), d)
        planes[:, :rows] = blocks[:, :, :m]
        planes[:, rows:] = 0
        for i in range(1, self.kernel):
            planes[:, i : i + rows] += blocks[:, :, i * m : (i + 1) * m]
        return self._along.input_gradient(planes, self._x_shape)


def _row_blocks(planes: Array, k: int) -> Array:
    """Each k rows on from (Q, H, m, n) as one matrix, (Q, H - k + 1, k m, n): views, read only."""
    n_planes, height, m, n = planes.shape
    item = planes.itemsize
    strides = (height * m * n * item, m * n * item, n * item, item)
    return as_strided(planes, (n_planes, height - k + 1, k * m, n), strides, writeable=False)


class MaxPooling(Layer):
    """The maximum of every window of 2 x 2; of an odd side the last row or column is left out.

    The gradient goes to the maximum; among equals to the left, then to the upper one.

    (P, C, H, W, B) -> (P, C, H // 2, W // 2, B).

    Raises:
        ValueError: images below 2 x 2, or an empty mini-batch.
    """

    def __init__(self) -> None:
        self._buffers = Buffers()

    def forward(self, x: Array) -> Array:
        refuse_empty(x, axis=4)
        self._x_shape = x.shape
        upper, lower = self._rows(x)
        self._lower_wins = lower > upper
        rows = self._buffers.get("rows", upper.shape, x)
        np.maximum(upper, lower, out=rows)
        left, right = self._pairs(rows)
        self._right_wins = right > left
        return np.maximum(left, right, out=self._buffers.get("y", left.shape, x))

    def _rows(self, x: Array) -> tuple[Array, Array]:
        """The upper and the lower rows of all windows, without an odd last row or column."""
        height, width = x.shape[-3] // 2 * 2, x.shape[-2] // 2 * 2
        if min(height, width) < 2:
            raise ValueError(
                f"images to pool must have at least 2 x 2 pixels, "
                f"got {x.shape[-3]} x {x.shape[-2]}"
            )
        return x[..., 0:height:2, :width, :], x[..., 1:height:2, :width, :]

    @staticmethod
    def _pairs(rows: Array) -> tuple[Array, Array]:
        return rows[..., 0::2, :], rows[..., 1::2, :]

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        rows = self._buffers.get("d rows", self._lower_wins.shape, d)
        left, right = self._pairs(rows)
        np.multiply(d, self._right_wins, out=right)
        np.subtract(d, right, out=left)  # d or exactly 0
        dx = self._buffers.get("dx", self._x_shape, d)
        upper, lower = self._rows(dx)
        np.multiply(rows, self._lower_wins, out=lower)
        np.subtract(rows, lower, out=upper)
        dx[..., 2 * upper.shape[-3] :, :, :] = 0
        dx[..., upper.shape[-2] :, :] = 0
        return dx

    def columns(self, row: int, x: Array) -> Array:
        rows = np.maximum(*self._rows(x))
        return np.maximum(*self._pairs(rows))
