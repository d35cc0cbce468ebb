"""Compare analytic and numerical gradients of every network: run it after changing a layer.

    .venv/bin/python scripts/gradient_check.py
Prints the largest relative error of each network in float64; exit code 1 above 1e-7.
"""

import sys

import numpy as np

from hpsearch.nn import NETWORKS
from hpsearch.nn.gradient_check import gradient_error

MEMBERS, BATCH, INPUTS, CLASSES = 3, 5, 7, 4
LIMIT = 1e-7


def main() -> int:
    worst = 0.0
    rng = np.random.default_rng(0)
    x = rng.standard_normal((MEMBERS, BATCH, INPUTS))
    labels = rng.integers(CLASSES, size=(MEMBERS, BATCH))
    for name, kind in NETWORKS.items():
        described = kind()
        network = described.build(INPUTS, CLASSES, MEMBERS, np.float64)
        for row in range(MEMBERS):
            described.initialize(network, row, rng)
        error = gradient_error(network, x, labels)
        print(f"{name:<12} {error:.1e}")
        worst = max(worst, error)
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
