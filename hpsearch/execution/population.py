"""Running one population for one slice of time, in whatever process it was sent to.

`run_slice` is the only function that workers are asked for. It imports neither optuna nor mlflow.
"""

from __future__ import annotations

import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.opened import opened_once
from hpsearch.datasets.selection import (
    Pool,
    Selection,
    open_beside_test,
    open_pool,
    open_test,
)
from hpsearch.datasets.splits import Rows
from hpsearch.errors import StudyChangedError
from hpsearch.execution.kept import keep, take
from hpsearch.execution.machine import machine
from hpsearch.execution.meter import Meter
from hpsearch.execution.printed import Printed
from hpsearch.hyperparameters import NAME, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.own_code import NamedModule, changed_since, look_first_in, module_of
from hpsearch.trainers import (
    EVERY_EPOCH,
    TRAINERS,
    Fitted,
    Member,
    Progress,
    Schedule,
    Split,
    Trainer,
    TrainingData,
    load_training_function,
    trainer_kind,
)

PASSES = ("passes/forward", "passes/backward")
IMAGES = "passes/images"
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss
EXAMPLES = 2  # training rows that a model's file shows as its inputs
FALLBACK_L2_BYTES = 1 << 20  # where the system doesn't tell; common on servers and laptops
# What members are scored on: their validation split, the sealed test set, or both all the time.
Exam = Literal["validation", "test", "both"]


@dataclass(frozen=True)
class SliceSettings:
    """What all slices of one call of the dispatcher have in common.

    Attributes:
        data: which examples.
        exam: what members are scored on.
        n_epochs: the full training length of the study.
        seconds: pause at the first epoch's end after this time; inf: never.
        schedule: after which epochs members are evaluated.
        per_class: report each class's accuracy too, where the trainer tells.
        passes: report forward and backward passes and images too, where the trainer tells.
        resources: report what the training of each epoch takes.
        code_folder: where a user's own modules lie.
        code: what they must be; () where nobody knows.
        may_end_early: whether a trainer may end before the epochs do.
        decisive: metrics that must be finite for a member to go on; None: all.
        keep: a trainer that is not ours stays in its process after a slice, for the next one.
    """

    data: Selection
    exam: Exam
    n_epochs: int
    seconds: float
    code_folder: str
    schedule: Schedule = EVERY_EPOCH
    per_class: bool = False
    passes: bool = False
    resources: bool = False
    may_end_early: bool = True
    decisive: tuple[str, ...] | None = None
    keep: bool = False
    code: tuple[NamedModule, ...] = ()


@dataclass(frozen=True)
class Slice:
    """One call's work.

    Attributes:
        settings: how its members are trained and scored.
        members: the population.
        until: epochs after which it is done.
        pauses: epochs after which it pauses, whatever the time.
    """

    settings: SliceSettings
    members: tuple[Member, ...]
    until: int
    pauses: tuple[int, ...] = ()


@dataclass(frozen=True)
class MemberAdvance:
    """What one member gained in a slice.

    Attributes:
        epochs: trained in this slice; of a diverged member those before it was found out.
        rows: a dict of metrics for every new epoch that was evaluated, with the epoch.
        state: where to continue from; None if diverged.
        diverged: its loss or a decisive metric is no longer finite; the last row is the last
            finite one.
        diverged_by: that metric; "" where it was the loss.
        predicted: at the end of an exam on the test set, the class of each of its rows.
        rates: the learning rate of the last step before each of `rows`; () where it is constant.
        fitted: after an exam on the test set, name and content of the file of what was learned.
        ended_early: the epoch after which its trainer ended by itself; 0: it did not.
        saw_test: in an exam on the test set its training read it.
        kept: its trainer was still there from the slice before; it was not resumed from its state.
    """

    epochs: int
    rows: tuple[tuple[int, Mapping[str, float]], ...]
    state: bytes | None
    diverged: bool
    predicted: tuple[int, ...] | None = None
    rates: tuple[float, ...] = ()
    fitted: tuple[str, bytes] | None = None
    ended_early: int = 0
    diverged_by: str = ""
    saw_test: bool = False
    kept: bool = False


