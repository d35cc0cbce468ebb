"""Optuna's storage as its only writer sees it: written to the database, read from memory."""

from __future__ import annotations

import copy
import json
from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState, create_trial


class SoleWriter(BaseStorage):
    """A storage whose trials are read once and then kept.

    Optuna's own cache reads every unfinished trial again, with all that belongs to it, for each
    parameter that is drawn, because others may have written to it; paused trials stay unfinished
    in Optuna until a study is over. To a study of ours nobody else writes: its process holds a
    lock.

    Args:
        backend: what is written to, and read from at first.
    """

    def __init__(self, backend: BaseStorage) -> None:
        self._backend = backend
        self._trials: dict[int, list[FrozenTrial]] = {}  # by study, in the order of numbers
        self._places: dict[int, tuple[int, int]] = {}  # of a trial by its id: study and number

    def close(self) -> None:
        """Close the connections: SQLite then has all of it in one file, which can be moved."""
        database = getattr(self._backend, "_backend", self._backend)  # below Optuna's cache
        if isinstance(database, RDBStorage):
            database.remove_session()
            database.engine.dispose()

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        return self._backend.create_new_study(directions, study_name)

    def delete_study(self, study_id: int) -> None:
        for trial in self._trials.pop(study_id, []):
            del self._places[trial._trial_id]
        self._backend.delete_study(study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._backend.set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._backend.set_study_system_attr(study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        return self._backend.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._backend.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._backend.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._backend.get_study_user_attrs(study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._backend.get_study_system_attrs(study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        return self._backend.get_all_studies()

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        known = self._of_study(study_id)
        trial_id = self._backend.create_new_trial(study_id, template_trial)
        number = self._backend.get_trial_number_from_id(trial_id)
        if number == len(known):  # else another program wrote; the caller refuses it
            known.append(_new_trial(trial_id, number, template_trial))
            self._places[trial_id] = (study_id, number)
        return trial_id

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        self._backend.set_trial_param(trial_id, param_name, param_value_internal, distribution)
        trial = self._copied(trial_id)
        value = distribution.to_external_repr(param_value_internal)
        trial.params = {**trial.params, param_name: value}
        trial.distributions = {**trial.distributions, param_name: distribution}

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        changed = self._backend.set_trial_state_values(trial_id, state, values)
        if changed:
            trial = self._copied(trial_id)
            trial.state = state
            if values is not None:
                trial.values = values
            if state.is_finished():
                trial.datetime_complete = datetime.now()
        return changed

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        self._backend.set_trial_intermediate_value(trial_id, step, intermediate_value)
        trial = self._copied(trial_id)
        trial.intermediate_values = {**trial.intermediate_values, step: intermediate_value}

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._backend.set_trial_user_attr(trial_id, key, value)
        trial = self._copied(trial_id)
        trial.user_attrs = {**trial.user_attrs, key: _as_stored(value)}

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._backend.set_trial_system_attr(trial_id, key, value)
        trial = self._copied(trial_id)
        trial.system_attrs = {**trial.system_attrs, key: _as_stored(value)}

    def get_trial(self, trial_id: int) -> FrozenTrial:
        if trial_id not in self._places:
            return self._backend.get_trial(trial_id)
        study_id, number = self._places[trial_id]
        return self._trials[study_id][number]

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        known = self._of_study(study_id)
        if trial_number >= len(known):
            raise KeyError(f"no trial {trial_number} in study {study_id}")
        return known[trial_number]._trial_id

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        known = self._of_study(study_id)
        found = [trial for trial in known if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def _of_study(self, study_id: int) -> list[FrozenTrial]:
        """Its trials, read when it is first asked for."""
        if study_id not in self._trials:
            self._trials[study_id] = self._backend.get_all_trials(study_id, deepcopy=False)
            for trial in self._trials[study_id]:
                self._places[trial._trial_id] = (study_id, trial.number)
        return self._trials[study_id]

    def _copied(self, trial_id: int) -> FrozenTrial:
        """A copy of a trial in its place, to be changed: whoever was given it keeps it."""
        study_id, number = self._places[trial_id]
        self._trials[study_id][number] = copy.copy(self._trials[study_id][number])
        return self._trials[study_id][number]


def _new_trial(trial_id: int, number: int, template: FrozenTrial | None) -> FrozenTrial:
    """A trial as the database has it, which is not asked: it would take a third of its writing."""
    trial = copy.deepcopy(template or create_trial(state=TrialState.RUNNING))
    trial.number, trial._trial_id = number, trial_id
    trial.user_attrs, trial.system_attrs = map(_as_stored, (trial.user_attrs, trial.system_attrs))
    return trial


def _as_stored(value: Any) -> Any:
    """As the database gives it back, whose attributes are JSON."""
    return json.loads(json.dumps(value))
