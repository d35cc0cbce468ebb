"""A study's winner as an MLflow model: MLflow copies this file into it and runs it there."""

from pathlib import Path

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from hpsearch.trainers.tables.predictor import NetworkPredictor


class ServedNetwork(PythonModel):
    """Predicts with weights.npz; inputs are rows as the data set has them, e.g. bytes of grey."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the weights."""
        self.predictor = NetworkPredictor(Path(context.artifacts["weights"]))

    # MLflow takes no schema from this annotation, and warns where there is none.
    def predict(  # type: ignore[no-untyped-def]
        self, context: PythonModelContext, model_input: np.ndarray, params=None
    ):
        """The number of every row (N, D), or its class, and a column a class: its probability, or
        its output."""
        return self.predictor.predict(np.asarray(model_input))


set_model(ServedNetwork())
