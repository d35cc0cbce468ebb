"""What a run took."""

from __future__ import annotations

import pytest

from hpsearch.analysis.costs import busy_seconds, cost_of, duration
from hpsearch.records.outcome import Outcome
from tests.harness.projection import make


def test_slices_at_the_same_time_count_once_and_breaks_not_at_all() -> None:
    spans = [(0.0, 4.0), (2.0, 5.0), (1.0, 1.0), (100.0, 2.0)]
    slices = [{"began": began, "seconds": seconds} for began, seconds in spans]
    assert busy_seconds(slices) == pytest.approx(7.0 + 2.0)


def test_a_training_is_one_fold_and_seed_that_was_begun() -> None:
    trained, waiting = make(0, Outcome.COMPLETE, epochs=3), make(1, Outcome.RUNNING, epochs=0)
    trained.members *= 2
    trained.cpu_seconds = 1.5
    cost = cost_of([trained, waiting], [])
    assert (cost.trainings, cost.epochs, cost.cpu_seconds) == (2, 6, 1.5)
    assert cost.wall_seconds is None  # an older version noted no slices


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (80.4, "80 s"), (720, "12 min"), (11_100, "3 h 5 min")]
)
def test_times_are_told_as_people_read_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
