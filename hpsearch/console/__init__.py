"""What a person sees in the terminal: progress on stderr, results on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpsearch.late import late_names

if TYPE_CHECKING:
    from hpsearch.console.compared import print_comparison
    from hpsearch.console.findings import conclusion, print_findings
    from hpsearch.console.output import print_frame
    from hpsearch.console.plan import print_plan
    from hpsearch.console.progress import BatchProgress, StudyProgress
    from hpsearch.console.pruned import print_pruning
    from hpsearch.console.report import print_report
    from hpsearch.console.state import print_batch, print_status, print_verification

__all__ = [
    "BatchProgress",
    "StudyProgress",
    "conclusion",
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

if not TYPE_CHECKING:  # a command loads what it prints with, and nothing of the others
    __getattr__, __dir__ = late_names(
        __name__,
        {
            "BatchProgress": "hpsearch.console.progress",
            "StudyProgress": "hpsearch.console.progress",
            "conclusion": "hpsearch.console.findings",
            "print_batch": "hpsearch.console.state",
            "print_comparison": "hpsearch.console.compared",
            "print_findings": "hpsearch.console.findings",
            "print_frame": "hpsearch.console.output",
            "print_plan": "hpsearch.console.plan",
            "print_pruning": "hpsearch.console.pruned",
            "print_report": "hpsearch.console.report",
            "print_status": "hpsearch.console.state",
            "print_verification": "hpsearch.console.state",
        },
    )
