"""The numerical gradient, to check the analytic one against."""

from __future__ import annotations

import numpy as np

from hpsearch.nn.base import Array
from hpsearch.nn.networks import Labels, Network


def numerical_gradient(network: Network, x: Array, labels: Labels, *, step: float = 1e-5) -> Array:
    """Central differences (L(w + h) - L(w - h)) / 2h of every parameter, (P, n).

    Args:
        network: in float64; its weights are moved and put back.
        x: (P, B, D) inputs.
        labels: (P, B) classes.
        step: h; 1e-5 balances truncation (h^2) against rounding (1e-16 / h).
    """
    numerical = np.zeros_like(network.w)
    for column in range(network.w.shape[1]):
        kept = network.w[:, column].copy()
        network.w[:, column] = kept + step
        above = network.loss_and_gradient(x, labels)
        network.w[:, column] = kept - step
        below = network.loss_and_gradient(x, labels)
        network.w[:, column] = kept
        numerical[:, column] = (above - below) / (2 * step)
    return numerical


def gradient_error(network: Network, x: Array, labels: Labels) -> float:
    """The largest difference between analytic and numerical gradient, relative to the largest.

    Run it on a new layer or loss before anything is trained with it; below 1e-7 is right.

    Raises:
        ValueError: the network is not in float64, where rounding would hide a wrong gradient.
    """
    if network.w.dtype != np.float64:
        raise ValueError(f"gradient_error must have a float64 network, got {network.w.dtype}")
    network.loss_and_gradient(x, labels)
    analytic = network.g.copy()
    numerical = numerical_gradient(network, x, labels)
    scale = max(float(np.abs(analytic).max()), float(np.abs(numerical).max()), 1e-12)
    return float(np.abs(analytic - numerical).max()) / scale
