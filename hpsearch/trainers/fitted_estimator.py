"""A fitted scikit-learn estimator as a file to predict with, without pickle.

skops writes it: a zip of arrays and a description of objects, of which only types on a list are
ever made. Ours is skops's own, of scikit-learn's public estimators, and what those hold inside.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import HpsearchError

SAID, EXAMPLE = "hpsearch.json", "example.npy"  # beside what skops puts into the zip
# Keys of no such file whose estimator's own prediction counts, which older versions read too.
UNDECIDED = ("example", "threshold", "positive")
PACKAGES = ("scikit-learn", "skops")  # an estimator is read by the versions that wrote it
# Inside fitted estimators and not on skops's list: losses, calibrations, kernels, trees, solvers.
TRUSTED = (
    "numpy.dtype",
    "sklearn._loss.",
    "sklearn.calibration.",
    "sklearn.ensemble._hist_gradient_boosting.",
    "sklearn.gaussian_process.",
    "sklearn.metrics._dist_metrics.",
    "sklearn.neighbors._ball_tree.",
    "sklearn.neighbors._kd_tree.",
    "sklearn.neural_network._stochastic_optimizers.",
    "sklearn.tree._tree.",
)


@dataclass(frozen=True)
class EstimatorFile:
    """What such a file says of itself, for readers who need not make the estimator.

    Attributes:
        n_inputs: D.
        n_classes: K; 0 where numbers are predicted.
        scale: inputs are divided by it before use.
        dtype: of the inputs after that.
        classes: their names, () for numbers.
        probabilities: whether it gives them.
        versions: of PACKAGES, that wrote it.
        example: some inputs (N, D), to show what they look like.
        threshold: the probability from which on a row is taken for the positive one of two
            classes; None: the estimator's own prediction counts.
        positive: the number of that class.
    """

    n_inputs: int
    n_classes: int
    scale: float
    dtype: str
    classes: tuple[str, ...]
    probabilities: bool
    versions: Mapping[str, str]
    example: NDArray[Any]
    threshold: float | None = None
    positive: int = 1

    @classmethod
    def read(cls, path: str) -> EstimatorFile:
        """Read the description alone."""
        with zipfile.ZipFile(path) as file:
            said = json.loads(file.read(SAID))
            example = np.load(io.BytesIO(file.read(EXAMPLE)), allow_pickle=False)
        return cls(**said | {"classes": tuple(said["classes"])}, example=example)

    @property
    def names(self) -> list[str]:
        """Of the classes."""
        return list(self.classes) or [str(k) for k in range(self.n_classes)]

    def columns(self) -> list[tuple[str, type]]:
        """What is predicted of a row, by name and kind."""
        if not self.n_classes:
            return [("prediction", float)]
        found: list[tuple[str, type]] = [("class", str if self.classes else int)]
        if self.probabilities:
            found += [(f"probability_{name}", float) for name in self.names]
        return found

    def inputs(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Rows (N, D) as the data set has them, as the estimator was fitted to them."""
        scaled: NDArray[Any] = np.divide(rows, self.scale, dtype=np.dtype(self.dtype))
        return scaled


@dataclass(frozen=True)
class FittedEstimator:
    """One estimator for inputs as the data set has them.

    Attributes:
        model: the fitted estimator.
        n_inputs, n_classes, scale, dtype, threshold, positive: as in EstimatorFile.
    """

    file_name: ClassVar[str] = "estimator.skops"

    model: Any
    n_inputs: int
    n_classes: int
    scale: float
    dtype: str
    threshold: float | None = None
    positive: int = 1

    def with_threshold(self, threshold: float, positive: int) -> FittedEstimator:
        """The same, which takes rows for the positive class from this probability on."""
        return replace(self, threshold=threshold, positive=positive)

    def to_bytes(self, classes: tuple[str, ...], example: NDArray[Any]) -> bytes:
        """The file.

        Raises:
            HpsearchError: it holds what a reader must not make.
        """
        import skops.io

        with io.BytesIO(skops.io.dumps(self.model, compression=zipfile.ZIP_DEFLATED)) as file:
            trusted_types(file.getvalue())
            said = EstimatorFile(
                n_inputs=self.n_inputs,
                n_classes=self.n_classes,
                scale=self.scale,
                dtype=self.dtype,
                classes=classes,
                probabilities=hasattr(self.model, "predict_proba"),
                versions={name: version(name) for name in PACKAGES},
                example=example,
                threshold=self.threshold,
                positive=self.positive,
            )
            array = io.BytesIO()
            np.save(array, said.example, allow_pickle=False)
            with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as more:
                without = ("example",) if said.threshold is not None else UNDECIDED
                text = {k: v for k, v in asdict(said).items() if k not in without}
                more.writestr(SAID, json.dumps(text))
                more.writestr(EXAMPLE, array.getvalue())
            return file.getvalue()


def load_model(path: str) -> Any:
    """The estimator of such a file.

    Raises:
        HpsearchError: the file holds what must not be made.
    """
    with open(path, "rb") as file:
        return load_trusted(file.read())


def load_trusted(content: bytes) -> Any:
    """What skops wrote, if it holds nothing that must not be made.

    Raises:
        HpsearchError: it does.
    """
    import skops.io

    return skops.io.loads(content, trusted=trusted_types(content))


def trusted_types(content: bytes) -> list[str]:
    """The types of a file that skops does not make by itself, and we let it.

    Raises:
        HpsearchError: there are others.
    """
    import skops.io

    found = skops.io.get_untrusted_types(data=content)
    strange = [name for name in found if not name.startswith(TRUSTED)]
    if strange:
        raise HpsearchError(
            "an estimator that is kept as a file must consist of scikit-learn's, NumPy's and "
            f"SciPy's types, got {', '.join(strange)}"
        )
    return list(found)
