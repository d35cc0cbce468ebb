"""A few trials at random from the space, trained for a few epochs, to learn what they cost."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np
import optuna
from optuna.samplers import RandomSampler

from hpsearch.execution.dispatch import AttemptLimits, Dispatcher
from hpsearch.execution.examples import open_data
from hpsearch.execution.jobs import Job, Key, Report
from hpsearch.execution.making import make_executor
from hpsearch.execution.slices import MemberAdvance, SliceSettings
from hpsearch.hyperparameters import ParamValue
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord
from hpsearch.study.slice_settings import slice_settings
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.tables.execution import slots_here
from hpsearch.trainers import Member, Program

Reports = Mapping[Key, Sequence[Report]]
MOST_EPOCHS = 50  # of the second part; beyond it a longer look says nothing new


@dataclass(frozen=True)
class Cost:
    """What a trial of the probe cost, a member.

    Attributes:
        first: seconds of its first epoch, with all that comes before it.
        later: seconds of each later epoch.
        failed: it raised; then the other numbers are those of what it did before.
    """

    first: float
    later: float
    failed: str = ""


@dataclass(frozen=True)
class Probe:
    """What the probe found.

    Attributes:
        costs: of each trial.
        epochs: that each was trained for.
        seconds: that the probe took.
        slowdown: the clock's seconds to the processor's: above 1 where others use the machine,
            or where a trial waits for something.
        metrics: reported an evaluation.
        row_bytes: of a member's record, an evaluation.
        state_bytes: of a member's state, a mean.
    """

    costs: tuple[Cost, ...]
    epochs: int
    seconds: float
    slowdown: float
    metrics: int
    row_bytes: float
    state_bytes: float


def probe(read: ReadStudy, *, trials: int, seconds: float) -> Probe:
    """Train trials drawn at random over the full ranges, in this process; writes nothing.

    They train in populations as in the study: first for one epoch, which is never cut short,
    then for about `seconds`.

    Args:
        read: the study.
        trials: how many are drawn.
        seconds: aimed at for all but the first epoch.
    """
    with TemporaryDirectory(prefix="hpsearch-") as place:
        return _probed(read, trials, seconds, Path(place))


def _probed(read: ReadStudy, trials: int, seconds: float, place: Path) -> Probe:
    started = time.perf_counter()
    jobs = _jobs(read, _drawn(read, trials), place)
    settings = slice_settings(read, largest(read).selection)
    limits = AttemptLimits(read.file.limits.allowance())  # who raises is not tried again here
    open_data(settings.data, settings.exam)
    first = time.perf_counter()
    slots = slots_here(read.file.execution)
    early = _train(jobs, 1, settings, limits, slots)
    spent = max(time.perf_counter() - first, 1e-6)
    n_epochs = read.file.n_epochs
    until = 1 + min(n_epochs - 1, MOST_EPOCHS, int(seconds / spent))
    going_on = [
        replace(job, member=replace(job.member, state=state), epoch=1)
        for job in jobs
        if (state := _state(early[job.key])) is not None
    ]
    late = _train(going_on, until, settings, limits, slots) if until > 1 else {}
    all_reports = [r for reports in (*early.values(), *late.values()) for r in reports]
    advances = [r.advance for r in all_reports if r.advance is not None and r.advance.rows]
    wall = sum(report.wall_seconds for report in all_reports)
    cpu = sum(report.cpu_seconds for report in all_reports)
    jobs_by_key = {job.key: job for job in jobs}
    keys = [[job.key for job in jobs if job.key[0] == str(number)] for number in range(trials)]
    return Probe(
        costs=tuple(
            _cost(members, early, late, until, jobs_by_key[members[0]].member.program)
            for members in keys
        ),
        epochs=until,
        seconds=time.perf_counter() - started,
        # A program waits for many things: a disk, a GPU.
        slowdown=max(1.0, wall / cpu) if cpu and not read.programs else 1.0,
        metrics=max((len(gain.rows[0][1]) for gain in advances), default=0),
        row_bytes=mean(map(_row_bytes, advances)) if advances else 0.0,
        state_bytes=mean(len(gain.state or b"") for gain in advances) if advances else 0.0,
    )


def largest(read: ReadStudy) -> Arm:
    """The arm with the most data: what a trial of the study costs at most."""
    return max(read.arms, key=lambda arm: (arm.selection.shots or 0, arm.fold is None))


def _drawn(read: ReadStudy, trials: int) -> list[dict[str, ParamValue]]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=RandomSampler(seed=read.file.seed % 2**32))
    space, rng = read.space, np.random.default_rng(read.file.seed)
    drawn = [space.suggest(study.ask()) for _ in range(trials)]
    return [
        params if space.broken(params) is None else space.complete(space.kept(rng))
        for params in drawn
    ]


def _jobs(read: ReadStudy, drawn: list[dict[str, ParamValue]], place: Path) -> list[Job]:
    return [
        Job(
            (str(number), index),
            Member(
                read.space.given(params),
                SeedKey(read.file.seed, number, repeat, split),
                split,
                folder=str(place / f"{number}-{index}"),
                program=read.programs.get(str(params["trainer"])),
            ),
        )
        for number, params in enumerate(drawn)
        for index, (split, repeat) in enumerate(
            product(range(read.file.n_splits), range(read.file.evaluation.seeds))
        )
    ]


def _train(
    jobs: list[Job],
    until: int,
    settings: SliceSettings,
    limits: AttemptLimits,
    slots: Sequence[str],
) -> Reports:
    found = defaultdict(list)
    # In this process; where trials are limited in one that can be stopped.
    with make_executor(0 if limits.allowance is None else 1, slots=slots) as executor:
        dispatcher = Dispatcher(executor, settings, limits, workers=1)
        for reports in dispatcher.run([jobs], until):
            for report in reports:
                found[report.key].append(report)
    return found


def _state(reports: Sequence[Report]) -> bytes | None:
    """Where to go on from; None where it ended."""
    last = reports[-1].advance
    return None if last is None else last.state


def _cost(
    keys: Sequence[Key], early: Reports, late: Reports, until: int, program: Program | None
) -> Cost:
    """Of the trial with these members.

    Args:
        until: the length that they were trained to at last.
        program: that was run, if any.
    """
    first = sum(report.wall_seconds for key in keys for report in early[key]) / len(keys)
    reports = [report for key in keys for report in late.get(key, ())]
    epochs = sum(report.advance.epochs for report in reports if report.advance)
    later = sum(report.wall_seconds for report in reports) / epochs if epochs else first
    if program is not None and epochs:
        later = _pace(first, later * epochs / len(keys), until, program)
    reasons = [report.reason for key in keys for report in (*early[key], *late.get(key, ()))]
    return Cost(first, later, next(filter(None, reasons), ""))


def _pace(first: float, second: float, until: int, program: Program) -> float:
    """Seconds of an epoch of a program, without its start: it was started twice.

    Args:
        first, second: seconds of its run of one epoch, and of that to `until`.
    """
    more = until - (2 if program.checkpoint else 1)  # epochs of the second beside the first's
    return max(0.0, (second - first) / more) if more > 0 else min(first, second)


def _row_bytes(advance: MemberAdvance) -> float:
    """What an evaluation adds to a member's record."""
    record = MemberRecord(0, SeedKey(0, 0, 0, 0))
    record.extend(advance.epochs, advance.rows)
    return len(json.dumps([record.epochs, record.history])) / len(advance.rows)
