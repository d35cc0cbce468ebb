"""Compare analytic and numerical gradients of every network: run it after changing a layer.

    .venv/bin/python benchmarks/gradient_check.py
Prints the largest relative error of each network in float64; exit code 1 above 1e-7.
"""

import sys

import numpy as np

from hpsearch.nn import NETWORKS, LeNet, MultiLayerNet
from hpsearch.nn.gradient_check import gradient_error

MEMBERS, BATCH, INPUTS, CLASSES = 3, 5, 256, 4
LIMIT = 1e-7
# Every parameter costs two training steps, so large networks are checked in a small version with
# all layers.
SMALL = {
    "multi-layer": MultiLayerNet(hidden=9, hidden_layers=3, batch_norm=True, dropout=0.3),
    "lenet": LeNet(filters1=2, filters2=3, hidden=5),
}


def main() -> int:
    worst = 0.0
    rng = np.random.default_rng(0)
    x = rng.standard_normal((MEMBERS, BATCH, INPUTS))
    labels = rng.integers(CLASSES, size=(MEMBERS, BATCH))
    for name, kind in NETWORKS.items():
        described = SMALL.get(name) or kind()
        network = described.build(INPUTS, CLASSES, MEMBERS, np.float64)
        for row in range(MEMBERS):
            described.set_member(network, row, rng.spawn(1)[0])
            described.initialize(network, row, rng)
        error = gradient_error(network, x, labels)
        print(f"{name:<12} {error:.1e}")
        worst = max(worst, error)
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
