"""A study's winner as an MLflow model: MLflow copies this file into it and runs it there."""

from pathlib import Path

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from hpsearch.trainers.tables.model import TableModel


class ServedTable(PythonModel):
    """Predicts with table_model.zip; inputs are rows with the columns of the table, by name."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model."""
        self.model = TableModel.load(Path(context.artifacts["weights"]))

    # MLflow takes no schema from this annotation, and warns where there is none.
    def predict(  # type: ignore[no-untyped-def]
        self, context: PythonModelContext, model_input: pd.DataFrame, params=None
    ):
        """The number, or the class of every row, and each class's probability if known."""
        return self.model.predict(pd.DataFrame(model_input))


set_model(ServedTable())
