"""Studies that are interrupted at an event, as by Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from hpsearch.study.events import Event
from hpsearch.study.study import Study


class Interrupted(Exception):
    """Raised in the middle of a study."""


def interrupt(study: Study, when: Callable[[Event], bool]) -> bool:
    """Run a study up to the first event of which `when` is true; False if there is none."""

    def tell(event: Event) -> None:
        if when(event):
            raise Interrupted

    try:
        study.execute(tell)
    except Interrupted:
        return True
    return False


def interrupt_after(study: Study, n_events: int) -> None:
    """Run a study up to an event by its number, counted from 1."""
    numbers: Iterator[int] = count(1)
    assert interrupt(study, lambda event: next(numbers) == n_events)
