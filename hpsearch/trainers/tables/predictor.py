"""Files of what was learned, as something that predicts: by the name that a file has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.fitted import FittedNetwork, SavedNetwork
from hpsearch.nn.losses import SoftmaxCrossEntropy
from hpsearch.trainers.estimators.model_files import FILE_NAMES, described, load_model

if TYPE_CHECKING:
    import pandas as pd


class Predictor(Protocol):
    """A file that was read."""

    def columns(self) -> list[tuple[str, type]]:
        """What is predicted of a row, by name and kind."""

    def read(self) -> None:
        """Read all that predicting needs; the file may go then."""

    def predict(self, inputs: NDArray[Any]) -> pd.DataFrame:
        """A row for each of the inputs (N, D), with these columns."""


class EstimatorPredictor:
    """Predicts with an estimator of scikit-learn or of a boosting library.

    The estimator is made when it is first asked: what a file says of itself needs none.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, described(path)

    @cached_property
    def _model(self) -> Any:
        return load_model(self._path)

    def columns(self) -> list[tuple[str, type]]:
        return self._file.columns()

    def read(self) -> None:
        assert self._model is not None

    def predict(self, inputs: NDArray[Any]) -> pd.DataFrame:
        """The number, or the class of every row, and each class's probability if known."""
        import pandas as pd

        file, x = self._file, self._file.inputs(inputs)
        predicted = self._model.predict(x).ravel()
        probabilities = np.zeros((file.n_classes, len(x)))
        if file.probabilities:
            probabilities[self._model.classes_] = self._model.predict_proba(x).T
        if file.threshold is not None:
            likely = probabilities[file.positive] >= file.threshold
            predicted = np.where(likely, file.positive, 1 - file.positive)
        if not file.n_classes:
            answers: list[Any] = [predicted.astype(np.float64)]
        else:
            answers = [[file.classes[k] for k in predicted] if file.classes else predicted]
        if file.probabilities:
            answers += list(probabilities)
        names = [name for name, _ in file.columns()]
        return pd.DataFrame(dict(zip(names, answers, strict=True)))


class NetworkPredictor:
    """Predicts with a network of ours."""

    def __init__(self, path: Path) -> None:
        self.saved = SavedNetwork.load(str(path))
        network = self.saved.network
        self._names = list(self.saved.classes) or [str(k) for k in range(network.n_classes)]
        self._what = "probability" if network.loss is SoftmaxCrossEntropy else "output"

    def columns(self) -> list[tuple[str, type]]:
        if not self.saved.network.n_classes:
            return [("prediction", float)]
        kind = str if self.saved.classes else int
        return [("class", kind), *((f"{self._what}_{name}", float) for name in self._names)]

    def read(self) -> None:
        """It was read when it was made."""

    def predict(self, inputs: NDArray[Any]) -> pd.DataFrame:
        """The number of every row, or its class, and a column a class: its probability, or its
        output."""
        import pandas as pd

        network = self.saved.network
        if not network.n_classes:
            return pd.DataFrame({"prediction": network.numbers(inputs)})
        outputs = network.logits(inputs).astype(np.float64)
        taken = outputs.argmax(axis=1)
        if self._what == "probability":
            outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            outputs /= outputs.sum(axis=1, keepdims=True)
        if network.threshold is not None:
            likely = outputs[:, network.positive] >= network.threshold
            taken = np.where(likely, network.positive, 1 - network.positive)
        table = pd.DataFrame(outputs, columns=[name for name, _ in self.columns()[1:]])
        names = [self._names[k] for k in taken] if self.saved.classes else taken
        table.insert(0, "class", names)
        return table


# By the name of the file; a table's model has one of these inside.
PREDICTORS: Mapping[str, Callable[[Path], Predictor]] = {
    **dict.fromkeys(FILE_NAMES, EstimatorPredictor),
    FittedNetwork.file_name: NetworkPredictor,
}
