"""Everything the command line does, as Python calls.

from hpsearch import run_study
report = run_study("studies/quickstart.toml")
print(report.result.best_params, report.result.test_score)
"""

from hpsearch.service.deleting import Deletion, delete_study
from hpsearch.service.report import Report
from hpsearch.service.running import run_study
from hpsearch.service.showing import best_configuration, show_study, study_trials
from hpsearch.service.status import study_status

__all__ = [
    "Deletion",
    "Report",
    "best_configuration",
    "delete_study",
    "run_study",
    "show_study",
    "study_status",
    "study_trials",
]
