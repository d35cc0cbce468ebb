"""A study's winner as an MLflow model: MLflow copies this file into it and runs it there."""

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from hpsearch.trainers.fitted_estimator import EstimatorFile, load_model


class ServedEstimator(PythonModel):
    """Predicts with estimator.skops; inputs are rows as the data set has them."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the estimator."""
        path = context.artifacts["weights"]
        self.file, self.model = EstimatorFile.read(path), load_model(path)

    # Without annotations, which MLflow would take for a schema.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """The number, or the class of every row (N, D), and each class's probability if known."""
        file = self.file
        x = file.inputs(np.asarray(model_input))
        predicted = self.model.predict(x).ravel()
        if file.probabilities:
            probabilities = np.zeros((file.n_classes, len(x)))
            probabilities[self.model.classes_] = self.model.predict_proba(x).T
        if file.threshold is not None:
            positive = file.positive
            likely = probabilities[positive] >= file.threshold
            predicted = np.where(likely, positive, 1 - positive)
        if not file.n_classes:
            columns = [predicted.astype(np.float64)]
        else:
            columns = [[file.classes[k] for k in predicted] if file.classes else predicted]
        if file.probabilities:
            columns += list(probabilities)
        names = [name for name, _ in file.columns()]
        return pd.DataFrame(dict(zip(names, columns, strict=True)))


set_model(ServedEstimator())
