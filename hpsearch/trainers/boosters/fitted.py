"""A grown ensemble as a file to predict with: its library's own, with our description inside."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.boosters.base import Library
from hpsearch.trainers.boosters.ensemble import Ensemble
from hpsearch.trainers.fitted_estimator import EstimatorFile


@dataclass(frozen=True)
class FittedBooster:
    """One ensemble for inputs as the data set has them.

    Attributes:
        model: the grown ensemble.
        n_inputs, n_classes, scale, dtype, threshold, positive: as in EstimatorFile.
    """

    model: Ensemble
    n_inputs: int
    n_classes: int
    scale: float
    dtype: str
    threshold: float | None = None
    positive: int = 1

    def with_threshold(self, threshold: float, positive: int) -> FittedBooster:
        """The same, which takes rows for the positive class from this probability on."""
        return replace(self, threshold=threshold, positive=positive)

    @property
    def file_name(self) -> str:
        return self.model.library.file_name

    def to_bytes(self, classes: tuple[str, ...], example: NDArray[Any]) -> bytes:
        """The file."""
        library = self.model.library
        said = EstimatorFile(
            n_inputs=self.n_inputs,
            n_classes=self.n_classes,
            scale=self.scale,
            dtype=self.dtype,
            classes=classes,
            probabilities=self.n_classes > 0,
            versions=library.versions(),
            example=example,
            threshold=self.threshold,
            positive=self.positive,
        )
        text = asdict(said) | {
            "example": example.tolist(),
            "example_dtype": example.dtype.name,
            "seen": self.model.classes_.tolist(),
        }
        return library.write(self.model.to_bytes(), json.dumps(text))


@dataclass(frozen=True)
class ReadBooster:
    """An ensemble from its file, which predicts as scikit-learn's estimators do.

    Attributes:
        classes_: (K,) those it was trained on; none where it predicts numbers.
    """

    library: Library
    model: Any
    classes_: NDArray[np.int64]

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Classes or numbers, (N,)."""
        if not len(self.classes_):
            return self.library.values(self.model, x)
        predicted: NDArray[np.int64] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return predicted

    def predict_proba(self, x: NDArray[Any]) -> NDArray[Any]:
        """(N, K), of the classes in `classes_`."""
        return self.library.probabilities(self.model, x)


def read_description(library: Library, path: str | Path) -> EstimatorFile:
    """What such a file says of itself."""
    said = _said(library, Path(path).read_bytes())
    example = np.array(said.pop("example"), dtype=said.pop("example_dtype"))
    del said["seen"]
    return EstimatorFile(**said | {"classes": tuple(said["classes"])}, example=example)


def load_booster(library: Library, path: str | Path) -> ReadBooster:
    """The ensemble of such a file; reading it runs nothing."""
    content = Path(path).read_bytes()
    seen = np.array(_said(library, content)["seen"], np.int64)
    return ReadBooster(library, library.loads(content, classifies=len(seen) > 0), seen)


def _said(library: Library, content: bytes) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(library.description(content))
    return said
