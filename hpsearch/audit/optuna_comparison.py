"""Whether Optuna's storage says what the records say, and making it so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from hpsearch.audit.difference import Difference
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import GOALS
from hpsearch.samplers.unit import SIGNIFICANT_DIGITS
from hpsearch.study.storage import STATES, TrialStore
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.objectives import Direction

REFILL = "the Optuna study is made anew from the records"


def compare_optuna(
    storage: BaseStorage, study: str, name: str, folder: RunFolder, arm: ArmPlace | None
) -> Iterator[Difference]:
    """What differs between the records of an arm of a run and its study in Optuna.

    Args:
        study: its name in Optuna.
        name: the run, as people see it.
        arm: None where none was kept; a run without trials, or with one arm.
    """
    space = arm.space if arm else None
    records = [r for r in folder.read_all("trial") if arm is None or arm.holds(r.number)]
    there = study in optuna.get_all_study_names(storage)
    stored = optuna.load_study(study_name=study, storage=storage).trials if there else []
    trials = {trial.number: trial for trial in stored}
    remedy = REFILL if space else "run the study's file again, which fills it"
    if not there and records:
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


def refill_optuna(
    storage: BaseStorage,
    study: str,
    folder: RunFolder,
    arm: ArmPlace,
    directions: Sequence[Direction],
) -> None:
    """Make the Optuna study of an arm of a run anew from its records."""
    space = arm.space
    if study in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=study, storage=storage)
    store = TrialStore(storage, study, directions, local=arm.local)
    distributions = {parameter.name: parameter.distribution for parameter in space.parameters}
    records = {r.number: r for r in folder.read_all("trial") if arm.holds(r.number)}
    n_trials = arm.local(max(records)) + 1 if records else 0
    for number in map(arm.number, range(n_trials)):
        record = records.get(number)
        store.restore(number, space.searched(record.params) if record else {}, distributions)
        if record is not None:
            store.report(number, record.reported)
            store.keep_goals(record)
            if record.sealed:
                store.finish(number, record.told, record.reported, record.values)
