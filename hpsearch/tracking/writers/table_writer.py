"""Runs straight into the tables of MLflow's database: several in one transaction.

MLflow's log_batch makes an object of every point and looks the run up several times; the same rows
by one insert a table take a sixth of its time. The engine, the sessions, the tables and the checks
of names are MLflow's own; tests/unit/tracking/test_writers.py holds that the rows are those of its
client, table by table.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hpsearch.tracking.sent_files import make_way
from hpsearch.tracking.writers.base import RunEnd, RunUpdate, RunWriter

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

ROWS = 10_000  # of one insert: bounds the memory of a run of a million points
LARGEST = 1.7976931348623157e308  # what MLflow stores for infinity
RUN_NAME = "mlflow.runName"
Row = dict[str, Any]


class TableWriter(RunWriter):
    """Two transactions a call of the projector: news, and after the files the ends.

    Args:
        store: MLflow's, of a schema that was tested: writers/choice.py.
        experiment: its id.
    """

    at_once = 50  # a transaction costs as much as a record of 50 points; SQLite is held for 0.5 s

    def __init__(self, store: SqlAlchemyStore, experiment: str) -> None:
        self._store, self._experiment = store, int(experiment)
        self._places: dict[str, str] = {}  # artifact URIs of the runs of the last `log`

    def log(self, news: Sequence[RunUpdate]) -> list[str]:
        runs = [(one.run_id or uuid.uuid4().hex, _fitting(one)) for one in news]
        with self._store.ManagedSessionMaker(read_only=False) as session:
            self._places = self._open_runs(session, runs)
            _put(session, "tags", [row for run in runs for row in _tags(*run)], replace=True)
            _put(session, "params", [row for run in runs for row in _params(*run)])
            points = (row for run in runs for row in _points(*run))
            while rows := list(islice(points, ROWS)):
                _put(session, "metrics", rows)
            newest = [row for run in runs for row in _newest(_points(*run))]
            _put(session, "latest_metrics", newest, replace=True)
        return [run_id for run_id, _ in runs]

    def _open_runs(
        self, session: Session, runs: Sequence[tuple[str, RunUpdate]]
    ) -> dict[str, str]:
        """Make those that are not there; where each run's artifacts lie.

        Raises:
            MlflowException: an experiment, run or param is not as it must be.
        """
        new = [(run_id, one) for run_id, one in runs if not one.run_id]
        places: dict[str, str] = {}
        if len(new) < len(runs):
            old = {run_id: one for run_id, one in runs if one.run_id}
            places = _places_of(session, old)
            _check_params(session, old)
        if new:
            top = self._artifacts_of_experiment(session)
            made = [self._row_of_run(run_id, one, top) for run_id, one in new]
            _put(session, "runs", made)
            places |= {row["run_uuid"]: row["artifact_uri"] for row in made}
        return places

    def _artifacts_of_experiment(self, session: Session) -> str:
        from sqlalchemy import select

        table = _tables()["experiments"]
        wanted = select(table.c.artifact_location, table.c.lifecycle_stage)
        found = session.execute(wanted.where(table.c.experiment_id == self._experiment)).first()
        if found is None or found.lifecycle_stage != "active":
            raise _refused(f"The experiment {self._experiment} must be active; it is deleted.")
        return str(found.artifact_location)

    def _row_of_run(self, run_id: str, news: RunUpdate, artifacts: str) -> Row:
        from mlflow.utils.uri import append_to_uri_path

        return {
            "run_uuid": run_id,
            "name": news.name,
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "source_version": "",
            "user_id": news.tags.get("mlflow.user", "unknown"),
            "status": "RUNNING",
            "start_time": news.started,
            "end_time": None,
            "deleted_time": None,
            "lifecycle_stage": "active",
            "artifact_uri": append_to_uri_path(  # type: ignore[no-untyped-call]
                artifacts, run_id, "artifacts"
            ),
            "experiment_id": self._experiment,
        }

    def log_files(self, run_id: str, texts: Mapping[str, str], files: Sequence[Path]) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        place = get_artifact_repository(self._places[run_id])
        with TemporaryDirectory(prefix="hpsearch-") as folder:
            for name, text in texts.items():
                path = Path(folder, name)
                path.write_text(text, encoding="utf-8")
                make_way(self._places[run_id], name)
                place.log_artifact(str(path))  # type: ignore[no-untyped-call]
        for file in files:
            make_way(self._places[run_id], file.name)
            place.log_artifact(str(file))  # type: ignore[no-untyped-call]

    def end(self, ends: Sequence[RunEnd]) -> None:
        from sqlalchemy import bindparam, update

        table = _tables()["runs"]
        by_id = update(table).where(table.c.run_uuid == bindparam("run"))
        ended = [{"run": e.run_id, "status": e.status, "end_time": e.ended} for e in ends]
        named = [{"run": e.run_id, "name": e.name} for e in ends if e.name]
        with self._store.ManagedSessionMaker(read_only=False) as session:
            _places_of(session, [e.run_id for e in ends])
            connection = session.connection()
            connection.execute(by_id, ended)
            if named:
                connection.execute(by_id, named)
                names = [(row["run"], {RUN_NAME: row["name"]}) for row in named]
                _put(session, "tags", [row for one in names for row in _texts(*one)], replace=True)


def _fitting(news: RunUpdate) -> RunUpdate:
    """Names checked, and texts cut, as log_batch does.

    Raises:
        MlflowException: it refuses a name.
    """
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.utils.validation import _validate_batch_log_data

    once = {name: (value, when, step) for name, value, when, step in news.points}
    _, params, tags = _validate_batch_log_data(  # type: ignore[no-untyped-call]
        [Metric(name, *rest) for name, rest in once.items()],
        [Param(k, v) for k, v in news.params.items()],
        [RunTag(k, v) for k, v in news.tags.items()] if news.run_id else [],
    )
    fitting = replace(news, params={param.key: param.value for param in params})
    return replace(fitting, tags={t.key: t.value for t in tags}) if news.run_id else fitting


def _tags(run_id: str, news: RunUpdate) -> Iterator[Row]:
    return _texts(run_id, news.tags if news.run_id else {**news.tags, RUN_NAME: news.name})


def _params(run_id: str, news: RunUpdate) -> Iterator[Row]:
    return _texts(run_id, news.params)


def _texts(run_id: str, texts: Mapping[str, str]) -> Iterator[Row]:
    """Rows of tags or params."""
    for key, value in texts.items():
        yield {"key": key, "value": value, "run_uuid": run_id}


def _points(run_id: str, news: RunUpdate) -> Iterator[Row]:
    """Rows of metrics; NaN and infinity as MLflow stores them."""
    for key, value, when, step in news.points:
        is_nan = math.isnan(value)
        yield {
            "key": key,
            "value": 0.0 if is_nan else max(-LARGEST, min(LARGEST, value)),
            "timestamp": when,
            "step": step,
            "is_nan": is_nan,
            "run_uuid": run_id,
        }


def _newest(rows: Iterable[Row]) -> Collection[Row]:
    """Of each metric of a run the latest; of equal ones the first, as in MLflow."""
    found: dict[str, Row] = {}
    for row in rows:
        known = found.get(row["key"])
        if known is None or _age(row) > _age(known):
            found[row["key"]] = row
    return found.values()


def _age(row: Row) -> tuple[int, int, float]:
    """What MLflow calls later is larger."""
    return row["step"], row["timestamp"], row["value"]


def _places_of(session: Session, run_ids: Collection[str]) -> dict[str, str]:
    """Where the artifacts of runs lie.

    Raises:
        MlflowException: one of them is not there any more.
    """
    from sqlalchemy import select

    table = _tables()["runs"]
    wanted = select(table.c.run_uuid, table.c.artifact_uri).where(
        table.c.run_uuid.in_(run_ids), table.c.lifecycle_stage == "active"
    )
    places = {str(run_id): str(place) for run_id, place in session.execute(wanted)}
    for run_id in run_ids:
        if run_id not in places:
            raise _refused(f"The run {run_id} must be active; it is deleted.")
    return places


def _check_params(session: Session, runs: Mapping[str, RunUpdate]) -> None:
    """MlflowException where a param is there with another value: it can't be changed."""
    from sqlalchemy import select

    table = _tables()["params"]
    wanted = select(table.c.run_uuid, table.c.key, table.c.value)
    for run_id, key, value in session.execute(wanted.where(table.c.run_uuid.in_(runs))):
        if runs[run_id].params.get(key, value) != value:
            raise _refused(f"The param {key!r} of the run {run_id} can't be changed: {value!r}.")


