"""A plugin of MLflow for programs: files of runs in the trial's own store lie beside it.

This folder is on the PYTHONPATH of programs, where MLflow finds its entry point. The program's
Python may have any version of MLflow, and need not have hpsearch.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

STORE = "HPSEARCH_PRIVATE_STORE"  # the address of the trial's own store
FILES = "mlflow-artifacts"  # as in hpsearch.execution.private_mlflow


def open_store(store_uri: str, artifact_uri: str | None = None) -> Any:
    """Open a SQLite store; of others, which the program names itself, MLflow places the files."""
    service: Any = sys.modules["mlflow.tracking._tracking_service.utils"]  # which calls this
    if artifact_uri is None and store_uri == os.environ.get(STORE):
        place = Path(store_uri[len("sqlite:///") :])
        artifact_uri = (place.parent / FILES).as_uri()
    return service._get_sqlalchemy_store(store_uri, artifact_uri)
