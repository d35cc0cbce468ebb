"""Everything the command line does, as Python calls.

from hpsearch import run_study
report = run_study("studies/quickstart.toml")
print(report.result.best_params, report.result.test_score)
"""

from hpsearch.service.report import Report
from hpsearch.service.running import run_study

__all__ = ["Report", "run_study"]