def _refused(text: str) -> MlflowException:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

    return MlflowException(text, INVALID_PARAMETER_VALUE)


@cache
def _tables() -> Mapping[str, Table]:
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.tracking.dbmodels import models  # noqa: F401  Base has their tables

    return Base.metadata.tables  # type: ignore[no-any-return]


@cache
def _statement(dialect: str, name: str, *, replace: bool) -> Any:
    """The insert into a table that leaves what is there, or takes the new one in its place.

    A row of latest_metrics is only replaced by one that is later.
    """
    from sqlalchemy import tuple_
    from sqlalchemy.dialects import postgresql, sqlite

    table = _tables()[name]
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    if not replace:
        return insert.on_conflict_do_nothing()
    keys = list(table.primary_key.columns)
    others = [column.name for column in table.columns if column not in set(keys)]
    new, later = insert.excluded, None
    if name == "latest_metrics":
        age = ("step", "timestamp", "value")
        later = tuple_(*(new[k] for k in age)) > tuple_(*(table.c[k] for k in age))
    return insert.on_conflict_do_update(
        index_elements=keys, set_={key: new[key] for key in others}, where=later
    )


def _put(session: Session, name: str, rows: Sequence[Row], *, replace: bool = False) -> None:
    """Insert rows into a table; `replace`: over those that are there."""
    if rows:
        connection = session.connection()
        statement = _statement(connection.dialect.name, name, replace=replace)
        connection.execute(statement, rows)
