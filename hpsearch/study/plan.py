"""What a study file asks for, counted: stages, trials, members, epochs, within its budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hpsearch.counts import count_of
from hpsearch.study.confirmation.extent import Costs, Extent
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.study_file import StudyFile

REFIT, MODEL = "refit and test", "model on all rows"


@dataclass(frozen=True)
class Phase:
    """A part of a study.

    Attributes:
        name: "stage 1", …, "confirmation", REFIT, MODEL.
        runs: trials, or runs on fresh seeds, that reach its length.
        promoted, controls, new: how many of them go on from the stage before, as the best of it
            or by lot, and start.
        epochs: the length.
        before: epochs that the promoted have already, and are not trained again; 0 if they had
            other rows.
        members: networks a run: folds and repeats.
        cut: trials of a stage that the budget leaves out.
        stage: its number, from 0; None: no part of the search.
        rows: training rows of each fold; None: all.
    """

    name: str
    runs: int
    promoted: int
    new: int
    epochs: int
    before: int
    members: int
    cut: int = 0
    controls: int = 0
    stage: int | None = None
    rows: int | None = None

    @property
    def total_epochs(self) -> int:
        """Epochs of all members in it; continued ones count once."""
        going_on = self.promoted + self.controls
        return self.members * (self.new * self.epochs + going_on * (self.epochs - self.before))


@dataclass(frozen=True)
class Course:
    """The parts of a study as far as its budget lets it come, if no trial diverges, fails or is
    pruned at a rung; then fewer are promoted.

    Attributes:
        phases: all of them, also those that nothing is left for.
        ended: the key of [budget] that ends the search of each arm; "": none.
        extent: how much is confirmed and tested.
    """

    phases: list[Phase]
    ended: str
    extent: Extent


Seconds = Callable[[int, bool], float]  # of a trial: its stage, from 0, and whether it is promoted


def course(
    file: StudyFile, n_arms: int = 1, seconds: Seconds | None = None, *, defaults: int = 0
) -> Course:
    """All parts of a study.

    Args:
        n_arms: searches that the study compares; every number is that of all of them.
        seconds: what a trial takes of the clock's limits; None: not known, and they cut nothing.
        defaults: searches whose configuration of all defaults is known, and run.
    """
    members, before, earlier = file.n_members, 0, 0
    left = _BudgetLeft(file, seconds)
    found = []
    for number, stage in enumerate(file.stages):
        wanted = min(round(stage.trials * stage.promote), earlier) if before else 0
        controls = min(stage.controls, earlier - wanted) if before else 0
        going_on = left.take(number, wanted + controls, promoted=True)
        new = left.take(number, stage.trials - wanted)
        found.append(
            Phase(
                name=f"stage {number + 1}",
                runs=n_arms * (going_on + new),
                promoted=n_arms * min(going_on, wanted),
                new=n_arms * new,
                epochs=stage.epochs,
                before=0 if file.starts_anew else max(0, before - file.starts[number]),
                members=members,
                cut=n_arms * (stage.trials + controls - going_on - new),
                controls=n_arms * max(0, going_on - wanted),
                stage=number,
                rows=stage.rows,
            )
        )
        before, earlier = file.lengths[number], going_on + new
    ranked = next((phase.runs for phase in reversed(found) if phase.runs), 0) // n_arms
    extent = _extent(file, found, ranked, n_arms, left, beside=defaults > 0)
    top = min(extent.top, ranked)
    finals = [("confirmation", (n_arms * top + defaults) * extent.seeds, members)]
    if file.is_tested:
        finals.append((REFIT, (n_arms + defaults) * extent.test_seeds, 1))
    if file.fits_all_rows:
        finals.append((MODEL, 1, 1))
    for name, runs, splits in finals:
        rows = file.stages[-1].rows if name == "confirmation" else None
        found.append(Phase(name, runs, 0, runs, file.n_epochs, 0, splits, rows=rows))
    return Course(found, left.ended, extent)


def _extent(
    file: StudyFile,
    search: Sequence[Phase],
    ranked: int,
    n_arms: int,
    left: _BudgetLeft,
    *,
    beside: bool,
) -> Extent:
    """How much is confirmed and tested after such a search."""
    full, kept = Extent.of(file), Extent.kept(file)
    if n_arms > 1 or not file.budget.bounds_work:
        return full
    if file.budget.total_seconds is None:
        epochs = sum(phase.total_epochs for phase in search)
        return Costs.in_epochs(file, ranked, beside=beside).within(epochs, full, kept)
    return left.costs(ranked, beside=beside).within(left.rest, full, kept)


def n_defaults(file: StudyFile, arms: Sequence[Arm]) -> int:
    """The searches beside whose winner the configuration of all defaults is run."""
    if not file.confirmation.default:
        return 0
    found = ((arm.space, *arm.space.defaults()) for arm in arms)
    return sum(not unknown and space.broken(params) is None for space, params, unknown in found)


def time_shares(file: StudyFile) -> list[float]:
    """The share of a search's epochs that the stages up to each take, as planned."""
    before, epochs = 0, list[int]()
    for stage, start, end in zip(file.stages, file.starts, file.lengths, strict=True):
        going_on = stage.promoted + stage.controls
        epochs.append((stage.trials - stage.promoted) * stage.epochs)
        epochs[-1] += going_on * (end - max(start, before))
        before = 0 if file.starts_anew else end
    return [sum(epochs[: n + 1]) / sum(epochs) for n in range(len(epochs))]


