"""What starts often starts quickly."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["hpsearch", "hpsearch.cli", "hpsearch.execution.worker"])
def test_what_starts_often_loads_neither_optuna_nor_mlflow(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'optuna', 'mlflow'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
