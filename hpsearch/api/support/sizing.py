"""A new study sized to a time: as many trials, repeats and refits as a probe says it allows."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from hpsearch.api.support.forecasts import (
    START_SECONDS,
    expected_seconds,
    mean_cost,
    n_busy,
    n_workers,
)
from hpsearch.counts import count_of
from hpsearch.errors import Problem, StudyFileError
from hpsearch.study.confirmation.extent import Costs, Extent
from hpsearch.study.plan import n_defaults
from hpsearch.study.probe import Probe, probe
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.study_file import StudyFile

TRIALS = 4  # of the probe
SHARE = 0.05  # of the time, that the probe aims at beside one epoch of each of its trials
LONGEST = 5.0  # seconds that it aims at
FILLED = 0.85  # of the time left, by the forecast: studies take 0.9 to 1.4 times theirs
LISTS = ("grid", "listed", "brute-force")  # samplers that go through all there is
MOST = 1000.0  # times the trials of the file
STEPS = 20  # of the bisection, each half of the step before


@dataclass(frozen=True)
class Sized:
    """How large a study is to be.

    Attributes:
        overrides: of its file, as for --set.
        text: the same in words.
    """

    overrides: tuple[str, ...]
    text: str


def sized(read: ReadStudy, minutes: float, workers: int | None, cluster: str) -> Sized:
    """Train a few trials, and size the stages and what follows them to what is left of the time.

    The stages keep their lengths and their proportion; confirmation and test get at most half of
    the time. The whole is bounded by the clock too, should the forecast be too low.

    Raises:
        StudyFileError: the file says itself how large the search is, or it runs on a cluster.
    """
    if cluster:
        raise StudyFileError(
            "--minutes must be left out beside --executor: a probe on this machine says little "
            "about the time on others"
        )
    if why := _why_not(read):
        problem = Problem("--minutes", f"must be left out, because {why}")
        raise StudyFileError.listing(read.path, [problem])
    began = time.perf_counter()
    found = probe(read, trials=TRIALS, seconds=min(LONGEST, 60 * minutes * SHARE))
    busy = n_busy(read, n_workers(read, workers))
    left = 60 * minutes - (time.perf_counter() - began)
    extent = _extent(read, found, busy, left / 2)
    low, high = 0.0, MOST
    for _ in range(STEPS):
        # By ratios: a study may be a hundredth or a hundred times as large.
        middle = (max(low, 1 / MOST) * high) ** 0.5
        fits = expected_seconds(_scaled(read, middle, extent), found, busy) <= FILLED * left
        low, high = (middle, high) if fits else (low, middle)
    chosen = _scaled(read, low, extent)
    seconds = expected_seconds(chosen, found, busy)
    return Sized(tuple(_overrides(read, chosen, left)), _text(chosen, minutes, seconds))


def _why_not(read: ReadStudy) -> str:
    """Why a study can't be sized; "" where it can."""
    file = read.file
    if file.budget.bounds_work:
        return "[budget] of the study file says how much it may take"
    if len(read.arms) > 1:
        return "the study has several searches, and a clock would end them differently"
    asked = sum(stage.trials for stage in file.stages)
    if file.sampler.name in LISTS or file.sampler.n_configurations(read.space, asked) is not None:
        return "the number of configurations says how many trials there are"
    return ""


def _extent(read: ReadStudy, found: Probe, busy: int, limit: float) -> Extent:
    """Of confirmation and test that takes no more than this."""
    file = read.file
    first, later = mean_cost(found)
    run = file.n_members * (first + later * (file.n_epochs - 1)) / busy
    beside = n_defaults(file, read.arms) > 0
    costs = Costs.alike(file, run, file.confirmation.top, beside=beside)
    kept = ["top"] * (len(file.directions) > 1)
    return costs.within(limit, Extent.of(file), kept)


def _scaled(read: ReadStudy, factor: float, extent: Extent) -> ReadStudy:
    """The study with so many times the trials of each stage."""
    file = read.file
    stages = [
        stage.model_copy(update={"trials": max(least, int(stage.trials * factor))})
        for stage, least in zip(file.stages, _least(file), strict=True)
    ]
    confirmation = file.confirmation.model_copy(update=extent._asdict())
    return replace(
        read, file=file.model_copy(update={"stages": stages, "confirmation": confirmation})
    )


def _least(file: StudyFile) -> list[int]:
    """Trials that each stage has at least: those that the file lists, and those that go on as
    controls beside one that is promoted."""
    controls = [stage.controls + 1 for stage in file.stages[1:]]
    return [max(needed, len(file.enqueue) * (n == 0)) for n, needed in enumerate([*controls, 1])]


def _overrides(read: ReadStudy, chosen: ReadStudy, left: float) -> list[str]:
    said = [f"stages.{i}.trials={stage.trials}" for i, stage in enumerate(chosen.file.stages)]
    numbers, before = Extent.of(chosen.file), Extent.of(read.file)
    said += [
        f"confirmation.{name}={getattr(numbers, name)}"
        for name in Extent._fields
        if getattr(numbers, name) != getattr(before, name)
    ]
    return [*said, f"budget.total_seconds={max(1.0, left - START_SECONDS):.0f}"]


def _text(chosen: ReadStudy, minutes: float, seconds: float) -> str:
    first, *others = chosen.file.stages
    length = count_of(first.epochs, "epoch") + first.on_fewer
    parts = [f"{count_of(first.trials, 'trial')} of {length}"]
    parts += [f"{stage.trials} of {stage.epochs}{stage.on_fewer}" for stage in others]
    stages = ", ".join(parts)
    extent = Extent.of(chosen.file)
    return (
        f"sized to {count_of(minutes, 'minute', form='g')}: {stages}; then the best {extent.top} "
        f"on {count_of(extent.seeds, 'fresh seed')} and {count_of(extent.test_seeds, 'refit')}; "
        f"about {seconds:.0f} s"
    )
