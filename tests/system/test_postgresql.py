"""Studies on a real PostgreSQL and a real MLflow server over HTTP, both on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import psutil
import pytest
from optuna.storages import RDBStorage
from sqlalchemy import NullPool

from hpsearch.errors import StorageError, StudyLockedError
from hpsearch.processes import child_environment
from hpsearch.study.advisory_lock import held_in_database
from hpsearch.study.storage import open_storage
from hpsearch.tracking.server import ENVIRONMENT
from tests.harness.study import SMALL
from tests.system.test_kill_resume import table

psycopg = pytest.importorskip(
    "psycopg", reason="no driver here: pip install 'hpsearch[postgresql]' runs these tests"
)
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/local/bin")]
BIN = BINARIES[-1]
pytestmark = pytest.mark.skipif(
    not (BIN / "initdb").exists(), reason="no PostgreSQL here: initdb and pg_ctl run these tests"
)
PASSWORD = "s3cret-p4ssword"
QUICK = ["--set", "stages.2.epochs=6", "--set", "confirmation.top=1", "--json"]


@dataclass
class Server:
    """A PostgreSQL server in a folder of its own."""

    folder: Path
    port: int

    def control(self, *words: str) -> None:
        """Call a PostgreSQL program; as root as another user, which is what it asks for."""
        command = [str(BIN / words[0]), *words[1:]]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={OWNER}", "--clear-groups", *command]
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=-1)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it, after a kill too."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self.control("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "60", "start")

    def kill(self) -> None:
        """kill -9 of the server and its processes."""
        pid = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=10)

    def database(self, name: str) -> str:
        """A new database; its URL, with the password."""
        head = f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}"
        with psycopg.connect(f"{head}/postgres", autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return f"{head}/{name}".replace("postgresql:", "postgresql+psycopg:")


OWNER = "nobody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Started once; its data are thrown away."""
    folder = Path(tempfile.mkdtemp(prefix="hpsearch-postgresql-"))
    made = Server(folder, free_port())
    (folder / "password").write_text(PASSWORD)
    if os.getuid() == 0:
        owner = pwd.getpwnam(OWNER)
        for path in (folder, folder / "password"):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    secret = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    made.control("initdb", "-D", str(folder / "data"), "-U", "tester", *secret, "--no-sync")
    made.start()
    yield made
    made.control("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def mlflow_server(server: Server, tmp_path: Path) -> Iterator[str]:
    """An MLflow server over HTTP on a database of its own; it keeps the artifacts."""
    url, port = server.database(f"mlflow_{tmp_path.name.lower()}"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += ["--host", "127.0.0.1", "--artifacts-destination", str(tmp_path / "artifacts")]
    environment = {**os.environ, **ENVIRONMENT, "MLFLOW_BACKEND_STORE_URI": url}
    with (tmp_path / "mlflow.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                break
        except OSError:
            assert process.poll() is None, (tmp_path / "mlflow.log").read_text()
            time.sleep(0.2)
    yield address
    below = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    process.wait(timeout=30)
    psutil.wait_procs(below, timeout=30)


def called(
    words: list[str], home: Path, storage: str, tracking_uri: str
) -> subprocess.CompletedProcess[str]:
    """A command that finds its stores in the environment."""
    stores = {"HPSEARCH_STORAGE": storage, "HPSEARCH_TRACKING_URI": tracking_uri}
    return subprocess.run(
        [sys.executable, "-m", "hpsearch", *words, "--home", str(home)],
        env={**child_environment(), **stores},
        capture_output=True,
        text=True,
        check=False,
    )


def start(path: Path, home: Path, storage: str, tracking_uri: str) -> subprocess.Popen[str]:
    stores = {"HPSEARCH_STORAGE": storage, "HPSEARCH_TRACKING_URI": tracking_uri}
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    return subprocess.Popen(
        [*command, "--workers", "1", *QUICK],
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
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home), *QUICK]
    subprocess.run([*command, "--workers", "0"], check=True, capture_output=True)
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
    server: Server, mlflow_server: str, tmp_path: Path
) -> None:
    """Both from the first connection to new, empty databases; no password is seen anywhere."""
    storage, home, said = server.database("optuna_both"), tmp_path / "home", []
    names = ("small", "other")
    for name in names:
        text = SMALL.replace('name = "small"', f'name = "{name}"')
        (tmp_path / f"{name}.toml").write_text(text)
    processes = [start(tmp_path / f"{n}.toml", home, storage, mlflow_server) for n in names]
    while any(process.poll() is None for process in processes):
        said += [arguments_of(process) for process in processes]
        time.sleep(0.3)
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


def test_a_server_that_is_killed_costs_nothing(server: Server, tmp_path: Path) -> None:
    """With MLflow on the same server, in another database, and no password in sight."""
    storage, tracking = server.database("optuna_killed"), server.database("mlflow_killed")
    path, home = tmp_path / "small.toml", tmp_path / "home"
    path.write_text(SMALL)
    process = start(path, home, storage, tracking)
    while len(list(home.glob("studies/small/1/trials/*/record.json"))) < 3:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    server.kill()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert "tester:***@127.0.0.1" in err
    assert "run the same command again; nothing that was finished is lost" in err
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
    for words in (["doctor"], ["delete", "small", "--yes"]):
        done = called(words, home, storage, tracking)
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
    assert count(storage, "studies") == 0
    assert count(tracking, "runs where lifecycle_stage = 'active'") == 0


def test_a_study_is_held_in_its_database_as_long_as_its_process_lives(server: Server) -> None:
    url = server.database("held")
    with held_in_database(url, "a (1)"):
        second = held_in_database(url, "a (1)")
        with pytest.raises(StudyLockedError, match="another machine on the same database"):
            second.__enter__()
        with held_in_database(url, "b (1)"):
            pass
    with held_in_database(url, "a (1)"):
        pass


def test_a_wrong_password_is_not_repeated(server: Server) -> None:
    url = server.database("wrong").replace(PASSWORD, "wr0ng")
    with pytest.raises(StorageError) as caught:
        open_storage(url)
    assert "password authentication failed" in str(caught.value)
    assert "wr0ng" not in str(caught.value)
