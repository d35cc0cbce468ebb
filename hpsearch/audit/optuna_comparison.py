"""Whether Optuna's storage says what the records say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from hpsearch.audit.difference import Difference
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import GOALS
from hpsearch.samplers.unit import SIGNIFICANT_DIGITS
from hpsearch.study.storage import STATES
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.space import Space

REFILL = "the Optuna study is made anew from the records"


def compare_optuna(
    stored: Sequence[FrozenTrial] | None,
    study: str,
    name: str,
    folder: RunFolder,
    arm: ArmPlace | None,
) -> Iterator[Difference]:
    """What differs between the records of an arm of a run and its study in Optuna.

    Args:
        stored: the trials of its study in Optuna; None: there is no such study.
        study: its name in Optuna.
        name: the run, as people see it.
        arm: None where none was kept; a run without trials, or with one arm.
    """
    space = arm.space if arm else None
    records = [r for r in folder.read_all("trial") if arm is None or arm.holds(r.number)]
    trials = {trial.number: trial for trial in stored or ()}
    remedy = REFILL if space else "run the study's file again, which fills it"
    if stored is None and records:
        problem = f"the study {study!r} must be there, is not"
        yield Difference("Optuna", name, problem, remedy, repairable=space is not None)
        return
    for record in records:
        trial = trials.pop(arm.local(record.number) if arm else record.number, None)
        problems = ["must be there, is not"] if trial is None else _unequal(record, trial, space)
        for problem in problems:
            subject = f"{name} trial {record.number}"
            yield Difference("Optuna", subject, problem, remedy, repairable=space is not None)
    # A trial that was asked for when the coordinator died has no record yet; it is drawn again.
    for number, trial in trials.items():
        if trial.state.is_finished():
            yield Difference(
                "Optuna",
                f"{name} trial {arm.number(number) if arm else number}",
                "must have a record, has none",
                remedy,
                repairable=space is not None,
            )


def _unequal(record: TrialRecord, trial: FrozenTrial, space: Space | None) -> list[str]:
    problems = []
    expected = space.searched(record.params) if space else {}
    for name in sorted(expected.keys() | trial.params.keys()) if space else ():
        value, found = expected.get(name), trial.params.get(name)
        if not _same(value, found):
            problems.append(f"{name} must be {value}, is {found}")
    goals = trial.user_attrs.get(GOALS, {})
    reported = trial.intermediate_values
    for what, ours, told in (
        ("scores", {} if record.values else record.reported, reported),
        ("values", record.values, _by_epochs(goals.get("values", {}))),
        ("violations", record.violations, _by_epochs(goals.get("violations", {}))),
    ):
        # What Optuna was not told yet of a trial that goes on, it is told then.
        lacks = record.sealed and ours.keys() - told.keys()
        if lacks or any(ours.get(step) != value for step, value in told.items()):
            problems.append(f"{what} must be {ours}, are {told}")
    if record.sealed:
        state = STATES.get(record.told, TrialState.PRUNED)
        if trial.state != state:
            problems.append(f"state must be {state.name}, is {trial.state.name}")
    elif trial.state.is_finished():
        problems.append(f"must not be finished, is {trial.state.name}")
    return problems


def _by_epochs(stored: Mapping[str, Any]) -> dict[int, Any]:
    """What Optuna has as JSON, whose keys are texts, by number."""
    return {int(epochs): value for epochs, value in stored.items()}


def _same(value: object, found: object) -> bool:
    """Whether Optuna's value is that of the record, which is rounded (space.round_float)."""
    if isinstance(value, float) and isinstance(found, float):
        return math.isclose(value, found, rel_tol=0.5 * 10 ** (2 - SIGNIFICANT_DIGITS))
    return value == found
