"""What a process loads before it works."""

from __future__ import annotations

import subprocess
import sys

LIGHT_ROOMS = (
    "hpsearch.nn",
    "hpsearch.optimizers",
    "hpsearch.trainers",
    "hpsearch.datasets.selection",
    "hpsearch.execution.population",
    "hpsearch.execution.dispatch",
    "hpsearch.execution.executors",
    "hpsearch.records.trial_record",
)


def test_what_workers_need_loads_neither_optuna_nor_mlflow_nor_scikit_learn() -> None:
    code = (
        f"import sys, {', '.join(LIGHT_ROOMS)}\n"
        "from hpsearch.datasets import DATASETS\n"
        "DATASETS['digits'].training()\n"
        "print(sorted({'optuna', 'mlflow', 'pandas', 'sqlalchemy', 'sklearn'} & {*sys.modules}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"
