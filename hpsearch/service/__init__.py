"""Everything the command line does, as Python calls.

from hpsearch import run_study
report = run_study("studies/quickstart.toml")
print(report.result.best_params, report.result.test_score)
"""

from hpsearch.service.archive import export_study, import_study
from hpsearch.service.checkup import doctor
from hpsearch.service.report import Report
from hpsearch.service.reporting import write_study_report
from hpsearch.service.running import run_study
from hpsearch.service.syncing import sync
from hpsearch.service.viewing import ui

__all__ = [
    "Report",
    "doctor",
    "export_study",
    "import_study",
    "run_study",
    "sync",
    "ui",
    "write_study_report",
]
