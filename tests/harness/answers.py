"""What a registered model answers to rows in a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd

from hpsearch.processes import changed_environment
from hpsearch.records.layout import Home


def mlflow_answer(home: Path, name: str, rows: Path, *, here: bool = False) -> pd.DataFrame:
    """What `mlflow models predict` says of a study's winner.

    Args:
        rows: a JSON or a CSV file.
        here: in this process, by the function that the command calls; the command itself loads
            MLflow for seconds.
    """
    model, to, form = f"models:/{name}@winner", rows.with_suffix(".out"), rows.suffix[1:]
    uri = {"MLFLOW_TRACKING_URI": Home(home).tracking_uri}
    if here:
        with changed_environment(uri):
            mlflow.models.predict(  # type: ignore[no-untyped-call]
                model, input_path=rows, content_type=form, output_path=to, env_manager="local"
            )
    else:
        command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", model]
        command += ["-i", str(rows), "-o", str(to), "-t", form, "--env-manager", "local"]
        done = subprocess.run(command, env=os.environ | uri, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return pd.DataFrame(json.loads(to.read_text())["predictions"])
