"""The programs of a study, started for a moment before anything else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
from hpsearch.trainers.commands import Purpose
from hpsearch.trainers.programs.program import TEST_COMMAND, ProgramFailed, ProgramTrainer

MOST_DRAWS = 200  # until a configuration of each program came


def dry_start(read: ReadStudy, slot: str = "") -> list[str]:
    """Run each program with a configuration at random until it prints a metric, ends, or its
    `dry_start` seconds are over; then it is ended.

    One with a test command is then trained for one epoch as in the final test, and that command is
    run on what it left, in a folder that is thrown away with the score.

    Args:
        slot: the GPUs that it may use; "" where there are no slots.

    Returns:
        Which test commands failed or could not be tried, and why, one entry each.

    Raises:
        StudyFileError: one can't be started, ends with an error, or prints no metric.
    """
    tables = {k: t for k, t in read.file.all_programs.items() if t.dry_start}
    drawn = _drawn(read, set(tables)) if tables else {}
    tries = [_Try(read, name, params, tables[name].dry_start) for name, params in drawn.items()]
    with in_slot(slot):
        problems = [problem for one in tries for problem in one.problems()]
    if problems:
        raise StudyFileError.listing(read.path, problems)
    return [one.untried for one in tries if one.untried]


@dataclass
class _Try:
    """A program that is tried.

    Args:
        name: of its table, and as a trainer.
        params: that it is tried with.
        seconds: that each step may take.

    Attributes:
        untried: that its test command failed, or had no time; "" where it did not, or is none.
    """

    read: ReadStudy
    name: str
    params: dict[str, ParamValue]
    seconds: float
    untried: str = ""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with its command, or with its test command."""
        try:
            with TemporaryDirectory(prefix="hpsearch-") as place:
                trainer = self._trainer(place, "search")
                trainer.try_start(self.read.file.stages[0].epochs, self.seconds)
        except TrialFailed as error:
            yield Problem(f"{self.name}.command", str(error).removeprefix(f"{self.name} "))
            return
        if self.read.programs[self.name].test is not None:
            yield from self._test_problems()

    def _test_problems(self) -> Iterator[Problem]:
        try:
            with TemporaryDirectory(prefix="hpsearch-") as place:
                tried = self._trainer(place, "test").try_test(self.seconds)
        except TrialFailed as error:
            said = str(error)
            what = said.removeprefix(f"{TEST_COMMAND} ")
            if what == said:  # it is of the training
                rule = f"with {{purpose}} = test {said.removeprefix(f'{self.name} ')}"
                yield Problem(f"{self.name}.command", rule)
            elif isinstance(error, ProgramFailed):
                self.untried = (
                    f"{self.name}.test {what}\nIt was tried after one epoch. If it needs more, "
                    "this is no mistake; otherwise press Ctrl-C and correct it"
                )
            else:
                yield Problem(f"{self.name}.test", what)
            return
        if not tried:
            self.untried = (
                f"{self.name}.test was not tried before the search, because an epoch or the test "
                f"takes more than {self.name}.dry_start = {self.seconds:g} seconds: raise it to "
                "find a mistake in the test now"
            )

    def _trainer(self, place: str, purpose: Purpose) -> ProgramTrainer:
        member = Member(
            self.read.space.given(self.params),
            SeedKey(self.read.file.seed, 0, 0, 0),
            0,
            folder=str(Path(place, "trial")),
            purpose=purpose,
            program=self.read.programs[self.name],
        )
        data = TrainingData(
            NOTHING.inputs, NOTHING.labels, n_classes=0, splits=[Split(NO_ROWS, NO_ROWS)]
        )
        return ProgramTrainer([member], data, n_epochs=self.read.file.n_epochs)


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
