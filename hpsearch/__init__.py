"""hpsearch: coarse-to-fine hyperparameter search on Optuna and MLflow.

    from hpsearch import run_study
    report = run_study("studies/quickstart.toml")
    print(report.result.best_params, report.result.test_score)

The public names are those of `hpsearch`, `hpsearch.samplers`, `hpsearch.claims` and
`hpsearch.testing`; all other names may change.
Importing hpsearch loads nothing heavy: a name's module is loaded when the name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpsearch.late import late_names

if TYPE_CHECKING:
    from hpsearch.api.batch import run_batch
    from hpsearch.api.compare import StudyComparison, compare_studies
    from hpsearch.api.data import data_card, data_sets
    from hpsearch.api.doctor import doctor
    from hpsearch.api.explain import Explanation, explain_study
    from hpsearch.api.export import export_study
    from hpsearch.api.import_ import import_study
    from hpsearch.api.init import init_program, init_study, study_schema
    from hpsearch.api.methods import study_methods
    from hpsearch.api.plan import Plan, plan_study
    from hpsearch.api.predict import predict
    from hpsearch.api.report import write_study_report
    from hpsearch.api.reproduce import reproduce_trial
    from hpsearch.api.schedule import (
        check_health,
        coming_runs,
        leave_order,
        print_schedule,
        run_schedule,
    )
    from hpsearch.api.show import show_study
    from hpsearch.api.status import study_status
    from hpsearch.api.study import run_study
    from hpsearch.api.support.report import Report
    from hpsearch.api.support.trials import best_configuration, study_front, study_trials
    from hpsearch.api.sync import sync
    from hpsearch.api.tune import tune
    from hpsearch.api.ui import ui
    from hpsearch.api.upkeep.backup import Backup, backup, restore
    from hpsearch.api.upkeep.delete import Deletion, delete_study
    from hpsearch.api.upkeep.prune import Pruning, prune_studies
    from hpsearch.api.verify import Verification, verify_study
    from hpsearch.reporting import report
    from hpsearch.reports.methods.methods import Methods
    from hpsearch.samplers import CoarseToFineSampler
    from hpsearch.scheduler.batch_report import BatchReport

_MODULES = {
    "Backup": "hpsearch.api.upkeep.backup",
    "BatchReport": "hpsearch.scheduler.batch_report",
    "CoarseToFineSampler": "hpsearch.samplers",
    "Deletion": "hpsearch.api.upkeep.delete",
    "Explanation": "hpsearch.api.explain",
    "Methods": "hpsearch.reports.methods.methods",
    "Plan": "hpsearch.api.plan",
    "Pruning": "hpsearch.api.upkeep.prune",
    "Report": "hpsearch.api.support.report",
    "StudyComparison": "hpsearch.api.compare",
    "Verification": "hpsearch.api.verify",
    "backup": "hpsearch.api.upkeep.backup",
    "best_configuration": "hpsearch.api.support.trials",
    "check_health": "hpsearch.api.schedule",
    "coming_runs": "hpsearch.api.schedule",
    "compare_studies": "hpsearch.api.compare",
    "data_card": "hpsearch.api.data",
    "data_sets": "hpsearch.api.data",
    "delete_study": "hpsearch.api.upkeep.delete",
    "doctor": "hpsearch.api.doctor",
    "explain_study": "hpsearch.api.explain",
    "export_study": "hpsearch.api.export",
    "import_study": "hpsearch.api.import_",
    "init_program": "hpsearch.api.init",
    "init_study": "hpsearch.api.init",
    "leave_order": "hpsearch.api.schedule",
    "plan_study": "hpsearch.api.plan",
    "predict": "hpsearch.api.predict",
    "print_schedule": "hpsearch.api.schedule",
    "prune_studies": "hpsearch.api.upkeep.prune",
    "report": "hpsearch.reporting",
    "reproduce_trial": "hpsearch.api.reproduce",
    "restore": "hpsearch.api.upkeep.backup",
    "run_batch": "hpsearch.api.batch",
    "run_schedule": "hpsearch.api.schedule",
    "run_study": "hpsearch.api.study",
    "show_study": "hpsearch.api.show",
    "study_front": "hpsearch.api.support.trials",
    "study_methods": "hpsearch.api.methods",
    "study_schema": "hpsearch.api.init",
    "study_status": "hpsearch.api.status",
    "study_trials": "hpsearch.api.support.trials",
    "sync": "hpsearch.api.sync",
    "tune": "hpsearch.api.tune",
    "ui": "hpsearch.api.ui",
    "verify_study": "hpsearch.api.verify",
    "write_study_report": "hpsearch.api.report",
}

__all__ = [
    "Backup",
    "BatchReport",
    "CoarseToFineSampler",
    "Deletion",
    "Explanation",
    "Methods",
    "Plan",
    "Pruning",
    "Report",
    "StudyComparison",
    "Verification",
    "backup",
    "best_configuration",
    "check_health",
    "coming_runs",
    "compare_studies",
    "data_card",
    "data_sets",
    "delete_study",
    "doctor",
    "explain_study",
    "export_study",
    "import_study",
    "init_program",
    "init_study",
    "leave_order",
    "plan_study",
    "predict",
    "print_schedule",
    "prune_studies",
    "report",
    "reproduce_trial",
    "restore",
    "run_batch",
    "run_schedule",
    "run_study",
    "show_study",
    "study_front",
    "study_methods",
    "study_schema",
    "study_status",
    "study_trials",
    "sync",
    "tune",
    "ui",
    "verify_study",
    "write_study_report",
]

if not TYPE_CHECKING:  # a type checker would take every name for one
    __getattr__, __dir__ = late_names(__name__, _MODULES)
