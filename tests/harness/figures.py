"""Figures that are made but not drawn, and those that are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.harness.started import sitecustomize as started

_blank: list[pytest.MonkeyPatch] = []  # of the blocks that we are in


@contextmanager
def blank_figures() -> Iterator[None]:
    """A block in which figures of this process have one pixel."""
    with pytest.MonkeyPatch.context() as patch:
        _leave_blank(patch)
        _blank.append(patch)
        try:
            yield
        finally:
            _blank.pop()


def _leave_blank(patch: pytest.MonkeyPatch) -> None:
    for module in started.DRAWING:
        patch.setattr(f"{module}.write_png", started.draw_nothing)
    for name in ("study_report.draw_png", "study_report.svg_of", "compared.svg_of"):
        patch.setattr(f"hpsearch.reports.{name}", started.draw_nothing)


@contextmanager
def drawn_figures() -> Iterator[None]:
    """A block in which figures are drawn as for a user, here and in processes."""
    _, *others = os.environ["PYTHONPATH"].split(os.pathsep)  # the first has them blank there
    _blank[-1].undo()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(others))
            yield
    finally:
        _leave_blank(_blank[-1])
