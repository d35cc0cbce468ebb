"""Making Optuna's storage say what the records say."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.storages import BaseStorage

from hpsearch.records.run_folder import RunFolder
from hpsearch.study.storage import TrialStore
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.tables.objectives import Direction


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
