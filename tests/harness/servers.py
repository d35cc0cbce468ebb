"""PostgreSQL, MLflow, Dask and plain files over HTTP, to be used and to be killed."""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

OWNER = "nobody"  # who runs PostgreSQL where we are root, which it refuses
PASSWORD = "s3cret-p4ssword"
START_SECONDS = 180.0  # for a server to answer, on a machine that is busy


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill_tree(pid: int) -> None:
    """kill -9 of a process and all below it; those that are gone already are no matter."""
    try:
        top = psutil.Process(pid)
        processes = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)


@dataclass
class PostgreSQL:
    """A server in a new folder, which becomes its owner's; on loopback, with a password."""

    folder: Path
    port: int = field(default_factory=free_port)
    fsync: str = "on"  # "off" loses nothing where only its processes are killed

    def create(self) -> None:
        """Make its files and start it."""
        self.folder.mkdir()
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:
            for path in (self.folder, secret):
                os.chown(path, pwd.getpwnam(OWNER).pw_uid, pwd.getpwnam(OWNER).pw_gid)
        secured = ["--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        self._call("initdb", "-D", str(self.folder / "data"), "-U", "tester", *secured)
        self.start()

    def _call(self, *words: str) -> None:
        place = programs()
        if place is None:
            sys.exit(
                "PostgreSQL is not here, on Debian or Ubuntu: sudo apt-get install postgresql"
            )
        command = [str(place / words[0]), *words[1:]]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={OWNER}", "--clear-groups", *command]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Start it, after a kill too."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync={self.fsync} -k {self.folder}"
        )
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self._call("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "120", "start")

    def stop(self) -> None:
        """End it at once, without writing what it holds."""
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def kill(self) -> None:
        """kill -9 of the server and its processes."""
        kill_tree(int((self.folder / "data/postmaster.pid").read_text().split()[0]))

    def database(self, name: str, *, like: str = "template1") -> str:
        """A new database; its URL, with the password.

        Args:
            name: of it.
            like: the database that it is a copy of, which nobody is connected to.
        """
        import psycopg

        head = f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}"
        with psycopg.connect(f"{head}/postgres", autocommit=True) as connection:
            connection.execute(f"create database {name} template {like}".encode())
        return f"{head}/{name}".replace("postgresql:", "postgresql+psycopg:")


@dataclass
class MLflowServer:
    """A tracking server over HTTP on loopback; `store` is its database, artifacts go beside.

    Attributes:
        prefix: of its paths, as behind a proxy of several services, e.g. "/team/ml".
        modules: a folder with another version of MLflow, which it runs with.
    """

    folder: Path
    store: str
    artifacts: Path
    prefix: str = ""
    modules: Path | None = None
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        from hpsearch.tracking.server import ENVIRONMENT

        self.folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--artifacts-destination", str(self.artifacts)]
        command += ["--static-prefix", self.prefix] if self.prefix else []
        environment = {**os.environ, **ENVIRONMENT, "MLFLOW_BACKEND_STORE_URI": self.store}
        if self.modules is not None:  # the tables of our stores are not those of its version
            environment["PYTHONPATH"] = str(self.modules)
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with (self.folder / "mlflow.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no MLflow server, see {self.folder / 'mlflow.log'}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9 of the server and its processes."""
        if self._process is not None:
            kill_tree(self._process.pid)
            self._process.wait()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said: object) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a web server over a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def programs() -> Path | None:
    """Where PostgreSQL's initdb and pg_ctl are; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/local/bin")]
    return found[-1] if (found[-1] / "initdb").exists() else None


@dataclass
class DaskCluster:
    """A scheduler on loopback, and workers that share no data set with us by path.

    Attributes:
        address: dask://host:port
        processes: the scheduler's, then that of the nannies, which start the workers.
    """

    address: str
    processes: list[subprocess.Popen[bytes]]

    @classmethod
    def start(cls, folder: Path, *, workers: int) -> DaskCluster:
        """Start them in an empty folder, and wait for the workers."""
        import distributed

        from hpsearch.execution.cluster import scheduler_address
        from hpsearch.processes import child_environment

        env = {**child_environment(), "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}
        file = folder / "scheduler.json"
        head = [sys.executable, "-m", "dask"]
        options = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
        commands = [[*head, "scheduler", "--port", "0", *options]]
        nannies = ["--nworkers", str(workers), "--nthreads", "1", "--local-directory", str(folder)]
        commands.append([*head, "worker", *options, *nannies])
        processes: list[subprocess.Popen[bytes]] = []
        with (folder / "log").open("wb") as log:
            for command in commands:
                processes.append(subprocess.Popen(command, cwd=folder, env=env, stderr=log))
                while not file.exists():
                    if processes[0].poll() is not None:
                        raise RuntimeError((folder / "log").read_text())
                    time.sleep(0.05)
        address = str(json.loads(file.read_text())["address"]).replace("tcp://", "dask://")
        with distributed.Client(scheduler_address(address), set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        return cls(address, processes)

    def stop(self) -> None:
        """End the workers, then the scheduler."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            kill_tree(process.pid)  # nannies whose workers were killed may wait for new ones
            process.wait()

    def worker_processes(self) -> list[psutil.Process]:
        """Those that the nannies started, which run the slices."""
        found = []
        for process in psutil.Process(self.processes[1].pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it died before, or as it was looked at
                if "spawn_main" in " ".join(process.cmdline()):
                    found.append(process)
        return found
