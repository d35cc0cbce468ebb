"""Dropout."""

from __future__ import annotations

import numpy as np

from hpsearch.nn.base import Array, Buffers, Layer, refuse_empty

STEPS = 1 << 16  # a rate is a multiple of 1 / STEPS: a mask costs 16 random bits a unit


class Dropout(Layer):
    """While training, each unit is 0 with probability `rate`, else x / (1 - rate).

    The inverted form: the mean is x, so inference uses the units as they are. Every member has
    its own rate, and draws its masks from its own generator, only where its rate is above 0: its
    bits depend on nobody else, and at rate 0 on no dropout at all.

    Source: Srivastava et al. 2014, section 10 for the inverted form.
    """

    def __init__(self) -> None:
        self._buffers = Buffers()

    def bind(self, weights: Array, gradients: Array) -> None:
        self._generators: list[np.random.Generator | None] = [None] * len(weights)
        self._drops = False  # whether any member does
        self._threshold = np.zeros((len(weights), 1, 1), np.uint16)
        self._scale = np.ones((len(weights), 1, 1), weights.dtype)

    def set_member(self, row: int, rate: float, rng: np.random.Generator) -> None:
        """Give member `row` its rate, in [0, 1), and the generator of its masks."""
        threshold = min(round(rate * STEPS), STEPS - 1)
        self._threshold[row] = threshold
        self._scale[row] = STEPS / (STEPS - threshold)
        self._generators[row] = rng if threshold else None
        self._drops = any(found is not None for found in self._generators)

    def forward(self, x: Array) -> Array:
        refuse_empty(x, axis=1)
        self._mask = self._draw(x) if self._drops else None
        if self._mask is None:
            return x
        y = self._buffers.get("y", x.shape, x)
        return np.multiply(x, self._mask, out=y)

    def _draw(self, x: Array) -> Array:
        """0 or 1 / (1 - rate) for every unit of every member, in x's shape."""
        n_units = x[0].size
        n_words = -(-n_units // 4)  # a random word of 64 bits serves four units
        words = np.empty((len(x), n_words), np.uint64)
        for row, rng in enumerate(self._generators):
            if rng is not None:
                words[row] = rng.bit_generator.random_raw(n_words)
        bits = words.view(np.uint16)[:, :n_units].reshape(x.shape)
        mask = self._buffers.get("mask", x.shape, x)
        return np.multiply(bits >= self._threshold, self._scale, out=mask)

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        if self._mask is not None:
            d *= self._mask
        return d

    def columns(self, row: int, x: Array) -> Array:
        return x
