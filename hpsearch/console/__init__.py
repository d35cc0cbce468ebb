"""What a person sees in the terminal: progress on stderr, results on stdout."""

from __future__ import annotations

from hpsearch.console.compared import print_comparison
from hpsearch.console.findings import conclusion, print_findings
from hpsearch.console.output import output, print_frame
from hpsearch.console.plan import print_plan
from hpsearch.console.progress import BatchProgress, StudyProgress
from hpsearch.console.pruned import print_pruning
from hpsearch.console.report import print_report
from hpsearch.console.state import print_batch, print_status, print_verification

__all__ = [
    "BatchProgress",
    "StudyProgress",
    "conclusion",
    "output",
    "print_batch",
    "print_comparison",
    "print_findings",
    "print_frame",
    "print_plan",
    "print_pruning",
    "print_report",
    "print_status",
    "print_verification",
]
