"""Small neural networks in NumPy, trained as whole populations.

Shape letters: P members of a population, B mini-batch, N images, D inputs, H hidden, K classes.
"""

from hpsearch.nn.activations import ReLU
from hpsearch.nn.affine import Affine
from hpsearch.nn.base import Layer
from hpsearch.nn.networks import NETWORKS, Network, TwoLayerNet

__all__ = ["NETWORKS", "Affine", "Layer", "Network", "ReLU", "TwoLayerNet"]
