"""Studies on a real PostgreSQL and a real MLflow server over HTTP, both on loopback."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import psutil
import pytest
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from optuna.storages import RDBStorage
from sqlalchemy import NullPool

from hpsearch.errors import StorageError, StudyLockedError
from hpsearch.processes import child_environment
from hpsearch.study.storage.advisory_lock import held_in_database
from hpsearch.study.storage.trials import open_storage
from hpsearch.tracking.client import open_client
from tests.harness.commands import call_here
from tests.harness.servers import PASSWORD, MLflowServer, PostgreSQL, programs
from tests.harness.study import run, table
from tests.harness.study_files import TINY
from tests.harness.writers import check_writers

psycopg = pytest.importorskip(
    "psycopg", reason="no driver here: pip install 'hpsearch[postgresql]' runs these tests"
)
pytestmark = pytest.mark.skipif(
    not programs(), reason="no PostgreSQL here: initdb and pg_ctl run these tests"
)
QUICK = [
    "stages=[{trials=3, epochs=2}, {trials=2, epochs=6}]",
    "confirmation={top=1, seeds=2, test_seeds=1, default=false}",
]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """Started once; its data are thrown away. Its owner may not be allowed into tmp_path."""
    top = Path(tempfile.mkdtemp(prefix="hpsearch-postgresql-"))
    top.chmod(0o755)
    made = PostgreSQL(top / "server", fsync="off")
    made.create()
    yield made
    made.stop()
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def empty_mlflow(server: PostgreSQL) -> str:
    """The name of a database with the tables of MLflow, made by its first client."""
    url = server.database("mlflow_empty")
    open_client(url).search_experiments()
    SqlAlchemyStore._engine_map[url].dispose()  # a database in use can't be copied
    return "mlflow_empty"


@pytest.fixture
def mlflow_server(server: PostgreSQL, empty_mlflow: str, tmp_path: Path) -> Iterator[str]:
    """An MLflow server over HTTP on a database of its own; it keeps the artifacts."""
    store = server.database(f"mlflow_{tmp_path.name.lower()}", like=empty_mlflow)
    made = MLflowServer(tmp_path / "mlflow", store, tmp_path / "artifacts")
    made.start()
    yield made.url
    made.kill()


def start(path: Path, home: Path, storage: str, tracking_uri: str) -> subprocess.Popen[str]:
    stores = {"HPSEARCH_STORAGE": storage, "HPSEARCH_TRACKING_URI": tracking_uri}
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    return subprocess.Popen(
        [*command, "--workers", "0", "--json", *(w for key in QUICK for w in ("--set", key))],
        env={**child_environment(), **stores},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def arguments_of(process: subprocess.Popen[str]) -> str:
    """The command lines of a process and of those it started."""
    try:
        everybody = [p := psutil.Process(process.pid), *p.children(recursive=True)]
        return "\n".join(" ".join(one.cmdline()) for one in everybody)
    except psutil.NoSuchProcess:
        return ""


def quiet_table(path: Path, home: Path, name: str) -> dict[object, object]:
    run(path, home, *QUICK)
    return table(home, name)


def stored_table(home: Path, name: str, url: str) -> dict[object, object]:
    storage = RDBStorage(url, engine_kwargs={"poolclass": NullPool})
    try:
        return table(home, name, storage)
    finally:
        storage.remove_session()


def count(url: str, rows: str) -> int:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return int(connection.execute(f"select count(*) from {rows}").fetchone()[0])


def test_two_studies_at_once_on_postgresql_and_a_tracking_server(
    server: PostgreSQL, mlflow_server: str, tmp_path: Path
) -> None:
    """Both from the first connection to new, empty databases; no password is seen anywhere."""
    storage, home, said = server.database("optuna_both"), tmp_path / "home", []
    names = ("small", "other")
    for name in names:
        text = TINY.replace('name = "small"', f'name = "{name}"')
        (tmp_path / f"{name}.toml").write_text(text)
    processes = [start(tmp_path / f"{n}.toml", home, storage, mlflow_server) for n in names]
    while any(process.poll() is None for process in processes):
        said += [arguments_of(process) for process in processes]
        time.sleep(0.5)
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert '"complete": true' in out
        said += [out, err]
    assert any("hpsearch.tracking.projector" in text for text in said)
    said += [p.read_text(errors="replace") for p in home.rglob("*") if p.is_file()]
    assert not any(PASSWORD in text for text in said)
    for name in names:
        quiet = quiet_table(tmp_path / f"{name}.toml", tmp_path / "quiet", name)
        assert stored_table(home, name, storage) == quiet
        client = mlflow.MlflowClient(mlflow_server)
        experiment = client.get_experiment_by_name(name)
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
        assert not any(PASSWORD in str(run.to_dictionary()) for run in runs)
        (parent,) = (run for run in runs if run.data.tags["hpsearch.kind"] == "study")
        assert "result.json" in [f.path for f in client.list_artifacts(parent.info.run_id)]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_server_that_is_killed_costs_nothing(
    server: PostgreSQL, empty_mlflow: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With MLflow on the same server, in another database, and no password in sight."""
    storage = server.database("optuna_killed")
    tracking = server.database("mlflow_killed", like=empty_mlflow)
    path, home = tmp_path / "small.toml", tmp_path / "home"
    path.write_text(TINY)
    process = start(path, home, storage, tracking)
    while not list(home.glob("studies/small/1/trials/*/record.json")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    server.kill()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert "tester:***@127.0.0.1" in err
    assert "run the same command again; no finished work is lost" in err
    assert "Traceback" not in err
    server.start()
    again = start(path, home, storage, tracking)
    arguments = arguments_of(again)
    out_again, err_again = again.communicate(timeout=240)
    assert again.returncode == 0, err_again
    assert '"complete": true' in out_again
    assert PASSWORD not in arguments + out + err + out_again + err_again
    assert not any(
        PASSWORD in p.read_text(errors="replace") for p in home.rglob("*") if p.is_file()
    )
    assert stored_table(home, "small", storage) == quiet_table(path, tmp_path / "quiet", "small")
    monkeypatch.setenv("HPSEARCH_STORAGE", storage)
    monkeypatch.setenv("HPSEARCH_TRACKING_URI", tracking)
    for words in (["doctor"], ["delete", "small", "--yes"]):
        done = call_here(*words, "--home", str(home))
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
    gc.collect()  # connections that end with the process of a command
    assert count(storage, "studies") == 0
    assert count(tracking, "runs where lifecycle_stage = 'active'") == 0


def test_a_study_is_held_in_its_database_as_long_as_its_process_lives(server: PostgreSQL) -> None:
    url = server.database("held")
    with held_in_database(url, "a (1)"):
        second = held_in_database(url, "a (1)")
        with pytest.raises(StudyLockedError, match="another machine that uses the same database"):
            second.__enter__()
        with held_in_database(url, "b (1)"):
            pass
    with held_in_database(url, "a (1)"):
        pass


def test_rows_are_those_of_mlflow_s_own_calls(
    server: PostgreSQL, empty_mlflow: str, tmp_path: Path
) -> None:
    tables, calls = (server.database(name, like=empty_mlflow) for name in ("tables", "calls"))
    check_writers(tables, calls, tmp_path)


def test_a_wrong_password_is_not_repeated(server: PostgreSQL) -> None:
    url = server.database("wrong").replace(PASSWORD, "wr0ng")
    with pytest.raises(StorageError) as caught:
        open_storage(url)
    assert "password authentication failed" in str(caught.value)
    assert "wr0ng" not in str(caught.value)
