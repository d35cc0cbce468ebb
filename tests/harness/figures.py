"""Figures that are made but not drawn, and those that are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.harness.started import sitecustomize as started

DrawnFigures = Callable[[], AbstractContextManager[None]]


def leave_blank(patch: pytest.MonkeyPatch) -> None:
    """Have figures of one pixel in this process."""
    for module in started.DRAWING:
        patch.setattr(f"{module}.write_png", started.draw_nothing)
    for module in ("study_report", "compared"):
        patch.setattr(f"hpsearch.reports.{module}.svg_of", started.draw_nothing)


@contextmanager
def drawn(blank: pytest.MonkeyPatch) -> Iterator[None]:
    """A block in which figures are drawn as for a user, here and in processes.

    Args:
        blank: what `leave_blank` was called with.
    """
    _, *others = os.environ["PYTHONPATH"].split(os.pathsep)  # the first has them blank there
    blank.undo()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(others))
            yield
    finally:
        leave_blank(blank)
