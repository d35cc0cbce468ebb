"""Running one population for one slice of time, in whatever process it was sent to.

`run_slice` is the only function that workers are asked for. It imports neither optuna nor mlflow.
"""

from __future__ import annotations

import os
import resource
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from hpsearch.errors import StudyChangedError, TrialFailed
from hpsearch.execution.examples import data_of
from hpsearch.execution.gains import Gain, ended_early, judged, scored
from hpsearch.execution.kept import keep, take
from hpsearch.execution.limits import LimitName
from hpsearch.execution.live import Pace, is_heard, tell
from hpsearch.execution.machine import machine
from hpsearch.execution.meter import Meter
from hpsearch.execution.printed import PrintedText, encodable
from hpsearch.execution.private_mlflow import private_mlflow
from hpsearch.execution.scoring.own_scores import load_score
from hpsearch.execution.slices import FINAL, MemberAdvance, Slice, SliceResult, Use
from hpsearch.execution.surroundings import same_surroundings
from hpsearch.hyperparameters import hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.own_code import changed_since, look_first_in, module_of
from hpsearch.preparation.settings import preparation_of
from hpsearch.trainers import (
    Member,
    TrainingData,
    is_training_function,
    load_training_function,
    trainer_kind,
)
from hpsearch.trainers.programs.program_start import changed_files, note_of_runs
from hpsearch.trainers.tables.prepared import prepared

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss
FALLBACK_L2_BYTES = 1 << 20  # where the system doesn't tell; common on servers and laptops


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

    What a trainer gains that can't be paused is told of while it runs, where anyone listens:
    every `seconds / 2` of the settings, and no later than that after an epoch's end.

    Raises:
        StudyChangedError: as `load_own_code`.
    """
    watch, printed = _Watch(), PrintedText()
    look_first_in(work.settings.code_folder)
    members: Sequence[MemberAdvance] = ()
    error: str | None = None
    limit: LimitName | Literal[""] = ""
    lost = False
    gains = [Gain(member) for member in work.members]

    def tell_gains() -> None:
        told = tuple(gain.tell() for gain in gains)
        tell(
            SliceResult(
                told,
                None,
                watch.use(),
                machine(),
                printed.take(),
                warned=printed.take_warned(),
            )
        )

    pace = Pace(tell_gains, work.settings.seconds / 2)
    try:
        folder, member = work.members[0].folder, work.members[0].entropy
        foreign = private_mlflow(folder, member) if work.foreign else nullcontext()
        heard = work.foreign or work.settings.exam in FINAL  # why no model is kept
        with printed.kept() if heard else nullcontext(), foreign:
            load_own_code(work)
            with same_surroundings():
                members = _advance(work, gains, watch, pace, printed)
            printed.add(note_of_runs(folder) if work.members[0].program is None else "")
    except StudyChangedError:
        raise
    except TrialFailed as failed:
        error, limit, lost = str(failed), failed.limit, failed.lost
    except (Exception, SystemExit):
        error = traceback.format_exc(limit=-4)
    finally:
        pace.end()
    return SliceResult(
        members=tuple(members),
        error=None if error is None else encodable(error),
        use=watch.use(),
        log=printed.take_last(),
        warned=printed.take_warned(),
        limit=limit,
        lost=lost,
        machine=machine(),
    )


def _cpu_seconds() -> float:
    """Of this process, and of those that it started and that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _peak_bytes() -> int:
    """The most that this process has held so far, or one that it started and that has ended."""
    own, ended = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(own.ru_maxrss, ended.ru_maxrss) * MAXRSS_BYTES


def load_own_code(work: Slice) -> None:
    """Load the user's own code that trains a slice.

    A worker loads it when it trains with it first, which may be hours after the study began, and
    once more when it takes the place of one that died.

    Raises:
        StudyChangedError: it is not what it was when the study was started.
        StudyFileError: it can't be loaded.
    """
    trainer, program = str(work.members[0].params["trainer"]), work.members[0].program
    if program is not None:
        _refuse_changed(changed_files(program))
    named = {module.name: module for module in work.settings.code}
    for name in (trainer, *work.settings.scoring.own):
        began = named.get(module_of(name))
        if began is None:
            continue
        try:
            _load(name, name == trainer)
        finally:  # what can't be loaded any more has changed too
            _refuse_changed(changed_since(began))


def _load(name: str, trains: bool) -> None:
    """A trainer, or a score."""
    if not trains:
        load_score(name)
        return
    trainer_kind(name)
    if is_training_function(name):
        load_training_function(name)


def _refuse_changed(files: Sequence[str]) -> None:
    if files:
        raise StudyChangedError(
            f"the code changed while the study was running: {' and '.join(files)}. Restore the "
            "old code and run the same command again, or continue with --accept-code, which marks "
            "the trials"
        )


