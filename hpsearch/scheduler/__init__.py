"""Batches of studies, once or by the clock.

from hpsearch import run_batch
report = run_batch("studies/nightly.toml")
print(report.table())
"""

from hpsearch.scheduler.batch import run_batch
from hpsearch.scheduler.batch_report import BatchReport, StudyRow

__all__ = ["BatchReport", "StudyRow", "run_batch"]
