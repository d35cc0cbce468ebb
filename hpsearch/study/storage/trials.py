"""Optuna's side of a study: trials by number, whether asked for just now or before a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import optuna
from filelock import FileLock
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from hpsearch.addresses import first_line, keep_connections, without_password
from hpsearch.errors import StorageError
from hpsearch.records.damaged_databases import with_advice
from hpsearch.records.databases import how_to_write, make_file
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import GOALS, OUTCOME, SECONDS, WORST_OUTCOMES
from hpsearch.study.storage.advisory_lock import POSTGRESQL, one_at_a_time
from hpsearch.studyfile.tables.objectives import Direction

IN_MEMORY = "memory:"  # a storage that is gone with this process
SQLITE_WAIT_SECONDS = 60  # for another writer's lock, e.g. another study in the same file


def storage_troubles() -> tuple[type[Exception], ...]:
    """What Optuna raises when its database fails."""
    import sqlalchemy  # here, as who only looks at a study opens no database

    return (optuna.exceptions.StorageInternalError, sqlalchemy.exc.SQLAlchemyError)


def storage_trouble(url: str, error: BaseException) -> StorageError:
    """What to say when the database fails in the middle of a study."""
    cause = error.__cause__ if error.__cause__ is not None else error
    advice = "Free space or restore the database"
    if url.startswith("sqlite:///"):
        advice = how_to_write(Path(url.removeprefix("sqlite:///"))) or advice
    return StorageError(
        f"the Optuna storage {without_password(url)!r} must be writable, got: "
        f"{first_line(cause, url)}. {advice}, then run the same command again; no finished work "
        "is lost"
    )


def open_storage(url: str) -> BaseStorage:
    """An Optuna storage; SQLite in WAL mode, which is a third faster and lets others read.

    Raises:
        StorageError: the URL is not understood, or the database can't be opened.
    """
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if url == IN_MEMORY:
        return optuna.storages.InMemoryStorage()
    try:
        if url.startswith(POSTGRESQL):
            keep_connections()
            with one_at_a_time(url, "tables"):  # several studies that make them in a new database
                # A server that was started again has closed the connections of the pool.
                storage = RDBStorage(literal(url), engine_kwargs={"pool_pre_ping": True})
            return optuna.storages.get_storage(storage)
        if not url.startswith("sqlite"):
            return optuna.storages.get_storage(literal(url))
        database = sqlalchemy.engine.make_url(url).database or ":memory:"
        if not Path(database).parent.is_dir():
            raise FileNotFoundError(f"no folder {Path(database).parent}")
        with FileLock(f"{database}.lock"):  # two studies that make the same new file
            if database != ":memory:":
                make_file(Path(database))
            storage = RDBStorage(
                literal(url), engine_kwargs={"connect_args": {"timeout": SQLITE_WAIT_SECONDS}}
            )
        sqlalchemy.event.listen(storage.engine, "connect", _set_pragmas)
        storage.engine.dispose()  # connections that were opened before the listener
    except ModuleNotFoundError as error:
        raise StorageError(
            f"the driver for the Optuna storage {without_password(url)!r} must be installed, got: "
            f"{error}; for PostgreSQL: pip install 'hpsearch[postgresql]'"
        ) from error
    except Exception as error:
        raise StorageError(
            f"the Optuna storage {without_password(url)!r} must be a database that can be opened, "
            f"got {type(error).__name__}: {with_advice(first_line(error, url))}"
        ) from error
    return optuna.storages.get_storage(storage)


def literal(url: str) -> str:
    """A database address as Optuna reads it literally: it fills in what stands in braces."""
    return url.replace("{", "{{").replace("}", "}}")


def is_stored(url: str, name: str) -> bool:
    """Whether a storage has an Optuna study of this name; an SQLite file is not made to look.

    Raises:
        StorageError: as `open_storage`.
    """
    if url.startswith("sqlite"):
        import sqlalchemy

        database = sqlalchemy.engine.make_url(url).database
        if not database or not Path(database).exists():
            return False
    try:
        return name in optuna.get_all_study_names(open_storage(url))
    except storage_troubles() as error:
        raise storage_trouble(url, error) from error


def stored_trials(storage: BaseStorage, name: str) -> list[FrozenTrial] | None:
    """The trials of an Optuna study; None where there is no such study."""
    if name not in optuna.get_all_study_names(storage):
        return None
    return optuna.load_study(study_name=name, storage=storage).trials


def delete_stored(url: str, name: str) -> None:
    """Delete an Optuna study with its trials.

    Raises:
        StorageError: as `open_storage`, or the database fails.
    """
    try:
        optuna.delete_study(study_name=name, storage=open_storage(url))
    except storage_troubles() as error:
        raise storage_trouble(url, error) from error


def _set_pragmas(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # In WAL mode NORMAL survives a killed process; after a power cut the last trials may be
    # missing: those that have a record are restored from it, the others drawn again, the same.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _running(params: dict[str, Any], distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    """A new trial that has these params; its numbers are the storage's affair."""
    return FrozenTrial(
        number=-1,
        trial_id=-1,
        state=TrialState.RUNNING,
        value=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params=params,
        distributions=distributions,
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )


