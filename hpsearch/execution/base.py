"""The contract of what slices run on: an executor of `concurrent.futures`."""

from __future__ import annotations

from concurrent.futures import Executor
from signal import Signals


class WorkerLost(Exception):
    """The worker process died in the middle of the call.

    Args:
        code: its exit code, or minus the signal that ended it; None: not known.
    """

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code

    @property
    def ending(self) -> str:
        """How it ended, in a few words; "" where that is not known."""
        if self.code is None:
            return ""
        if self.code >= 0:
            return f"exit code {self.code}"
        name = Signals(-self.code).name if -self.code in [*Signals] else f"signal {-self.code}"
        return f"{name}, as where memory is short" if name == "SIGKILL" else name


class SliceExecutor(Executor):
    """An executor that says how many calls it can run at once; 0: each when it is made."""

    workers: int
