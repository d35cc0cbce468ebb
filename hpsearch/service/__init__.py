"""Everything the command line does, as Python calls.

from hpsearch import run_study
report = run_study("studies/quickstart.toml")
print(report.result.best_params, report.result.test_score)
"""

from hpsearch.service.checkup import doctor
from hpsearch.service.report import Report
from hpsearch.service.running import run_study
from hpsearch.service.syncing import sync

__all__ = ["Report", "doctor", "run_study", "sync"]
