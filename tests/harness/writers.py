"""What both writers of runs must leave in MLflow's database: the same rows, table by table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sqlalchemy
from mlflow.entities import Dataset, DatasetInput, InputTag

from hpsearch.tracking.client import open_client
from hpsearch.tracking.writers import choice
from hpsearch.tracking.writers.base import Point, RunEnd, RunUpdate, RunWriter
from hpsearch.tracking.writers.client_writer import ClientWriter
from hpsearch.tracking.writers.table_writer import TableWriter

ID = re.compile(r"\b[0-9a-f]{32}\b")
CLOCK = ("creation_time", "last_update_time")  # of experiments: when a test ran
START = 1_700_000_000_000
NUMBERS: list[Point] = [
    ("nan", math.nan, START, 1),
    ("nan", math.nan, START, 1),
    ("nan then 0", math.nan, START, 1),
    ("nan then 0", 0.0, START, 1),
    ("0 then nan", 0.0, START, 1),
    ("0 then nan", math.nan, START, 1),
    ("negative then nan", -1.0, START, 1),
    ("negative then nan", math.nan, START, 1),
    ("inf", math.inf, START, 1),
    ("inf", -math.inf, START, 2),
    ("inf", -math.inf, START, 2),
    ("large", 1.7976931348623157e308, START, 1),
    ("large", math.inf, START, 1),
    ("tiny", 5e-324, START, 1),
    ("integer", 3, START, 1),
]
CURVE: list[Point] = [("loss", 1 / step, START + step, step) for step in range(1, 1203)]
ORDERS: list[Point] = [
    ("equal steps", 0.5, START, 7),
    ("equal steps", 0.7, START, 7),
    ("equal steps", 0.6, START, 7),
    ("later but of a lower step", 0.1, START + 9, 2),
    ("later but of a lower step", 0.2, START, 3),
    ("later time", 0.9, START, 1),
    ("later time", 0.1, START + 1, 1),
    ("falling", 1.0, START, 2),
    ("falling", 2.0, START, 1),
]
TEXTS = {
    "long": "x" * 7000,
    "empty": "",
    "text": "'\"` % _ \\ \n 語 🎲",
    "a name/with. parts:-": "1",
}


def check_writers(tables: str, calls: str, artifacts: Path) -> dict[str, list[str]]:
    """Write the same into two empty databases in both ways; the rows, which must be equal."""
    rows = []
    for uri, known in ((tables, choice.KNOWN_REVISIONS), (calls, frozenset())):
        client = open_client(uri)
        experiment = client.create_experiment("e", artifact_location=artifacts.as_uri())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(choice, "KNOWN_REVISIONS", known)
            writer = choice.writer_for(client, experiment)
        assert isinstance(writer, TableWriter if known else ClientWriter)
        _write_everything(client, writer, experiment)
        rows.append(rows_of(uri))
    quick, slow = rows
    assert quick.keys() == slow.keys()
    for table in slow:
        assert quick[table] == slow[table], table
    return quick


def _write_everything(client: mlflow.MlflowClient, writer: RunWriter, experiment: str) -> None:
    """Runs with everything that is hard, some in several parts, and what is repeated."""
    first = RunUpdate("", "first", START, [*NUMBERS, *CURVE, *ORDERS], TEXTS, {"a": "1", "b": "x"})
    bare = RunUpdate("", "bare", START + 1)
    owned = RunUpdate("", "owned", START + 2, CURVE[:3], {"p": "1"}, {"mlflow.user": "someone"})
    ids = writer.log([first]) + writer.log([bare, owned][:1]) + writer.log([owned])
    for _ in range(2):  # as a kill has it: all of it once more
        writer.log([_again(first, ids[0], tags={"a": "2", "long": "y" * 9000})])
    later: list[Point] = [(name, value + 1, when, step) for name, value, when, step in ORDERS]
    earlier: list[Point] = [("equal steps", 0.9, START, 6), ("loss", 7.0, START, 2000)]
    writer.log([_again(first, ids[0], points=[*later, *earlier])])
    writer.log([_again(owned, ids[2], points=CURVE[2:6], tags={"mlflow.user": "another"})])
    writer.log_files(ids[2], {"trial.json": "{}"}, [])
    source = Dataset("digits", "d1", "local", '{"uri": "x"}', profile="{}")
    client.log_inputs(ids[2], [DatasetInput(source, [InputTag("mlflow.data.context", "train")])])
    writer.end([RunEnd(ids[0], "FINISHED", START + 5, "first-renamed")])
    writer.end([RunEnd(ids[2], "FAILED", START + 6)])
    writer.end([RunEnd(ids[2], "FAILED", START + 6)])


def _again(news: RunUpdate, run_id: str, **changes: Any) -> RunUpdate:
    content = {"points": news.points, "params": news.params, "tags": news.tags} | changes
    return RunUpdate(run_id, news.name, news.started, **content)


def rows_of(url: str, folder: str = "") -> dict[str, list[str]]:
    """All rows of a database by table, sorted.

    Ids stand by the name of the run that they are of, and paths from `folder` on.
    """
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.text("select run_uuid, name from runs"))
        names = {run_id: f"<{name}>" for run_id, name in found}
        rows: dict[str, list[str]] = {}
        for table in sqlalchemy.inspect(engine).get_table_names():
            content = connection.execute(sqlalchemy.text(f'select * from "{table}"')).mappings()
            rows[table] = sorted(_line(row, names).replace(folder, "") for row in content)
    engine.dispose()
    return rows


def _line(row: Mapping[Any, Any], names: Mapping[str, str]) -> str:
    kept = sorted((key, value) for key, value in row.items() if key not in CLOCK)
    return ID.sub(lambda match: names.get(match[0], "<id>"), repr(kept))
