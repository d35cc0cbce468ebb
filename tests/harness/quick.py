"""What most studies of tests do without: it takes longer than what they show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hpsearch.analysis import test_rows
from tests.harness.figures import blank_figures
from tests.harness.projecting import projected_here
from tests.harness.started.sitecustomize import RESAMPLES


@contextmanager
def quick_studies() -> Iterator[None]:
    """A block in which studies of this process draw no figures, need no process to be sent to
    MLflow, and have errors of test scores of few resamples: those of 200 are tested where they
    are reckoned."""
    with blank_figures(), projected_here(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_rows, "RESAMPLES", RESAMPLES)
        yield
