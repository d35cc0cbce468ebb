"""Small neural networks in NumPy, trained as whole populations.

Shape letters: P members of a population, B mini-batch, N images, D inputs, H hidden, K classes,
C channels; of images H and W are height and width.
"""

from hpsearch.nn.activations import ACTIVATIONS, ReLU, Sigmoid, Tanh
from hpsearch.nn.affine import Affine
from hpsearch.nn.base import Layer
from hpsearch.nn.batch_norm import BatchNorm
from hpsearch.nn.convolution import BatchLast, Convolution, Flatten, MaxPooling
from hpsearch.nn.dropout import Dropout
from hpsearch.nn.losses import LOSSES, MeanSquaredError, SoftmaxCrossEntropy
from hpsearch.nn.networks import (
    NETWORKS,
    Architecture,
    LeNet,
    MultiLayerNet,
    Network,
    TwoLayerNet,
)

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "NETWORKS",
    "Affine",
    "Architecture",
    "BatchLast",
    "BatchNorm",
    "Convolution",
    "Dropout",
    "Flatten",
    "Layer",
    "LeNet",
    "MaxPooling",
    "MeanSquaredError",
    "MultiLayerNet",
    "Network",
    "ReLU",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Tanh",
    "TwoLayerNet",
]
