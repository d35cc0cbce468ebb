"""A trained network as a file to predict with: numbers and a description, nothing that runs."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.hyperparameters import ParamValue, build
from hpsearch.nn import NETWORKS, Architecture
from hpsearch.nn.base import Array
from hpsearch.nn.losses import Loss, loss_named
from hpsearch.nn.targets import AS_THEY_ARE, TargetScale


@dataclass(frozen=True)
class FittedNetwork:
    """One network's weights for its inputs as the data set has them.

    Attributes:
        params: the network's name and hyperparameters; others beside them do no harm.
        n_inputs, n_classes: D and K; K is 0 where it predicts numbers, with one output.
        scale: inputs are divided by it before use.
        weights: (n,), as in Network.w.
        statistics: (m,), as in Network.statistics.
        threshold: the probability from which on a row is taken for the positive one of two
            classes; None: the likelier class counts.
        positive: the number of that class.
        targets: what makes its output a number in the units of the data.
    """

    file_name: ClassVar[str] = "weights.npz"

    params: Mapping[str, ParamValue]
    n_inputs: int
    n_classes: int
    scale: float
    weights: Array
    statistics: Array
    threshold: float | None = None
    positive: int = 1
    targets: TargetScale = AS_THEY_ARE

    def with_threshold(self, threshold: float, positive: int) -> FittedNetwork:
        """The same, which takes rows for the positive class from this probability on."""
        return replace(self, threshold=threshold, positive=positive)

    @property
    def loss(self) -> type[Loss]:
        """What it was trained with, which says what its outputs mean."""
        return loss_named(self._described().loss, self.n_classes)

    def _described(self) -> Architecture:
        return build(NETWORKS[str(self.params.get("network", "two-layer"))], self.params)

    def logits(self, inputs: NDArray[Any]) -> Array:
        """The outputs (N, K) for inputs (N, D), one portion after the other."""
        described = self._described()
        dtype = self.weights.dtype
        network = described.build(self.n_inputs, self.n_classes, 1, dtype)
        network.w[0], network.statistics[0] = self.weights, self.statistics
        precision = np.dtype(np.float32) if inputs.dtype == np.uint8 else dtype
        n = described.images_scored_together
        portions = [
            np.divide(inputs[i : i + n], self.scale, dtype=precision).astype(dtype)
            for i in range(0, len(inputs), n)
        ]
        made = [network.logits(0, np.ascontiguousarray(x.T)).T.copy() for x in portions]
        return np.concatenate(made) if made else np.empty((0, self.n_classes or 1), dtype)

    def numbers(self, inputs: NDArray[Any]) -> NDArray[np.float64]:
        """What it predicts for inputs (N, D), (N,), in the units of the data."""
        return self.targets.in_units(self.logits(inputs)[:, 0])

    def to_bytes(self, classes: tuple[str, ...], example: NDArray[Any]) -> bytes:
        """An .npz file, without pickle.

        Args:
            classes: their names, () for numbers.
            example: some inputs (N, D), to show what they look like.
        """
        said = {
            "params": dict(self.params),
            "n_inputs": self.n_inputs,
            "n_classes": self.n_classes,
            "scale": self.scale,
            "classes": list(classes),
        }
        if self.threshold is not None:
            said |= {"threshold": self.threshold, "positive": self.positive}
        if not self.n_classes:
            said["targets"] = asdict(self.targets)
        file = io.BytesIO()
        np.savez(
            file,
            said=np.frombuffer(json.dumps(said).encode(), np.uint8),
            weights=self.weights,
            statistics=self.statistics,
            example=example,
        )
        return file.getvalue()


@dataclass(frozen=True)
class SavedNetwork:
    """What such a file holds."""

    network: FittedNetwork
    classes: tuple[str, ...]
    example: NDArray[Any]

    @classmethod
    def load(cls, path: str) -> SavedNetwork:
        """Read a file of `FittedNetwork.to_bytes`."""
        with np.load(path, allow_pickle=False) as saved:
            said = json.loads(saved["said"].tobytes())
            classes = tuple(said.pop("classes"))
            targets = TargetScale(**said.pop("targets", {}))
            network = FittedNetwork(
                **said,
                targets=targets,
                weights=saved["weights"],
                statistics=saved["statistics"],
            )
            return cls(network, classes, saved["example"])
