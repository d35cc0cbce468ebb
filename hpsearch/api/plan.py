"""What a study will do and cost, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hpsearch.datasets.selection import open_pool
from hpsearch.execution.executors import available_cores
from hpsearch.study.plan import (
    Course,
    Phase,
    course,
    few_configurations,
    n_defaults,
    repeated_at_rungs,
)
from hpsearch.study.probe import Cost, Probe, largest, probe
from hpsearch.studyfile.reading import ReadStudy, read_study, refuse_unfit
from hpsearch.studyfile.tables.execution import slots_here

if TYPE_CHECKING:
    import pandas as pd

PROBE_TRIALS = 8  # two default batches; the interval shows how far they differ
PROBE_SECONDS = 5.0  # aimed at, without the first epochs
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


@dataclass(frozen=True)
class Explaining:
    """What `explain` takes once the study is finished, at most.

    Attributes:
        configurations: between the defaults and the winner, one parameter at a time.
        trainings: of members, which --trainings bounds.
        epochs: of each.
        seconds: of all, by the probe's mean cost; None where none were trained.
    """

    configurations: int
    trainings: int
    epochs: int
    seconds: float | None


@dataclass(frozen=True)
class Plan:
    """What a study will do.

    Attributes:
        study: its name.
        phases: its stages, the runs on fresh seeds, and the final test, as far as the budget lets
            them come, if no trial diverges or fails; by the clock as the probe's trials expect.
        budget: what [budget] has to do with it, in sentences.
        workers: that the forecast is for.
        probe: what a few trials cost; None where none were trained.
        seconds: of the whole study.
        disk: bytes that stay, without MLflow's own pages growing.
        peak_disk: bytes of the states of paused trials beside it, while it runs.
        outer: that the whole search runs once an outer fold, too; "": it does not.
        searched: what is drawn of each searched parameter, in words.
        relations: that every configuration keeps, such as "beta1 < beta2".
        small_spaces: a sentence for each search that has fewer configurations than the trials
            asked for; the phases count all that are asked for.
        explaining: no part of the study; None where the defaults are not run beside the winner.
    """

    study: str
    phases: list[Phase]
    workers: int
    probe: Probe | None
    seconds: Forecast | None
    disk: Forecast | None
    peak_disk: float
    budget: list[str]
    outer: str = ""
    searched: dict[str, str] = field(default_factory=dict)
    relations: list[str] = field(default_factory=list)
    small_spaces: list[str] = field(default_factory=list)
    explaining: Explaining | None = None

    @property
    def total_epochs(self) -> int:
        """Epochs of all members in all phases."""
        return sum(phase.total_epochs for phase in self.phases)

    def table(self) -> pd.DataFrame:
        """A row a phase."""
        import pandas as pd

        rows = [asdict(phase) | {"total_epochs": phase.total_epochs} for phase in self.phases]
        return (
            pd.DataFrame(rows).rename(columns={"name": "phase"}).drop(columns=["before", "stage"])
        )

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self) | {
            "phases": self.table().to_dict("records"),
            "total_epochs": self.total_epochs,
        }


def plan_study(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    workers: int | None = None,
    trials: int = PROBE_TRIALS,
    probe_seconds: float = PROBE_SECONDS,
    say: Callable[[str], None] = lambda line: None,
) -> Plan:
    """Count the trials of a study, train a few of them, and forecast time and disk space.

    The trials are drawn at random from the space and train for a few epochs in this process.
    Nothing is written.

    Args:
        path: the study file.
        overrides: "key=value" pairs, as for --set.
        workers: the number of workers for the forecast; None: as in the file, else one per core.
        trials: number of trials in the probe; 0: only count.
        probe_seconds: target duration of the probe, beside one epoch of each of its trials.
        say: called with a line before the probe, and with a line for each warning about the file.

    Raises:
        StudyFileError: the file is invalid.
        DataError: the data is missing or too small.
    """
    read = read_study(Path(path), overrides)
    file = read.file
    for doubt in file.doubts:
        say(f"warning: {doubt}")
    counted = course(file, len(read.arms), defaults=n_defaults(file, read.arms))
    count = workers if workers is not None else file.execution.workers
    if count is None:
        count = len(slots_here(file.execution)) or available_cores()
    searched = {p.name: p.described for p in read.space.parameters}
    relations = [relation.text for relation in read.space.relations]
    small = few_configurations(file, read.arms)
    if not trials:
        said = _budget(read, counted)
        return Plan(
            *(file.name, counted.phases, count, None, None, None, 0.0, said),
            outer=_outer(read),
            searched=searched,
            relations=relations,
            small_spaces=small,
            explaining=_explaining(read, None, 1),
        )
    refuse_unfit(read)
    say(f"training {trials} trials for a few epochs")
    found = probe(read, trials=trials, seconds=probe_seconds)
    busy = min(max(1, count), available_cores(), file.sampler.batch * file.n_members)
    counted = _course(read, found.costs, found, busy)
    parts = counted.phases
    return Plan(
        study=file.name,
        phases=parts,
        workers=count,
        probe=found,
        seconds=_time(read, found, busy),
        disk=_disk(read, parts, found),
        peak_disk=max(phase.runs * phase.members for phase in parts) * found.state_bytes,
        budget=_budget(read, counted),
        outer=_outer(read),
        searched=searched,
        relations=relations,
        small_spaces=small,
        explaining=_explaining(read, found, busy),
    )


def _explaining(read: ReadStudy, found: Probe | None, busy: int) -> Explaining | None:
    """One parameter at a time, all but the last of which leads to the winner."""
    file = read.file
    between = max(len(arm.space.parameters) for arm in read.arms) - 1
    if between < 1 or not n_defaults(file, read.arms) or len(file.directions) > 1:
        return None
    trainings = between * file.confirmation.seeds * file.n_members
    seconds = None
    if found is not None:
        first = float(np.mean([cost.first for cost in found.costs]))
        later = float(np.mean([cost.later for cost in found.costs]))
        seconds = trainings * (first + later * (file.n_epochs - 1)) / busy
    return Explaining(between, trainings, file.n_epochs, seconds)


def _course(read: ReadStudy, costs: Sequence[Cost], found: Probe, busy: int) -> Course:
    """How far the budget lets the study come, its clock too, at these costs."""
    first = float(np.mean([cost.first for cost in costs]))
    later = float(np.mean([cost.later for cost in costs]))
    lengths, members = [stage.epochs for stage in read.file.stages], read.file.n_members
    slowly = min(found.slowdown, MOST_SLOWDOWN)

    def seconds(stage: int, promoted: bool) -> float:
        goes_on = promoted and not read.file.starts_anew
        before = lengths[stage - 1] if goes_on else 1
        training = (0.0 if goes_on else first) + later * repeated_at_rungs(
            read.file, stage, promoted=promoted
        )
        training += later * (lengths[stage] - before)
        return members * training / busy + slowly * COORDINATOR_SECONDS

    return course(read.file, len(read.arms), seconds, defaults=n_defaults(read.file, read.arms))


def _outer(read: ReadStudy) -> str:
    """How often a nested search runs."""
    n = len(read.arms) - 1
    if read.file.outer is None:
        return ""
    return f"{n + 1} searches: one for each of {n} outer folds, and one on all rows"


def _budget(read: ReadStudy, counted: Course) -> list[str]:
    """What ends the search early, or may."""
    budget, said = read.file.budget, []
    arm = " for each case" if len(read.arms) > 1 else ""
    arm = " for each outer fold, and the one on all rows," if read.file.outer else arm
    last = [p for p in counted.phases if p.runs and p.stage is not None]
    if counted.ended:
        limit = getattr(budget, counted.ended)
        where = f"{'in' if last[-1].cut else 'after'} {last[-1].name}"
        pace = "" if counted.ended == "epochs" else ", at the pace of the probe"
        said.append(f"{counted.ended} = {limit:g} end the search{arm} {where}{pace}")
    for key in ("epochs", "seconds", "target", "plateau"):
        limit = getattr(budget, key)
        if limit is None or key == counted.ended:
            continue
        may = "may end the drawing of a stage" if key == "plateau" else f"may end the search{arm}"
        enough = key == "epochs" and not counted.ended
        said.append(f"{key} = {limit:g} " + (f"suffice{arm}" if enough else f"{may} early"))
    repeated = sum(
        phase.members * (phase.promoted + phase.controls) * before.epochs
        for before, phase in pairwise(counted.phases)
        if phase.stage is not None
    )
    for phase in counted.phases:
        if phase.stage is not None:
            again = phase.promoted + phase.controls
            for n, promoted in ((phase.new, False), (again, True)):
                once = repeated_at_rungs(read.file, phase.stage, promoted=promoted)
                repeated += phase.members * n * once
    if repeated and read.file.starts_anew:
        said.append(
            f"{repeated:,} epochs are repeated, because a program has no checkpoint to resume from"
        )
    return said


def _time(read: ReadStudy, found: Probe, busy: int) -> Forecast:
    """Of the whole study on so many workers that are busy."""
    pool = open_pool(largest(read).selection)
    train_rows = np.mean([len(train) for train, _ in pool.splits])
    # The refits' rows to a trial's.
    whole = len(pool.learning) / float(train_rows) if train_rows else 1.0
    slowly = min(found.slowdown, MOST_SLOWDOWN)

    def total(costs: Sequence[Cost]) -> float:
        first = float(np.mean([cost.first for cost in costs]))
        later = float(np.mean([cost.later for cost in costs]))
        training, parts = 0.0, _course(read, costs, found, busy).phases
        for part in parts:
            new = part.new * (first + later * (part.epochs - 1))
            old = (part.promoted + part.controls) * later * (part.epochs - part.before)
            refits = whole if part is parts[-1] else 1.0
            training += part.members * (new + old) * refits
        runs = sum(part.new for part in parts)
        coordinator = slowly * COORDINATOR_SECONDS * sum(part.runs for part in parts)
        projector = PROJECTOR_SECONDS * runs + POINT_SECONDS * _points(read, parts, found)
        projector *= slowly
        alone = training / busy + coordinator
        together = (training + coordinator + projector) / available_cores()
        return slowly * START_SECONDS + max(alone, together)

    rng = np.random.default_rng(0)
    picks = rng.integers(len(found.costs), size=(RESAMPLES, len(found.costs)))
    totals = [total([found.costs[i] for i in row]) for row in picks]
    low, high = np.quantile(totals, [0.05, 0.95])
    return Forecast(total(found.costs), float(low) / SLACK, float(high) * SLACK)


def _disk(read: ReadStudy, parts: list[Phase], found: Probe) -> Forecast:
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