@dataclass(frozen=True)
class Use:
    """What one slice took of the machine.

    Attributes:
        worker: the process that ran it.
        began: when, in seconds since 1970.
        wall_seconds, cpu_seconds: of the whole slice.
        opening_seconds: of them until training began: data, trainer, states.
        peak_bytes: the most memory that the process has held so far.
    """

    worker: int
    began: float
    wall_seconds: float
    cpu_seconds: float
    opening_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class SliceResult:
    """What a population gained in a slice, in the members' order.

    Attributes:
        error: the exception's text where the trainer raised; then `members` is empty.
        machine: that it ran on, as `machine` says it.
        log: what a trainer that is not our own printed.
    """

    members: tuple[MemberAdvance, ...]
    error: str | None
    use: Use
    machine: str
    log: str = ""


OPEN: dict[Exam, Callable[[Selection], Pool]] = {
    "validation": open_pool,
    "test": open_test,
    "both": open_beside_test,
}


@opened_once(2)
def training_data(selection: Selection, exam: Exam) -> TrainingData:
    """The arrays of a selection; opened once a process."""
    pool = OPEN[exam](selection)
    examples, wanted = pool.examples, selection.train_scored
    splits = [
        Split(train, validation, pool.tested, _some(train, wanted))
        for train, validation in pool.splits
    ]
    scored = None
    if wanted is not None:
        scored = np.unique(np.concatenate([r for s in splits for r in s.parts().values()]))
    return TrainingData(
        examples.inputs,
        examples.labels,
        n_classes=examples.n_classes,
        splits=splits,
        scale=examples.scale,
        scored=scored,
        final=exam == "test",
    )


