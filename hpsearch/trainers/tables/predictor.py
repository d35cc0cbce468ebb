"""Files of what was learned, as something that predicts: by the name that a file has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.fitted import FittedNetwork, SavedNetwork
from hpsearch.nn.losses import SoftmaxCrossEntropy
from hpsearch.trainers.fitted_estimator import EstimatorFile, FittedEstimator, load_model

if TYPE_CHECKING:
    import pandas as pd


class Predictor(Protocol):
    """A file that was read."""

    def columns(self) -> list[tuple[str, type]]:
        """What is predicted of a row, by name and kind."""

    def predict(self, inputs: NDArray[Any]) -> pd.DataFrame:
        """A row for each of the inputs (N, D), with these columns."""


class EstimatorPredictor:
    """Predicts with a scikit-learn estimator."""

    def __init__(self, path: Path) -> None:
        self._file, self._model = EstimatorFile.read(str(path)), load_model(str(path))

    def columns(self) -> list[tuple[str, type]]:
        return self._file.columns()

    def predict(self, inputs: NDArray[Any]) -> pd.DataFrame:
        """The number, or the class of every row, and each class's probability if known."""
        import pandas as pd

        file, x = self._file, self._file.inputs(inputs)
        predicted = self._model.predict(x).ravel()
        if not file.n_classes:
            answers: list[Any] = [predicted.astype(np.float64)]
        else:
            answers = [[file.classes[k] for k in predicted] if file.classes else predicted]
        if file.probabilities:
            probabilities = np.zeros((file.n_classes, len(x)))
            probabilities[self._model.classes_] = self._model.predict_proba(x).T
            answers += list(probabilities)
        names = [name for name, _ in file.columns()]
        return pd.DataFrame(dict(zip(names, answers, strict=True)))


class NetworkPredictor:
    """Predicts with a network of ours."""

    def __init__(self, path: Path) -> None:
        self._saved = SavedNetwork.load(str(path))
        self._names = list(self._saved.classes) or [
            str(k) for k in range(self._saved.network.n_classes)
        ]
        softmax = self._saved.network.loss is SoftmaxCrossEntropy
        self._what = "probability" if softmax else "output"

    def columns(self) -> list[tuple[str, type]]:
        if not self._saved.network.n_classes:
            return [("prediction", float)]
        kind = str if self._saved.classes else int
        return [("class", kind), *((f"{self._what}_{name}", float) for name in self._names)]

    def predict(self, inputs: NDArray[Any]) -> pd.DataFrame:
        """The number of every row, or its class, and a column a class: its probability, or its
        output."""
        import pandas as pd

        if not self._saved.network.n_classes:
            return pd.DataFrame({"prediction": self._saved.network.numbers(inputs)})
        outputs = self._saved.network.logits(inputs).astype(np.float64)
        taken = outputs.argmax(axis=1)
        if self._what == "probability":
            outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            outputs /= outputs.sum(axis=1, keepdims=True)
        table = pd.DataFrame(outputs, columns=[name for name, _ in self.columns()[1:]])
        names = [self._names[k] for k in taken] if self._saved.classes else taken
        table.insert(0, "class", names)
        return table


# By the name of the file; a table's model has one of these inside.
PREDICTORS: Mapping[str, Callable[[Path], Predictor]] = {
    FittedEstimator.file_name: EstimatorPredictor,
    FittedNetwork.file_name: NetworkPredictor,
}
