"""What a study will do and cost, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.api.support.forecasts import (
    Forecast,
    course_at,
    disk_forecast,
    mean_cost,
    n_busy,
    n_workers,
    time_forecast,
)
from hpsearch.counts import count_of
from hpsearch.study.confirmation.extent import Extent, reason
from hpsearch.study.plan import (
    Course,
    Phase,
    course,
    few_configurations,
    n_defaults,
    repeated_at_rungs,
)
from hpsearch.study.probe import Probe, probe
from hpsearch.studyfile.reading import ReadStudy, read_study, refuse_unfit

if TYPE_CHECKING:
    import pandas as pd

PROBE_TRIALS = 8  # two default batches; the interval shows how far they differ
PROBE_SECONDS = 5.0  # aimed at, without the first epochs


@dataclass(frozen=True)
class Explaining:
    """The most that `explain` takes once the study is finished.

    Attributes:
        configurations: the number between the defaults and the winner, one parameter at a time.
        trainings: the number of trainings of members, which --trainings limits.
        epochs: the epochs of each training.
        seconds: the time of all, by the probe's mean cost; None if there was no probe.
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
        phases: its stages, the runs on fresh seeds, and the final test, as far as the budget
            allows if no trial diverges or fails; time limits use the cost of the probe's trials.
        budget: the effects of [budget], in sentences.
        workers: the number of workers that the forecast is for.
        probe: the cost of a few trials; None if none were trained.
        seconds: the time of the whole study.
        disk: the bytes that remain on disk, without the growth of MLflow's own pages.
        peak_disk: the bytes that states of paused trials need in addition while it runs.
        outer: a sentence if the whole search also runs once per outer fold; "": it does not.
        searched: what is drawn for each searched parameter, in words.
        relations: the relations of all configurations, such as "beta1 < beta2".
        small_spaces: a sentence for each search with fewer configurations than requested trials;
            the phases count all requested trials.
        explaining: the cost of `explain`, no part of the study's; None if the defaults are not
            run beside the winner.
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
        """A row per phase."""
        import pandas as pd

        rows = [asdict(phase) | {"total_epochs": phase.total_epochs} for phase in self.phases]
        left_out = ["before", "stage"] + ["rows"] * (not self.has_fewer_rows)
        table = pd.DataFrame(rows).rename(columns={"name": "phase"}).drop(columns=left_out)
        if self.has_fewer_rows:
            table["rows"] = [phase.rows or "all" for phase in self.phases]
        return table

    @property
    def has_fewer_rows(self) -> bool:
        """Whether any phase trains on fewer rows than there are."""
        return any(phase.rows is not None for phase in self.phases)

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
    count = n_workers(read, workers)
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
            explaining=_explaining(read, counted.extent.seeds, None, 1),
        )
    refuse_unfit(read)
    say(f"training {count_of(trials, 'trial')} for a few epochs")
    found = probe(read, trials=trials, seconds=probe_seconds)
    busy = n_busy(read, count)
    counted = course_at(read, found, busy)
    parts = counted.phases
    return Plan(
        study=file.name,
        phases=parts,
        workers=count,
        probe=found,
        seconds=time_forecast(read, found, busy),
        disk=disk_forecast(read, parts, found),
        peak_disk=max(phase.runs * phase.members for phase in parts) * found.state_bytes,
        budget=_budget(read, counted),
        outer=_outer(read),
        searched=searched,
        relations=relations,
        small_spaces=small,
        explaining=_explaining(read, counted.extent.seeds, found, busy),
    )


def _explaining(read: ReadStudy, seeds: int, found: Probe | None, busy: int) -> Explaining | None:
    """The cost of steps of one parameter each; the last step needs no run: it is the winner.

    Args:
        seeds: repeats of each configuration.
    """
    file = read.file
    between = max(len(arm.space.parameters) for arm in read.arms) - 1
    if between < 1 or not n_defaults(file, read.arms) or len(file.directions) > 1:
        return None
    trainings = between * seeds * file.n_members
    seconds = None
    if found is not None:
        first, later = mean_cost(found)
        seconds = trainings * (first + later * (file.n_epochs - 1)) / busy
    return Explaining(between, trainings, file.n_epochs, seconds)


def _outer(read: ReadStudy) -> str:
    """A sentence about how often a nested search runs."""
    n = len(read.arms) - 1
    if read.file.outer is None:
        return ""
    return f"{n + 1} searches: one for each of {n} outer folds, and one on all rows"


def _budget(read: ReadStudy, counted: Course) -> list[str]:
    """Sentences about what ends the search early, or may do so."""
    budget, said = read.file.budget, []
    arm = " for each case" if len(read.arms) > 1 else ""
    arm = " for each outer fold, and the one on all rows," if read.file.outer else arm
    last = [p for p in counted.phases if p.runs and p.stage is not None]
    if counted.ended:
        limit = getattr(budget, counted.ended)
        where = f"{'in' if last[-1].cut else 'after'} {last[-1].name}"
        pace = "" if counted.ended == "epochs" else ", at the pace of the probe"
        said.append(f"{counted.ended} = {limit:g} end the search{arm} {where}{pace}")
    for key in ("epochs", "seconds", "total_seconds", "target", "plateau"):
        limit = getattr(budget, key)
        if limit is None or key == counted.ended:
            continue
        may = "may end the drawing of a stage" if key == "plateau" else f"may end the search{arm}"
        enough = key == "epochs" and not counted.ended
        said.append(f"{key} = {limit:g} " + (f"suffice{arm}" if enough else f"{may} early"))
    if read.file.folds_as_needed:
        said.append("trials that are behind train on fewer folds; all are counted here")
    if less := counted.extent.said(Extent.of(read.file), reason(read.file)):
        said.append(f"confirmation and test: {less}")
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
        epochs = f"{count_of(repeated, 'epoch', form=',')} {'is' if repeated == 1 else 'are'}"
        said.append(f"{epochs} repeated, because a program has no checkpoint to resume from")
    return said
