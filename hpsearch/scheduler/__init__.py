"""Batches of studies, once or by the clock.

from hpsearch import run_batch
report = run_batch("studies/nightly.toml")
print(report.table())
"""

from hpsearch.scheduler.batch import run_batch
from hpsearch.scheduler.batch_report import BatchReport, StudyRow
from hpsearch.scheduler.printing import print_schedule
from hpsearch.scheduler.questions import check_health, coming_runs, leave_order
from hpsearch.scheduler.service import run_schedule

__all__ = [
    "BatchReport",
    "StudyRow",
    "check_health",
    "coming_runs",
    "leave_order",
    "print_schedule",
    "run_batch",
    "run_schedule",
]
