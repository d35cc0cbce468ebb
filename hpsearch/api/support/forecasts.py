"""What a study will take, forecast from a few of its trials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from hpsearch.datasets.fewer_rows import most_rows
from hpsearch.datasets.selection import open_pool
from hpsearch.execution.executors import available_cores
from hpsearch.study.plan import (
    MODEL,
    REFIT,
    Course,
    Phase,
    course,
    n_defaults,
    repeated_at_rungs,
)
from hpsearch.study.probe import Probe, largest
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.tables.execution import slots_here

RESAMPLES = 1000  # of the probe's trials for the interval
# Beside the spread of the probe's trials: other work on the machine, and a search that goes where
# trials are cheaper or dearer. On two cores that others used too, the studies of studies/ took
# 0.9, 1.1 and 1.4 times the forecast, and the last one, as the others' load rose, 2.4 times.
SLACK = 1.35

# Measured on two cores with the studies of studies/, in seconds and bytes.
START_SECONDS = 6.0  # imports, stores, workers, and at the end figures and tables
MOST_SLOWDOWN = 4.0  # of our own work; a trial may wait for something, we don't
COORDINATOR_SECONDS = 0.02  # a trial: draw, records, Optuna
PROJECTOR_SECONDS = 0.02  # an MLflow run, of a process of its own
POINT_SECONDS = 0.00008  # a point of a metric in it
STORE_BYTES = 1_500_000  # empty databases, figures, tables
RUN_BYTES = 22_000  # a trial: its folders, params and tags in MLflow and Optuna
POINT_BYTES = 200  # a point of a metric in MLflow


@dataclass(frozen=True)
class Forecast:
    """A number with its 90 % prediction interval."""

    expected: float
    low: float
    high: float


def n_workers(read: ReadStudy, workers: int | None) -> int:
    """The workers that a study is run with: as asked for, as in the file, or one a core or GPU."""
    asked = workers if workers is not None else read.file.execution.workers
    return len(slots_here(read.file.execution)) or available_cores() if asked is None else asked


def n_busy(read: ReadStudy, workers: int) -> int:
    """How many of them train at a time."""
    return min(max(1, workers), available_cores(), read.file.sampler.batch * read.file.n_members)


def mean_cost(found: Probe) -> tuple[float, float]:
    """Seconds of a member's first epoch and of each later one."""
    first = fmean(cost.first for cost in found.costs)
    return first, fmean(cost.later for cost in found.costs)


def course_at(read: ReadStudy, found: Probe, busy: int) -> Course:
    """How far the budget lets the study come, its clock too, at these costs."""
    first, later = mean_cost(found)
    lengths, starts, members = read.file.lengths, read.file.starts, read.file.n_members
    shares = [_share(read, stage.rows) for stage in read.file.stages]
    slowly = min(found.slowdown, MOST_SLOWDOWN)

    def seconds(stage: int, promoted: bool) -> float:
        goes_on = promoted and not read.file.starts_anew and lengths[stage - 1] > starts[stage]
        before = lengths[stage - 1] if goes_on else starts[stage] + 1
        training = (0.0 if goes_on else first) + later * repeated_at_rungs(
            read.file, stage, promoted=promoted
        )
        training += later * (lengths[stage] - before)
        return shares[stage] * members * training / busy + slowly * COORDINATOR_SECONDS

    return course(read.file, len(read.arms), seconds, defaults=n_defaults(read.file, read.arms))


def time_forecast(read: ReadStudy, found: Probe, busy: int) -> Forecast:
    """Of the whole study on so many workers that are busy."""
    rng = np.random.default_rng(0)
    picks = rng.integers(len(found.costs), size=(RESAMPLES, len(found.costs)))
    totals = [
        expected_seconds(read, replace(found, costs=tuple(found.costs[i] for i in row)), busy)
        for row in picks
    ]
    low, high = np.quantile(totals, [0.05, 0.95])
    expected = expected_seconds(read, found, busy)
    return Forecast(expected, float(low) / SLACK, float(high) * SLACK)


def expected_seconds(read: ReadStudy, found: Probe, busy: int) -> float:
    """Of the whole study, if its trials cost what those of the probe did in the mean."""
    pool = open_pool(largest(read).selection)
    train_rows = np.mean([len(train) for train, _ in pool.splits])
    # The refits' rows to a trial's.
    whole = len(pool.learning) / float(train_rows) if train_rows else 1.0
    slowly = min(found.slowdown, MOST_SLOWDOWN)
    first, later = mean_cost(found)
    training, parts = 0.0, course_at(read, found, busy).phases
    for part in parts:
        new = part.new * (first + later * (part.epochs - 1))
        going_on, old = part.promoted + part.controls, later * (part.epochs - part.before)
        if going_on and not part.before and part.stage:  # on other rows: from the start
            old += first - later
        refits = whole if part.name in (REFIT, MODEL) else _share(read, part.rows)
        training += part.members * (new + going_on * old) * refits
    runs = sum(part.new for part in parts)
    coordinator = slowly * COORDINATOR_SECONDS * sum(part.runs for part in parts)
    projector = PROJECTOR_SECONDS * runs + POINT_SECONDS * _points(read, parts, found)
    projector *= slowly
    alone = training / busy + coordinator
    together = (training + coordinator + projector) / available_cores()
    return slowly * START_SECONDS + max(alone, together)


def _share(read: ReadStudy, rows: int | None) -> float:
    """Of the time on all rows; it is taken to grow as these, and what grows faster takes less."""
    return 1.0 if rows is None else rows / most_rows(open_pool(largest(read).selection))


def disk_forecast(read: ReadStudy, parts: list[Phase], found: Probe) -> Forecast:
    """Bytes that stay; records are kept twice, as such and as MLflow's artifacts."""
    runs = sum(part.new for part in parts)
    rows = sum(part.total_epochs for part in parts) / read.file.evaluation.every
    expected = STORE_BYTES + RUN_BYTES * runs + 2 * found.row_bytes * rows
    expected += POINT_BYTES * _points(read, parts, found)
    return Forecast(expected, expected / SLACK, expected * SLACK)


def _points(read: ReadStudy, parts: list[Phase], found: Probe) -> float:
    """Points of metrics in MLflow: means over members."""
    epochs = sum(part.total_epochs / part.members for part in parts)
    return found.metrics * epochs / read.file.evaluation.every
