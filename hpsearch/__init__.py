"""hpsearch: coarse-to-fine hyperparameter search on Optuna and MLflow.

Importing it loads nothing heavy; names are looked up when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpsearch.late import late_names

if TYPE_CHECKING:
    from hpsearch.scheduler import BatchReport, run_batch, run_schedule
    from hpsearch.search.samplers import CoarseToFineSampler
    from hpsearch.service import (
        Deletion,
        Plan,
        Report,
        Verification,
        best_configuration,
        delete_study,
        init_study,
        plan_study,
        reproduce_trial,
        run_study,
        show_study,
        study_front,
        study_schema,
        study_status,
        study_trials,
        verify_study,
    )

__all__ = [
    "BatchReport",
    "CoarseToFineSampler",
    "Deletion",
    "Plan",
    "Report",
    "Verification",
    "best_configuration",
    "delete_study",
    "init_study",
    "plan_study",
    "reproduce_trial",
    "run_batch",
    "run_schedule",
    "run_study",
    "show_study",
    "study_front",
    "study_schema",
    "study_status",
    "study_trials",
    "verify_study",
]

if not TYPE_CHECKING:  # a type checker would take every name for one
    __getattr__, __dir__ = late_names(
        __name__,
        dict.fromkeys(__all__, "hpsearch.service")
        | {
            "CoarseToFineSampler": "hpsearch.search.samplers",
            "BatchReport": "hpsearch.scheduler",
            "run_batch": "hpsearch.scheduler",
            "run_schedule": "hpsearch.scheduler",
        },
    )