def repeated_at_rungs(file: StudyFile, stage: int, *, promoted: bool) -> int:
    """Epochs of a trial in a stage that a program without a checkpoint repeats: it is run to each
    rung from its start, and then to the stage's end."""
    if not file.starts_anew or file.pruner is None:
        return 0
    after = file.stages[stage - 1].epochs if promoted else 0
    return sum(rung for rung in file.pruner.rungs if after < rung < file.stages[stage].epochs)


def few_configurations(file: StudyFile, arms: Sequence[Arm]) -> list[str]:
    """A line for each arm that has fewer configurations than the study asks for new trials; for
    those of outer folds, which search the same space, none."""
    promoted = sum(stage.promoted for stage in file.stages[1:])
    asked = sum(stage.trials for stage in file.stages) - promoted
    found = []
    for arm in (arm for arm in arms if arm.fold is None):
        size = file.sampler.n_configurations(arm.space, asked)
        if size is not None:
            whose = f"the space of {arm.name}" if arm.name else "the space"
            found.append(
                f"{whose} has {count_of(size, 'configuration')}, fewer than the {asked} "
                "requested trials: drawing ends when all have been tried; for repeats, start a "
                "new run with sampler.repeats = true"
            )
    return found


class _BudgetLeft:
    """An arm's epochs and seconds, as `spending.Spending` spends them."""

    def __init__(self, file: StudyFile, seconds: Seconds | None) -> None:
        self._lengths, self._members = file.lengths, file.n_members
        self._left: dict[str, float] = {}
        self._price: dict[str, Seconds] = {}
        if file.budget.epochs is not None:
            self._left["epochs"], self._price["epochs"] = file.budget.epochs, self._epochs
        if file.budget.seconds is not None and seconds is not None:
            self._left["seconds"], self._price["seconds"] = file.budget.seconds, seconds
        self._batch = file.sampler.batch
        self._begun, self.ended = False, ""
        self._file, self._seconds, self._shares = file, seconds, time_shares(file)
        if file.budget.total_seconds is not None and seconds is not None:
            total = file.budget.total_seconds
            rest = self.costs(file.confirmation.top, beside=file.confirmation.default)
            self._all = total - min(total / 2, rest.of(Extent.of(file)))
            self._left["total_seconds"] = self._all
            self._price["total_seconds"] = seconds
        self._spent = 0.0

    def costs(self, ranked: int, *, beside: bool) -> Costs:
        """Seconds of confirmation and test, at the price of new trials of the last stage."""
        run = 0.0
        if self._seconds is not None:
            run = self._seconds(len(self._lengths) - 1, False)
        return Costs.alike(self._file, run, ranked, beside=beside)

    @property
    def rest(self) -> float:
        """Seconds that the search leaves of all."""
        return (self._file.budget.total_seconds or math.inf) - self._spent

    def take(self, stage: int, trials: int, *, promoted: bool = False) -> int:
        """How many of a stage's promoted, which are one batch, or of its new trials begin."""
        if self.ended or not trials:
            return 0
        prices = {key: price(stage, promoted) for key, price in self._price.items()}
        began = trials
        for key, price in prices.items():
            left, part = self._left[key], False
            if key == "total_seconds" and not promoted:  # until the stage's share is used
                part = stage < len(self._lengths) - 1
                left -= self._all * (1 - self._shares[stage])
            if price * trials <= left:
                continue
            size = 1 if promoted and key == "epochs" else trials if promoted else self._batch
            enough = max(0, int(left // (price * size)) * size)
            if key != "epochs" and not self._begun:  # whose pace nobody knows yet
                enough = max(enough, min(size, trials))
            if enough < began:
                began, self.ended = enough, self.ended if part else key
        for key, price in prices.items():
            self._left[key] -= price * began
        self._begun |= began > 0
        if self._seconds is not None:
            self._spent += self._seconds(stage, promoted) * began
        return began

    def _epochs(self, stage: int, promoted: bool) -> float:
        before = self._lengths[stage - 1] if promoted else self._file.starts[stage]
        return self._members * (self._lengths[stage] - before)
