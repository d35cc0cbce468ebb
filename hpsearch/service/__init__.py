"""Everything the command line does, as Python calls.

from hpsearch import run_study
report = run_study("studies/quickstart.toml")
print(report.result.best_params, report.result.test_score)

Each call's modules are loaded when it is used: `status` needs no figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpsearch.late import late_names

if TYPE_CHECKING:
    from hpsearch.service.archive import export_study, import_study
    from hpsearch.service.checkup import doctor
    from hpsearch.service.deleting import Deletion, delete_study
    from hpsearch.service.planning import Plan, plan_study
    from hpsearch.service.report import Report
    from hpsearch.service.reporting import write_study_report
    from hpsearch.service.reproducing import reproduce_trial
    from hpsearch.service.running import run_study
    from hpsearch.service.showing import (
        best_configuration,
        show_study,
        study_front,
        study_trials,
    )
    from hpsearch.service.starting import init_study, study_schema
    from hpsearch.service.status import study_status
    from hpsearch.service.syncing import sync
    from hpsearch.service.verifying import Verification, verify_study
    from hpsearch.service.viewing import ui

__all__ = [
    "Deletion",
    "Plan",
    "Report",
    "Verification",
    "best_configuration",
    "delete_study",
    "doctor",
    "export_study",
    "import_study",
    "init_study",
    "plan_study",
    "reproduce_trial",
    "run_study",
    "show_study",
    "study_front",
    "study_schema",
    "study_status",
    "study_trials",
    "sync",
    "ui",
    "verify_study",
    "write_study_report",
]

if not TYPE_CHECKING:  # a type checker would take every name for one
    __getattr__, __dir__ = late_names(
        __name__,
        {
            "Deletion": "hpsearch.service.deleting",
            "Plan": "hpsearch.service.planning",
            "Report": "hpsearch.service.report",
            "Verification": "hpsearch.service.verifying",
            "best_configuration": "hpsearch.service.showing",
            "delete_study": "hpsearch.service.deleting",
            "doctor": "hpsearch.service.checkup",
            "export_study": "hpsearch.service.archive",
            "import_study": "hpsearch.service.archive",
            "init_study": "hpsearch.service.starting",
            "plan_study": "hpsearch.service.planning",
            "reproduce_trial": "hpsearch.service.reproducing",
            "run_study": "hpsearch.service.running",
            "show_study": "hpsearch.service.showing",
            "study_front": "hpsearch.service.showing",
            "study_schema": "hpsearch.service.starting",
            "study_status": "hpsearch.service.status",
            "study_trials": "hpsearch.service.showing",
            "sync": "hpsearch.service.syncing",
            "ui": "hpsearch.service.viewing",
            "verify_study": "hpsearch.service.verifying",
            "write_study_report": "hpsearch.service.reporting",
        },
    )
