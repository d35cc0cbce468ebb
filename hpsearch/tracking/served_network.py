"""A study's winner as an MLflow model: MLflow copies this file into it and runs it there."""

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from hpsearch.nn.fitted import SavedNetwork
from hpsearch.nn.losses import SoftmaxCrossEntropy


class ServedNetwork(PythonModel):
    """Predicts with weights.npz; inputs are rows as the data set has them, e.g. bytes of grey."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the weights."""
        self.saved = SavedNetwork.load(context.artifacts["weights"])

    # Without annotations, which MLflow would take for a schema.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """The number of every row (N, D), or its class, and a column a class: its probability, or
        its output."""
        return predictions(self.saved, np.asarray(model_input))


def predictions(saved: SavedNetwork, inputs: np.ndarray) -> pd.DataFrame:
    """A row for each of the inputs (N, D)."""
    if not saved.network.n_classes:
        return pd.DataFrame({"prediction": saved.network.numbers(inputs)})
    outputs = saved.network.logits(inputs).astype(np.float64)
    names = list(saved.classes) or [str(k) for k in range(saved.network.n_classes)]
    taken = outputs.argmax(axis=1)
    what = "output"
    if saved.network.loss is SoftmaxCrossEntropy:
        what = "probability"
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    table = pd.DataFrame(outputs, columns=[f"{what}_{name}" for name in names])
    table.insert(0, "class", [names[k] for k in taken] if saved.classes else taken)
    return table


set_model(ServedNetwork())
