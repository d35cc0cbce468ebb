"""The numerical gradient, to check the analytic one against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hpsearch.nn.base import Array
from hpsearch.nn.networks import Labels, Network


def numerical_gradient(network: Network, x: Array, labels: Labels, *, step: float = 1e-5) -> Array:
    """Central differences (L(w + h) - L(w - h)) / 2h of every parameter, (P, n).

    Args:
        network: in float64; its weights are moved and put back. Every loss is taken with the
            same dropout masks: those that its generators give next.
        x: (P, B, D) inputs.
        labels: (P, B) classes.
        step: h; 1e-5 balances truncation (h^2) against rounding (1e-16 / h).
    """
    numerical, put_back = np.zeros_like(network.w), _keep(network)

    def loss() -> Array:
        put_back()
        return network.mean_loss(x, labels)

    for column in range(network.w.shape[1]):
        kept = network.w[:, column].copy()
        network.w[:, column] = kept + step
        above = loss()
        network.w[:, column] = kept - step
        below = loss()
        network.w[:, column] = kept
        numerical[:, column] = (above - below) / (2 * step)
    put_back()
    return numerical


def _keep(network: Network) -> Callable[[], None]:
    """Remember what a training step changes beside weights and gradients, to put it back."""
    statistics = network.statistics.copy()
    generators = [g.bit_generator for g in network.mask_generators if g is not None]
    states = [generator.state for generator in generators]

    def put_back() -> None:
        network.statistics[...] = statistics
        for generator, state in zip(generators, states, strict=True):
            generator.state = state

    return put_back


def gradient_error(network: Network, x: Array, labels: Labels) -> float:
    """The largest difference between analytic and numerical gradient, relative to the largest.

    Run it on a new layer or loss before anything is trained with it; below 1e-7 is right.

    Raises:
        ValueError: the network is not in float64, where rounding would hide a wrong gradient.
    """
    if network.w.dtype != np.float64:
        raise ValueError(f"gradient_error must have a float64 network, got {network.w.dtype}")
    put_back = _keep(network)
    network.loss_and_gradient(x, labels)
    analytic = network.g.copy()
    put_back()
    numerical = numerical_gradient(network, x, labels)
    scale = max(float(np.abs(analytic).max()), float(np.abs(numerical).max()), 1e-12)
    return float(np.abs(analytic - numerical).max()) / scale
