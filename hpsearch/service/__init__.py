"""Everything the command line does, as Python calls.

from hpsearch import run_study
report = run_study("studies/quickstart.toml")
print(report.result.best_params, report.result.test_score)
"""

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
