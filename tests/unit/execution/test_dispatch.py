"""When a member whose workers die is given up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from hpsearch.datasets.selection import Selection
from hpsearch.datasets.split_kinds import KFold
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.dispatch import Dispatcher
from hpsearch.execution.executors import InlineExecutor
from hpsearch.execution.jobs import Job
from hpsearch.execution.slices import SliceSettings
from hpsearch.hyperparameters import ParamValue
from hpsearch.trainers import Member

DATA = Selection("digits", shots=6, split=KFold(3))
PARAMS: dict[str, ParamValue] = {
    "trainer": "sgd",
    "network": "two-layer",
    "hidden": 4,
    "batch_size": 5,
}


class Fragile(InlineExecutor):
    """Every other call's worker dies."""

    def __init__(self) -> None:
        self.calls = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        if self.calls % 2:
            lost: Future[Any] = Future()
            lost.set_exception(WorkerLost())
            return lost
        return super().submit(fn, *args, **kwargs)


def test_deaths_are_forgotten_once_a_member_has_advanced() -> None:
    settings = SliceSettings(DATA, "validation", 6, 0.0, "")
    job = Job(("study", 0), Member({**PARAMS, "learning_rate": 0.01}, (7, 0, 0, 0), 0))
    reports = [
        r for some in Dispatcher(Fragile(), settings, workers=1).run([[job]], 6) for r in some
    ]
    events = [report.event for report in reports]
    assert events == ["lost", "advanced"] * 6  # twelve calls for six epochs, and no failure
