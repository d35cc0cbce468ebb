"""MLflow servers that are older and newer than the client."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.run_content import params_of, points
from tests.harness.commands import Called, call_here
from tests.harness.installed import (
    NotInstalledError,
    OtherClient,
    admitted_mlflow,
    mlflow_modules,
)
from tests.harness.servers import MLflowServer
from tests.harness.stores import new_home
from tests.harness.study_files import LITTLE, LITTLE_TESTED

pytestmark = pytest.mark.timeout(600)  # with an installation and a server's first start
STUDY = f"""{LITTLE}
[network]
name = "two-layer"
hidden = 8
[space]
trainer = {{ choices = ["sgd", "momentum"] }}
learning_rate = {{ low = 1e-3, high = 0.3, log = true }}
[[stages]]
trials = 3
epochs = 2
[[stages]]
trials = 2
epochs = 4
{LITTLE_TESTED}"""
OLDER = ("2.22.5", "sqlalchemy<2.1", "protobuf<7")  # the last of MLflow 2, and what it works with
# What a study's runs have, beside their uid.
OF_STUDY = """
    join tags using (run_uuid) join runs using (run_uuid) join experiments using (experiment_id)
    where tags.key = 'hpsearch.uid' and experiments.name = ?
"""
PARAMS = f"select tags.value, params.key, params.value from params {OF_STUDY}"
METRICS = f"select tags.value, metrics.key, step, metrics.value from metrics {OF_STUDY}"
ENVIRONMENT = """
    select value from tags join runs using (run_uuid)
    where key = 'hpsearch.environment' and runs.name = ?
"""
WINNER = """
    select run_id, source from model_versions join registered_model_aliases using (name)
    where name = ? and alias = 'winner' and model_versions.status = 'READY'
    and cast(model_versions.version as text) = registered_model_aliases.version
"""
# The "late" study ran before the server was there, and was sent by `sync`.
STUDIES = pytest.mark.parametrize("name", ["late", "live"])


@dataclass
class Tried:
    """Studies that were sent to a server of another version.

    Attributes:
        client: the client's version of MLflow.
        done: what the commands ended with: "late", "sync", "live" and "doctor".
    """

    server: MLflowServer
    home: Path
    client: str
    done: dict[str, Called]

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Those of the server's own database, which no client has read."""
        with closing(sqlite3.connect(self.server.store.removeprefix("sqlite:///"))) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """A server of an older major version."""
    try:
        modules = mlflow_modules(*OLDER)
    except NotInstalledError as error:
        pytest.skip(f"NOT RUN: MLflow {OLDER[0]} can't be installed: {error}")
    folder = tmp_path_factory.mktemp("older")
    yield from _tried(folder, OLDER[0], modules, call_here, version("mlflow"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """The newest server. The client is the lowest, as that of the tests may be the newest."""
    try:
        lowest, newest = admitted_mlflow()
        modules, client = mlflow_modules(newest), OtherClient(lowest)
    except NotInstalledError as error:
        pytest.skip(f"NOT RUN: an older and a newer MLflow can't be installed: {error}")
    try:
        yield from _tried(tmp_path_factory.mktemp("newer"), newest, modules, client, lowest)
    finally:
        client.end()


def _tried(
    folder: Path, release: str, modules: Path, command: Callable[..., Called], client: str
) -> Iterator[Tried]:
    home, path = new_home(folder / "home"), folder / "study.toml"
    store = f"sqlite:///{folder / 'server.db'}"
    server = MLflowServer(folder / "server", store, folder / "artifacts", modules=modules)
    where = ["--home", str(home), "--tracking-uri", server.url]
    done = {}
    path.write_text(STUDY.replace('"small"', '"late"'))
    done["late"] = command("study", str(path), *where, "--workers", "0", "--json")
    server.start()
    try:
        with urlopen(f"{server.url}/version", timeout=10) as answer:
            assert answer.read().decode() == release
        done["sync"] = command("sync", *where, "--json")
        path.write_text(STUDY.replace('"small"', '"live"'))
        done["live"] = command("study", str(path), *where, "--workers", "0", "--json")
        done["doctor"] = command("doctor", *where)
        yield Tried(server, home, client, done)
    finally:
        server.kill()


@pytest.fixture(params=["older", "newer"])
def tried(request: pytest.FixtureRequest) -> Tried:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Tried)
    return found


def test_what_is_sent_at_once_or_by_sync_is_all_there_is(tried: Tried) -> None:
    done = tried.done
    assert "warning: can't write to MLflow" in done["late"].stderr
    assert not json.loads(done["late"].stdout)["mlflow"]["complete"]
    assert [(row["study"], row["problem"]) for row in json.loads(done["sync"].stdout)] == [
        ("late", "")
    ]
    assert "warning" not in done["live"].stderr
    assert json.loads(done["live"].stdout)["mlflow"]["complete"]
    assert (done["doctor"].returncode, done["doctor"].stderr) == (0, "no differences\n")


@STUDIES
def test_a_server_of_another_version_has_every_run_param_and_point(
    tried: Tried, name: str
) -> None:
    folder = RunFolder(tried.home / "studies" / name / "1")
    records = [r for kind in ("trial", "confirmation", "test") for r in folder.read_all(kind)]
    assert {record.kind for record in records} == {"trial", "confirmation", "test"}
    study = f"{records[0].uid.split(':')[0]}:study"
    params = tried.rows(PARAMS, name)
    assert sorted(row for row in params if row[0] != study) == sorted(
        (r.uid, key, text) for r in records for key, text in params_of(r).items()
    )
    metrics = tried.rows(METRICS, name)
    assert sorted(row for row in metrics if row[0] != study) == sorted(
        (r.uid, key, step, value) for r in records for key, value, _, step in points(r, 0)
    )
    ((said,),) = tried.rows(ENVIRONMENT, name)
    assert json.loads(said)["version.mlflow"] == tried.client


@STUDIES
def test_a_server_of_another_version_has_the_winner_as_a_model(tried: Tried, name: str) -> None:
    ((run_id, source),) = tried.rows(WINNER, name)
    ((parent,),) = tried.rows("select run_uuid from runs where runs.name = ?", name)
    assert run_id == parent
    assert source.startswith("mlflow-artifacts:/")
    assert list(tried.server.artifacts.glob(f"*/{run_id}/artifacts/model/MLmodel"))