@dataclass
class _Watch:
    """Since when a slice runs, how long it took to get ready, and how much of it was told of."""

    began: float = field(default_factory=time.time)
    started: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=lambda: _cpu_seconds())
    opening: float = 0.0
    told: float = 0.0

    def seconds(self) -> float:
        return time.perf_counter() - self.started

    def use(self) -> Use:
        """What the slice took since it began, or since this was called last."""
        now, cpu, told = self.seconds(), _cpu_seconds(), self.told
        used = Use(
            worker=os.getpid(),
            began=self.began + told,
            wall_seconds=now - told,
            cpu_seconds=cpu - self.cpu,
            opening_seconds=0.0 if told else self.opening,
            peak_bytes=_peak_bytes(),
        )
        self.told, self.cpu = now, cpu
        return used


def _advance(
    work: Slice, gains: list[Gain], watch: _Watch, pace: Pace, printed: PrintedText
) -> list[MemberAdvance]:
    settings = work.settings
    data = data_of(settings)
    kind = trainer_kind(str(work.members[0].params["trainer"]))
    assert kind is not None
    if kind.needs is not None:  # else it gets a table as it is
        data = prepared(data, work.members[0])
    alive = gains
    kept = take(settings, work.members[0])
    for gain in gains:
        gain.kept = kept is not None
    restart = True
    while restart and alive:
        restart = late = False
        trainer = kept or kind.trainer(
            [gain.member for gain in alive], data, n_epochs=settings.n_epochs
        )
        meter = Meter()
        around = meter if settings.resources else nullcontext
        watch.opening = watch.opening or watch.seconds()
        live = is_heard() and not trainer.pausable and alive is gains
        try:
            for progress in trainer.run(work.until, settings.schedule, around):
                if settings.schedule.due(progress.epoch, work.until):
                    trained = [gain.member for gain in alive]
                    progress = scored(progress, trainer, trained, data, settings)
                progress, undefined = judged(progress, settings.decisive)
                with pace.lock:
                    printed.put("".join(map(trainer.printed, range(len(alive)))))
                    for position, gain in enumerate(alive):
                        gain.take(position, progress, trainer, work, meter.metrics(len(alive)))
                        gain.diverged_by = undefined[position]
                    late = watch.seconds() > settings.seconds and trainer.pausable
                    late = late or progress.epoch in work.pauses
                    diverged = bool(progress.diverged.any())
                    restart = diverged and progress.epoch < work.until and not late
                    if late or diverged or progress.epoch >= work.until:
                        pace.end()  # the result says it
                    elif live:
                        for position, gain in enumerate(alive):
                            gain.note(trainer.state(position), trainer.saw_test(position))
                        if all(gain.member.state is not None for gain in gains):  # else: no way on
                            pace.changed()
                if late or restart:
                    break
        finally:
            printed.put("".join(map(trainer.printed, range(len(alive)))))
        for position, gain in enumerate(alive):
            state = None if gain.diverged else trainer.state(position)
            gain.note(state, trainer.saw_test(position))
            gain.ended_early = ended_early(trainer, position, work)
        kept = None
        alive = [gain for gain in alive if not gain.diverged]  # they go on without the diverged
    if settings.keep and work.foreign and alive and late and not work.pauses:
        keep(trainer, settings, alive[0].member)
    return [gain.advance() for gain in gains]


def population_key(member: Member, data: TrainingData) -> tuple[object, ...]:
    """Members with equal keys and epochs may train together: same trainer, same shapes.

    Those on a table whose columns are prepared share the preparation and the split: what is
    fitted to the training rows of another fold is another table, and may be a wider one.
    """
    params = member.params
    kind = trainer_kind(str(params["trainer"]))
    assert kind is not None
    described = kind.hyperparameters()
    if kind.trainer.uses_network:
        described |= hyperparameters(NETWORKS[str(params["network"])])
    shared: tuple[object, ...] = tuple(
        (name, params.get(name, h.default)) for name, h in described.items() if h.shared
    )
    if data.table_columns:
        shared += (member.split, preparation_of(params))
    variant = None
    if kind.trainer.uses_network:
        variant = kind.trainer.variant(params, prepared(data, member))
    return (
        kind.trainer.__name__,
        str(params.get("network")),
        shared,
        variant,
        len(data.splits[member.split].train),
    )


def population_limit(member: Member, data: TrainingData) -> int:
    """How many members like this one train together on this machine."""
    kind = trainer_kind(str(member.params["trainer"]))
    assert kind is not None
    if not kind.trainer.uses_network:
        return 1
    table = prepared(data, member)
    return kind.trainer.population_limit(member.params, table, cache_bytes=l2_cache_bytes())
