"""The programs of a study, started for a moment before anything else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import optuna
from optuna.samplers import RandomSampler

from hpsearch.datasets.selection import NO_ROWS, NOTHING
from hpsearch.errors import Problem, StudyFileError, TrialFailed
from hpsearch.execution.gpus import in_slot
from hpsearch.hyperparameters import ParamValue
from hpsearch.records.seed_key import SeedKey
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.trainers import Member, Split, TrainingData
from hpsearch.trainers.programs.program import ProgramTrainer

MOST_DRAWS = 200  # until a configuration of each program came


def dry_start(read: ReadStudy, slot: str = "") -> None:
    """Run each program with a configuration at random until it prints a metric, ends, or its
    `dry_start` seconds are over; then it is ended.

    Args:
        slot: the GPUs that it may use; "" where there are no slots.

    Raises:
        StudyFileError: one can't be started, ends with an error, or prints no metric.
    """
    with in_slot(slot):
        problems = [*_problems(read)]
    if problems:
        raise StudyFileError.listing(read.path, problems)


def _problems(read: ReadStudy) -> Iterator[Problem]:
    tables = {k: t for k, t in read.file.all_programs.items() if t.dry_start}
    if not tables:
        return
    drawn = _drawn(read, set(tables))
    data = TrainingData(
        NOTHING.inputs, NOTHING.labels, n_classes=0, splits=[Split(NO_ROWS, NO_ROWS)]
    )
    for name, params in drawn.items():
        with TemporaryDirectory(prefix="hpsearch-") as place:
            member = Member(
                read.space.given(params),
                SeedKey(read.file.seed, 0, 0, 0),
                0,
                folder=str(Path(place, "trial")),
                program=read.programs[name],
            )
            trainer = ProgramTrainer([member], data, n_epochs=read.file.n_epochs)
            try:
                trainer.try_start(read.file.stages[0].epochs, tables[name].dry_start)
            except TrialFailed as error:
                yield Problem(f"{name}.command", str(error).replace(f"{name} ", "", 1))


def _drawn(read: ReadStudy, wanted: set[str]) -> dict[str, dict[str, ParamValue]]:
    """A configuration of each program, as far as some draws have one."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=RandomSampler(seed=read.file.seed % 2**32))
    found: dict[str, dict[str, ParamValue]] = {}
    for _ in range(MOST_DRAWS):
        params = read.space.suggest(study.ask())
        if read.space.broken(params) is not None:
            continue
        if str(params["trainer"]) in wanted:
            found.setdefault(str(params["trainer"]), params)
        if len(found) == len(wanted):
            break
    return found
