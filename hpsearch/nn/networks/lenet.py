"""LeNet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from hpsearch.hyperparameters import hyperparameter
from hpsearch.nn import initializers
from hpsearch.nn.activations import ReLU
from hpsearch.nn.affine import Affine
from hpsearch.nn.base import Layer
from hpsearch.nn.convolution import BatchLast, Convolution, Flatten, MaxPooling
from hpsearch.nn.networks.base import Architecture

KERNEL = 5
SMALLEST_SIDE = 16  # leaves 1 x 1 behind two convolutions of 5 x 5, each pooled


@dataclass(frozen=True)
class LeNet(Architecture):
    """Two convolutions of 5 x 5, each with 2 x 2 max pooling, a hidden layer of ReLU, K outputs.

    D inputs are taken as a square grey image, or as three square channels one after the other:
    at most one of D and D/3 is a square number.

    Source: LeCun et al. 1998, in the form of Caffe's MNIST example: no activation behind the
    convolutions, initial weights uniform with deviation sqrt(1 / fan_in).
    """

    initial_weights: str = hyperparameter(
        "xavier-fan-in",
        choices=tuple(initializers.INITIAL_WEIGHTS),
        why="Caffe's for this network",
    )
    initial_distribution: str = hyperparameter(
        "uniform", choices=initializers.DISTRIBUTIONS, why="Caffe's for this network"
    )
    filters1: int = hyperparameter(
        20, low=1, unit="filters", why="Caffe's, of the first convolution", shared=True
    )
    filters2: int = hyperparameter(
        50, low=1, unit="filters", why="Caffe's, of the second convolution", shared=True
    )
    hidden: int = hyperparameter(500, low=1, unit="units", why="Caffe's", shared=True)
    first_is_affine: ClassVar[bool] = False
    trains_alone: ClassVar[bool] = True
    images_scored_together: ClassVar[int] = 50  # 46 KB of activations each; 10 % faster than 500

    def layers(self, n_inputs: int, n_classes: int) -> list[Layer]:
        channels, side = image_shape(n_inputs)
        last = ((side - KERNEL + 1) // 2 - KERNEL + 1) // 2
        return [
            BatchLast(channels, side, side),
            Convolution(channels, self.filters1, KERNEL),
            MaxPooling(),
            Convolution(self.filters1, self.filters2, KERNEL),
            MaxPooling(),
            Flatten(),
            Affine(self.filters2 * last * last, self.hidden),
            ReLU(),
            Affine(self.hidden, n_classes),
        ]


def image_shape(n_inputs: int) -> tuple[int, int]:
    """Channels and side of the square images that n_inputs numbers are.

    Raises:
        ValueError: neither n_inputs nor a third of it is a square, or the images are too small.
    """
    for channels in (1, 3):
        side = math.isqrt(n_inputs // channels)
        if channels * side * side != n_inputs:
            continue
        if side < SMALLEST_SIDE:
            raise ValueError(
                f"lenet must have images of at least {SMALLEST_SIDE} x {SMALLEST_SIDE}, "
                f"got {side} x {side}"
            )
        return channels, side
    raise ValueError(
        "lenet must have square images of 1 or 3 channels as inputs, "
        f"got {n_inputs} numbers per example"
    )