STATES: Mapping[str, TrialState] = {  # others: PRUNED
    Outcome.COMPLETE: TrialState.COMPLETE,
    Outcome.FAILED: TrialState.FAIL,
}


class TrialStore:
    """The trials of one run in an Optuna storage, by number.

    Every method may be called again after a restart and then changes nothing.

    Args:
        directions: of the objectives.
        local: from a trial's number to its number in Optuna, which counts without gaps.
    """

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        directions: Sequence[Direction],
        *,
        local: Callable[[int], int] = int,
    ) -> None:
        self._storage, self._name, self._local = storage, name, local
        self.study = optuna.create_study(
            storage=storage,
            study_name=name,
            directions=directions,
            pruner=optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        self._study_id = storage.get_study_id_from_name(name)
        self._asked: dict[int, optuna.Trial] = {}
        stored = self.study.get_trials(deepcopy=False)
        self._stored = {t.number: t for t in stored}
        self._reported = {(t.number, step) for t in stored for step in t.intermediate_values}
        self._goals = {t.number: t.user_attrs.get(GOALS) for t in stored}
        self._seconds = {t.number: t.user_attrs.get(SECONDS) for t in stored}
        self._several = len(directions) > 1
        self._finished = {t.number for t in stored if t.state.is_finished()}

    def use(self, sampler: BaseSampler) -> None:
        """Draw from this sampler from now on, which sees the trials as they are now."""
        self.study = optuna.Study(
            self._name, self._storage, sampler=sampler, pruner=optuna.pruners.NopPruner()
        )

    def trial(self, number: int) -> optuna.Trial:
        """Trial `number`: the one that was asked for, by this process or an earlier one."""
        return self._trial(self._local(number))

    def _trial(self, number: int) -> optuna.Trial:
        if number not in self._asked:
            if number in self._stored:
                trial_id = self._storage.get_trial_id_from_study_id_trial_number(
                    self._study_id, number
                )
                self._asked[number] = optuna.Trial(self.study, trial_id)
            else:
                self._create(number)
        return self._asked[number]

    def _create(self, number: int, template: FrozenTrial | None = None) -> None:
        """Store trial `number`, which is new, in one transaction."""
        # study.ask would read all unfinished trials first, to look for enqueued ones.
        trial_id = self._storage.create_new_trial(self._study_id, template)
        self._asked[number] = optuna.Trial(self.study, trial_id)
        asked = self._asked[number].number
        if asked != number:
            raise StorageError(
                f"only hpsearch may write to the Optuna study {self.study.study_name!r}, but "
                f"another program added trial {number}; continue with --storage and a separate "
                "database, which is filled from the records"
            )

    def stored(self, number: int) -> dict[str, Any]:
        """The params of a trial that an earlier start left, by their names in Optuna."""
        known = self._stored.get(self._local(number))
        return dict(known.params) if known else {}

    def restore(
        self,
        number: int,
        params: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
    ) -> None:
        """See to it that a trial is stored with the params that its record has.

        They are missing where the database is younger than the records: another --storage, a
        file that was lost or brought back from a backup.
        """
        number = self._local(number)
        known = self._stored.get(number)
        missing = params.keys() - (known.params if known else {})
        if known is not None and not missing:
            return
        # As they are suggested: Optuna's brute force takes the order for that of a tree.
        ordered = sorted(missing, key=[*distributions].index)
        if known is None and number not in self._asked:
            own = {name: distributions[name] for name in ordered}
            self._create(number, _running({name: params[name] for name in ordered}, own))
            return
        trial_id = self._trial(number)._trial_id
        for name in ordered:
            inside = distributions[name].to_internal_repr(params[name])
            self._storage.set_trial_param(trial_id, name, inside, distributions[name])
        # What Optuna read of the trial before knows nothing of them.
        self._asked[number] = optuna.Trial(self.study, trial_id)

    def note(self, number: int, notes: Mapping[str, Any]) -> None:
        """Store what a sampler wrote on a trial for itself."""
        for key, value in notes.items():
            self._storage.set_trial_system_attr(self.trial(number)._trial_id, key, value)

    def report(self, number: int, scores: Mapping[int, float]) -> None:
        """Store the scores at the stage lengths reached, {epochs: score}.

        Of several objectives they are not stored here, where Optuna takes one number.
        """
        if self._several:
            return
        number = self._local(number)
        for step, score in scores.items():
            if (number, step) not in self._reported:
                self._trial(number).report(score, step=step)
                self._reported.add((number, step))

    def keep_goals(self, record: TrialRecord) -> None:
        """Store what a record has of several objectives and of constraints.

        At every length in a user attribute, which samplers of ours read; of a trial that is over
        the last violations as Optuna's own constraints too, which can be set but once.
        """
        number = self._local(record.number)
        said = {
            name: {str(epochs): found for epochs, found in by_epochs.items()}
            for name, by_epochs in (("values", record.values), ("violations", record.violations))
        }
        if number in self._finished or not any(said.values()):
            return
        trial = self._trial(number)
        if self._goals.get(number) != said:
            trial.set_user_attr(GOALS, said)
            self._goals[number] = deepcopy(said)
        last = record.violations.get(max(record.violations, default=0), {})
        for name in last.keys() - trial.constraints.keys() if record.sealed else ():
            trial.set_constraint(name, last[name])

    def keep_seconds(self, record: TrialRecord) -> None:
        """Store how long a record's training took, where the sampler weighs by it."""
        number = self._local(record.number)
        if number in self._finished or not record.seconds:
            return
        trial, said = self._trial(number), {str(n): took for n, took in record.seconds.items()}
        if self._seconds.get(number) != said:
            trial.set_user_attr(SECONDS, said)
            self._seconds[number] = said

    def finish(
        self,
        number: int,
        outcome: str,
        scores: Mapping[int, float],
        values: Mapping[int, Mapping[str, float]] = MappingProxyType({}),
    ) -> None:
        """End a trial in the state that its outcome has in Optuna, with its last score as value.

        As study.tell, which would read the trial three times from the database.

        Args:
            values: of several objectives, as records have them.
        """
        number = self._local(number)
        if number in self._finished:
            return
        trial = self._trial(number)
        if outcome in WORST_OUTCOMES:
            trial.set_user_attr(OUTCOME, outcome)
        state = STATES.get(outcome, TrialState.PRUNED)
        length = max(scores, default=0)
        if length in values:
            last = [*values[length].values()]
        else:
            last = [scores[length]] if scores else []
        told = last if last and state != TrialState.FAIL else None
        self._storage.set_trial_state_values(trial._trial_id, state, told)
        self._finished.add(number)
        del self._asked[number]
