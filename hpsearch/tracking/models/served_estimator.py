"""A study's winner as an MLflow model: MLflow copies this file into it and runs it there."""

from pathlib import Path

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from hpsearch.trainers.tables.predictor import EstimatorPredictor


class ServedEstimator(PythonModel):
    """Predicts with an estimator's file; inputs are rows as the data set has them."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the estimator."""
        self.predictor = EstimatorPredictor(Path(context.artifacts["weights"]))

    # MLflow takes no schema from this annotation, and warns where there is none.
    def predict(  # type: ignore[no-untyped-def]
        self, context: PythonModelContext, model_input: np.ndarray, params=None
    ):
        """The number, or the class of every row (N, D), and each class's probability if known."""
        return self.predictor.predict(np.asarray(model_input))


set_model(ServedEstimator())
