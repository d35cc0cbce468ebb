"""Whether Optuna's storage says what the records say, and making it say that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import GOALS, OUTCOME, SECONDS
from hpsearch.samplers.unit import SIGNIFICANT_DIGITS
from hpsearch.study.storage.trials import STATES, TrialStore, stored_trials
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.objectives import Direction


def refill_optuna(
    storage: BaseStorage,
    study: str,
    folder: RunFolder,
    arm: ArmPlace,
    directions: Sequence[Direction],
) -> None:
    """Make the Optuna study of an arm of a run anew from its records.

    A trial without a record keeps the parameters that it was drawn with: it is trained again.
    """
    space = arm.space
    drawn = {trial.number: trial.params for trial in stored_trials(storage, study) or ()}
    if drawn or study in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=study, storage=storage)
    store = TrialStore(storage, study, directions, local=arm.local)
    distributions = {parameter.name: parameter.distribution for parameter in space.parameters}
    records = {r.number: r for r in folder.read_all("trial") if arm.holds(r.number)}
    n_trials = arm.local(max(records)) + 1 if records else 0
    for number in map(arm.number, range(n_trials)):
        record = records.get(number)
        kept = drawn.get(arm.local(number), {})
        params = space.in_optuna(record.params) if record else kept
        store.restore(number, params, distributions)
        if record is not None:
            store.report(number, record.reported)
            store.keep_goals(record)
            store.keep_seconds(record)
            if record.sealed:
                store.finish(number, record.told, record.reported, record.values)


def contradictions(
    storage: BaseStorage, study: str, records: Iterable[TrialRecord], arm: ArmPlace
) -> list[str]:
    """What an Optuna study says otherwise than the records of an arm, a line a trial.

    What a trial that goes on lacks is no contradiction: Optuna is told of it then.
    """
    trials = {trial.number: trial for trial in stored_trials(storage, study) or ()}
    found, last = list[str](), -1
    for record in records:
        trial = trials.get(arm.local(record.number))
        last = max(last, arm.local(record.number))
        if trial is None:
            continue
        problems = unequal(record, trial, arm.space, complete=trial.state.is_finished())
        if problems:
            found.append(f"trial {record.number}: {'; '.join(problems)}")
    for number, trial in trials.items():
        if number > last and _is_foreign(trial):
            found.append(f"trial {arm.number(number)}: must have a record, has none")
    return found


def is_of_earlier_chapter(
    storage: BaseStorage,
    study: str,
    records: Iterable[TrialRecord],
    arm: ArmPlace,
    directions: Sequence[Direction],
) -> bool:
    """Whether trials were stored with other ranges, choices or scores than the chapter has.

    Optuna refuses other choices of a parameter and another direction within a study, and models
    the range that it finds: the study is made anew, with the earlier trials in the new ranges.

    Args:
        records: the earlier trials.
    """
    if study not in optuna.get_all_study_names(storage):
        return False
    stored = optuna.load_study(study_name=study, storage=storage)
    if [direction.name.lower() for direction in stored.directions] != [*directions]:
        return True
    now = {parameter.name: parameter.distribution for parameter in arm.space.parameters}
    others = (
        distribution != now.get(name)
        for trial in stored.get_trials(deepcopy=False)
        for name, distribution in trial.distributions.items()
    )
    return any(others) or bool(contradictions(storage, study, records, arm))


def _is_foreign(trial: FrozenTrial) -> bool:
    """Whether a trial without a record was added by Optuna's own API: one of ours that has ended,
    whose record was lost, has a score, goals or an outcome there."""
    told = trial.intermediate_values or {GOALS, OUTCOME} & trial.user_attrs.keys()
    return trial.state != TrialState.RUNNING and not told


def unequal(
    record: TrialRecord, trial: FrozenTrial, space: Space | None, *, complete: bool = True
) -> list[str]:
    """What Optuna says otherwise than a record.

    Args:
        space: what is searched; None: not known, and parameters are not compared.
        complete: what Optuna lacks counts too; a study that goes on makes that up.
    """
    problems = []
    expected = space.in_optuna(record.params) if space else {}
    names = expected.keys() | trial.params.keys() if complete else trial.params.keys()
    for name in sorted(names) if space else ():
        value, found = expected.get(name), trial.params.get(name)
        if not _same(value, found):
            problems.append(f"{name} must be {value}, is {found}")
    goals = trial.user_attrs.get(GOALS, {})
    reported = trial.intermediate_values
    for what, ours, told in (
        ("scores", {} if record.values else record.reported, reported),
        ("values", record.values, _by_epochs(goals.get("values", {}))),
        ("violations", record.violations, _by_epochs(goals.get("violations", {}))),
        ("seconds", record.seconds, _by_epochs(trial.user_attrs.get(SECONDS, {}))),
    ):
        # What Optuna was not told yet of a trial that goes on, it is told then.
        lacks = complete and record.sealed and ours.keys() - told.keys()
        if lacks or any(ours.get(step) != value for step, value in told.items()):
            problems.append(f"{what} must be {ours}, are {told}")
    if record.sealed:
        state = STATES.get(record.told, TrialState.PRUNED)
        if trial.state != state and (complete or trial.state.is_finished()):
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