def _some(rows: Rows, wanted: int | None) -> Rows | None:
    """So many of these rows at even distances; None for all."""
    if wanted is None or wanted >= len(rows):
        return None
    return rows[np.arange(wanted) * len(rows) // wanted]


def open_data(selection: Selection, exam: Exam = "validation") -> None:
    """Have the training data ready before the first slice; what is wrong with it, a slice says."""
    training_data(selection, exam)


@lru_cache(maxsize=1)
def l2_cache_bytes() -> int:
    """Size of a core's L2 cache; 1 MiB where the system does not say."""
    try:
        size = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text().strip()
        return int(size.removesuffix("K")) * 1024
    except (OSError, ValueError):
        return FALLBACK_L2_BYTES


def run_slice(work: Slice) -> SliceResult:
    """Advance a population. An exception of the trainer comes back as text, it is not raised.

    Raises:
        StudyChangedError: as `load_own_code`.
    """
    began, watch, started_cpu = time.time(), _Watch(), time.process_time()
    look_first_in(work.settings.code_folder)
    members: Sequence[MemberAdvance] = ()
    error = None
    printed = Printed()
    try:
        with printed.kept() if _foreign(work) else nullcontext():
            load_own_code(work)
            members = _advance(work, watch)
    except StudyChangedError:
        raise
    except (Exception, SystemExit):
        error = traceback.format_exc(limit=-4)
    return SliceResult(
        members=tuple(members),
        error=error,
        use=Use(
            worker=os.getpid(),
            began=began,
            wall_seconds=watch.seconds(),
            cpu_seconds=time.process_time() - started_cpu,
            opening_seconds=watch.opening,
            peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES,
        ),
        log=printed.text,
        machine=machine(),
    )


def load_own_code(work: Slice) -> None:
    """Load the user's own code that trains a slice.

    A worker loads it when it trains with it first, which may be hours after the study began, and
    once more when it takes the place of one that died.

    Raises:
        StudyChangedError: it is not what it was when the study was started.
        StudyFileError: it can't be loaded.
    """
    trainer = str(work.members[0].params["trainer"])
    named = {module.name: module for module in work.settings.code}
    began = named.get(module_of(trainer))
    if began is None:
        return
    try:
        trainer_kind(trainer)
        if ":" in trainer:
            load_training_function(trainer)
    finally:  # what can't be loaded any more has changed too
        changed = changed_since(began)
        if changed:
            raise StudyChangedError(
                "the code of a study must stay what it was until the study ends, got another "
                f"{' and '.join(changed)}, which a worker was to train with: bring the old code "
                "back and run the same command again, or go on with --accept-code, which marks "
                "the trials"
            )


def _foreign(work: Slice) -> bool:
    """Whether the trainer is a user's function or an estimator; those train alone."""
    return str(work.members[0].params["trainer"]) not in TRAINERS


@dataclass
class _Watch:
    """Since when a slice runs, and how long it took to get ready."""

    started: float = field(default_factory=time.perf_counter)
    opening: float = 0.0

    def seconds(self) -> float:
        return time.perf_counter() - self.started


def _advance(work: Slice, watch: _Watch) -> list[MemberAdvance]:
    settings = work.settings
    data = training_data(settings.data, settings.exam)
    kind = trainer_kind(str(work.members[0].params["trainer"]))
    assert kind is not None
    gains = [_Gain(member) for member in work.members]
    alive = gains
    kept = take(settings, work.members[0])
    restart = True
    while restart and alive:
        restart = late = False
        trainer = kept or kind.trainer(
            [gain.member for gain in alive], data, n_epochs=settings.n_epochs
        )
        meter = Meter()
        around = meter if settings.resources else nullcontext
        watch.opening = watch.opening or watch.seconds()
        for progress in trainer.run(work.until, settings.schedule, around):
            progress, undefined = _judged(progress, settings.decisive)
            for position, gain in enumerate(alive):
                gain.take(position, progress, trainer, work, meter.metrics(len(alive)))
                gain.diverged_by = undefined[position]
            late = watch.seconds() > settings.seconds and trainer.pausable
            late = late or progress.epoch in work.pauses
            restart = bool(progress.diverged.any()) and progress.epoch < work.until and not late
            if late or restart:
                break
        for position, gain in enumerate(alive):
            state = None if gain.diverged else trainer.state(position)
            gain.member = replace(gain.member, state=state)
            gain.ended_early = _ended_early(trainer, position, work)
            gain.saw_test = trainer.saw_test(position)
            gain.kept = kept is not None
        kept = None
        alive = [gain for gain in alive if not gain.diverged]  # they go on without the diverged
    if settings.keep and _foreign(work) and alive and late and not work.pauses:
        keep(trainer, settings, alive[0].member)
    return [gain.advance() for gain in gains]


def _judged(
    progress: Progress, decisive: tuple[str, ...] | None
) -> tuple[Progress, Sequence[str]]:
    """The progress with members diverged by decisive metrics too, and each one's metric, or ""."""
    names = [""] * len(progress.diverged)
    for name, values in progress.metrics.items():
        if decisive is not None and name not in decisive:
            continue
        for position in np.flatnonzero(~np.isfinite(values) & ~progress.diverged):
            names[position] = names[position] or name
    diverged = progress.diverged | np.array([name != "" for name in names])
    return replace(progress, diverged=diverged), names


def _ended_early(trainer: Trainer, position: int, work: Slice) -> int:
    """The epoch after which a member ended by itself; 0: it did not.

    Raises:
        ValueError: it did and must not.
    """
    ended = trainer.ended(position)
    if ended and not work.settings.may_end_early:
        name = work.members[0].params["trainer"]
        raise ValueError(
            f"{name} must yield metrics for {work.until} epochs, got {ended}: let it yield on, "
            'give its stage fewer epochs, or set outcomes.ended_early = "keep"'
        )
    return ended


@dataclass(eq=False)
class _Gain:
    """A member's MemberAdvance in the making; `member` has the state it reached."""

    member: Member
    epochs: int = 0
    rows: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    diverged: bool = False
    predicted: tuple[int, ...] | None = None
    rates: list[float] = field(default_factory=list)
    fitted: tuple[str, bytes] | None = None
    ended_early: int = 0
    diverged_by: str = ""
    saw_test: bool = False
    kept: bool = False

    def take(
        self,
        position: int,
        progress: Progress,
        trainer: Trainer,
        work: Slice,
        resources: Mapping[str, float],
    ) -> None:
        """Note an epoch's end; the member has this position in the trainer."""
        settings = work.settings
        if progress.diverged[position]:
            self.diverged = True
            return
        self.epochs += 1
        if not progress.metrics:
            return
        row = {name: float(values[position]) for name, values in progress.metrics.items()}
        passes = trainer.passes(position) if settings.passes else None
        if passes is not None:
            row |= dict(zip(PASSES, map(float, passes), strict=True))
        images = trainer.images(position) if settings.passes else None
        if images is not None:
            row[IMAGES] = float(images)
        row |= resources
        if settings.per_class or (settings.exam == "test" and progress.epoch == work.until):
            predicted = trainer.predictions(position)
            if predicted is not None and settings.per_class:
                row |= _per_class(work, self.member.split, predicted)
            if predicted is not None and settings.exam == "test":
                self.predicted = tuple(predicted.tolist())
        self.rows.append((progress.epoch, row))
        rate = trainer.learning_rate(position)
        if rate is not None:
            self.rates.append(rate)
        if settings.exam == "test" and progress.epoch == work.until:
            self.fitted = _file(trainer.fitted(position), work)

    def advance(self) -> MemberAdvance:
        """The finished value."""
        return MemberAdvance(
            self.epochs,
            tuple(self.rows),
            self.member.state,
            self.diverged,
            self.predicted,
            tuple(self.rates),
            self.fitted,
            self.ended_early,
            self.diverged_by,
            self.saw_test,
            self.kept,
        )


def _file(fitted: Fitted | None, work: Slice) -> tuple[str, bytes] | None:
    if fitted is None:
        return None
    examples = OPEN[work.settings.exam](work.settings.data).examples
    try:
        content = fitted.to_bytes(examples.classes, examples.inputs[:EXAMPLES])
    except Exception as error:
        if not _foreign(work):
            raise
        # Its scores are good all the same.
        print(
            f"no model to predict with is kept: {type(error).__name__}: {error}", file=sys.stderr
        )
        return None
    return fitted.file_name, content


def _per_class(work: Slice, split: int, predicted: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy of each class that was scored, by its name or else its number."""
    settings, accuracies = work.settings, {}
    data = training_data(settings.data, settings.exam)
    true = data.labels[data.splits[split].validation]
    classes = OPEN[settings.exam](settings.data).examples.classes
    for k in range(data.n_classes):
        of_class = predicted[true == k]
        name = f"validation_accuracy/class_{classes[k] if classes else k}"
        if not NAME.fullmatch(name):
            name = f"validation_accuracy/class_{k}"
        if of_class.size:
            accuracies[name] = float((of_class == k).mean())
    return accuracies


def population_key(member: Member, data: TrainingData) -> tuple[object, ...]:
    """Members with equal keys and epochs may train together: same trainer, same shapes."""
    params = member.params
    kind = trainer_kind(str(params["trainer"]))
    assert kind is not None
    described = kind.hyperparameters()
    if kind.trainer.uses_network:
        described |= hyperparameters(NETWORKS[str(params["network"])])
    shared = tuple(
        (name, params.get(name, h.default)) for name, h in described.items() if h.shared
    )
    return (
        kind.trainer.__name__,
        str(params.get("network")),
        shared,
        kind.trainer.variant(params, data),
        len(data.splits[member.split].train),
    )


def population_limit(member: Member, data: TrainingData) -> int:
    """How many members like this one train together on this machine."""
    kind = trainer_kind(str(member.params["trainer"]))
    assert kind is not None
    return kind.trainer.population_limit(member.params, data, cache_bytes=l2_cache_bytes())
