"""What is read from memory is what the database has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpsearch.study.storage.sole_writer import SoleWriter
from hpsearch.study.storage.trials import open_storage

NAME = "written"


@pytest.fixture
def backend(tmp_path: Path) -> RDBStorage:
    return RDBStorage(f"sqlite:///{tmp_path / 'optuna.db'}")


def known(trial: FrozenTrial) -> tuple[Any, ...]:
    """All of it but when it began and ended, which each side measures."""
    return (
        *(trial.number, trial._trial_id, trial.state, trial.params, trial.distributions),
        *(trial.values, trial.user_attrs, trial.system_attrs, trial.intermediate_values),
    )


def written(storage: SoleWriter) -> int:
    """A study with a trial of every kind; its id."""
    study_id = storage.create_new_study([StudyDirection.MAXIMIZE], NAME)
    study = optuna.load_study(study_name=NAME, storage=storage)
    for _ in range(3):
        trial = study.ask()
        trial.suggest_float("x", 1e-3, 1.0, log=True)
        trial.suggest_int("n", 1, 9)
        trial.suggest_categorical("kind", ["a", "b"])
    template = optuna.create_trial(
        params={"x": 0.5}, distributions={"x": FloatDistribution(1e-3, 1.0, log=True)}, value=2.0
    )
    storage.create_new_trial(study_id, template)
    first, second, third, _ = (t._trial_id for t in storage.get_all_trials(study_id))
    storage.set_trial_intermediate_value(first, 3, 0.25)
    storage.set_trial_intermediate_value(first, 6, float("inf"))
    storage.set_trial_user_attr(second, "goals", {"a": [1, 2]})
    storage.set_trial_system_attr(second, "notes", {1: (2, 3)})  # which JSON changes
    assert storage.set_trial_state_values(first, TrialState.COMPLETE, [0.75])
    assert storage.set_trial_state_values(third, TrialState.FAIL)
    return study_id


def test_memory_and_database_have_the_same(backend: RDBStorage) -> None:
    storage = SoleWriter(backend)
    study_id = written(storage)
    here, there = storage.get_all_trials(study_id), backend.get_all_trials(study_id)
    assert [*map(known, here)] == [*map(known, there)]
    assert all(trial.datetime_start is not None for trial in here)
    assert here[0].datetime_complete is not None
    again = SoleWriter(backend)  # as after a restart
    assert [*map(known, again.get_all_trials(study_id))] == [*map(known, there)]
    for trial in there:
        assert known(again.get_trial(trial._trial_id)) == known(trial)
        found = again.get_trial_id_from_study_id_trial_number(study_id, trial.number)
        assert found == trial._trial_id
    with pytest.raises(KeyError):
        again.get_trial_id_from_study_id_trial_number(study_id, 4)
    over = storage.get_all_trials(study_id, states=(TrialState.COMPLETE,))
    assert [trial.number for trial in over] == [0, 3]


def test_a_trial_that_was_given_away_stays_as_it_was(backend: RDBStorage) -> None:
    storage = SoleWriter(backend)
    study_id = storage.create_new_study([StudyDirection.MINIMIZE], NAME)
    trial_id = storage.create_new_trial(study_id)
    before = storage.get_trial(trial_id)
    storage.set_trial_param(trial_id, "n", 2.0, IntDistribution(1, 3))
    storage.set_trial_param(trial_id, "kind", 1.0, CategoricalDistribution(["a", "b"]))
    assert before.params == {}
    assert storage.get_trial(trial_id).params == {"n": 2, "kind": "b"}


def test_what_is_over_can_not_be_changed(backend: RDBStorage) -> None:
    storage = SoleWriter(backend)
    study_id = written(storage)
    over = storage.get_all_trials(study_id)[0]
    with pytest.raises(UpdateFinishedTrialError):
        storage.set_trial_user_attr(over._trial_id, "late", 1)
    assert known(storage.get_trial(over._trial_id)) == known(over)


def test_a_study_is_deleted_with_what_is_known_of_it(backend: RDBStorage) -> None:
    storage = SoleWriter(backend)
    study_id = written(storage)
    trial_id = storage.get_all_trials(study_id)[0]._trial_id
    storage.delete_study(study_id)
    with pytest.raises(KeyError):
        storage.get_trial(trial_id)
    assert storage.get_all_studies() == []


def test_a_closed_database_is_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    storage = SoleWriter(open_storage(url))  # in WAL mode
    study_id = written(storage)
    assert (tmp_path / "optuna.db-wal").exists()
    storage.close()
    assert not (tmp_path / "optuna.db-wal").exists()
    assert len(storage.get_all_trials(study_id)) == 4
