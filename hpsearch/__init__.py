"""hpsearch: coarse-to-fine hyperparameter search on Optuna and MLflow.

Importing it loads nothing heavy; names are looked up when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpsearch.scheduler import BatchReport, run_batch, run_schedule
    from hpsearch.search.samplers import CoarseToFineSampler
    from hpsearch.service import Report, run_study

__all__ = [
    "BatchReport",
    "CoarseToFineSampler",
    "Report",
    "run_batch",
    "run_schedule",
    "run_study",
]

_HOMES = {
    "BatchReport": "hpsearch.scheduler",
    "run_batch": "hpsearch.scheduler",
    "run_schedule": "hpsearch.scheduler",
    "CoarseToFineSampler": "hpsearch.search.samplers",
    "Report": "hpsearch.service",
    "run_study": "hpsearch.service",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hpsearch' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
