"""Networks: what a study file's [network] may name.

Adding one is: a module, its test, a line in the catalogue below.
"""

from __future__ import annotations

from hpsearch.nn.losses import Labels
from hpsearch.nn.networks.base import Added, Architecture, Network
from hpsearch.nn.networks.lenet import LeNet
from hpsearch.nn.networks.multi_layer import MultiLayerNet
from hpsearch.nn.networks.two_layer import TwoLayerNet

__all__ = [
    "NETWORKS",
    "Added",
    "Architecture",
    "Labels",
    "LeNet",
    "MultiLayerNet",
    "Network",
    "TwoLayerNet",
]

NETWORKS: dict[str, type[Architecture]] = {
    "two-layer": TwoLayerNet,
    "multi-layer": MultiLayerNet,
    "lenet": LeNet,
}
