"""A short night: schedules that run every minute, and kill -9 of every process.

    python soak/night.py                          30 minutes; exit 0 if all is well
    python soak/night.py --minutes 5 --seed 3

Two batches are due every minute within windows. One trains networks, and an edit of its file
closes its window and opens it again; the other trains a function and an estimator. Optuna and
MLflow use PostgreSQL, MLflow behind a server. One after another, at random, these are killed: the
scheduler (started again, as systemd would do), the current run, a worker, the projector,
PostgreSQL and the MLflow server (both started again). In the morning, unfinished work is finished
by hand. Then the script checks that every occurrence has one run, every run has the table of an
undisturbed one, MLflow has every run and point once, doctor finds nothing, and each round sent one
summary. Needs hpsearch[dev].
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is not installed
from tests.harness.servers import MLflowServer, PostgreSQL

STUDY = """\
name = "{name}"
seed = 5
objective = {{ metric = "validation_accuracy", direction = "maximize" }}
[data]
name = "digits"
shots = 6
split = {{ kind = "k-fold", folds = 3 }}
{space}
[[stages]]
trials = 8
epochs = {first}
[[stages]]
trials = 4
epochs = {last}
[confirmation]
top = 2
seeds = 2
test_seeds = 2
[execution]
slice_seconds = 0.2
"""
NETWORK = """\
[network]
name = "two-layer"
hidden = 20
[space]
trainer = { choices = ["sgd", "adam"] }
learning_rate = { low = 1e-3, high = 1.0, log = true }
"""
FUNCTION = """\
[space]
trainer = "own:train"
alpha = { low = 1e-6, high = 1.0, log = true }
"""
ESTIMATOR = """\
[space]
trainer = "sklearn.ensemble.RandomForestClassifier"
n_estimators = 30
max_depth = { low = 2, high = 12 }
"""
OWN = """\
from sklearn.linear_model import SGDClassifier

def train(params, data, seed, state=None):
    model = state or SGDClassifier(**params, random_state=seed)
    while True:
        model.partial_fit(data.x_train, data.y_train, classes=range(data.n_classes))
        yield lambda x, y: {"validation_accuracy": model.score(x, y)}, model
"""
STUDIES = {
    "networks": [("nets", NETWORK, 100, 300)],
    "others": [("own", FUNCTION, 20, 60), ("forest", ESTIMATOR, 3, 9)],
}
BATCH = """\
name = "{name}"
retries = 8                                      # a database that comes back within a minute
retry_seconds = 2
[schedule]
cron = "* * * * *"
timezone = "UTC"
window = "{window}"
fresh = true
"""
# How often each is chosen.
VICTIMS = {"scheduler": 3, "run": 2, "worker": 4, "projector": 3, "PostgreSQL": 2, "MLflow": 2}
BELOW = {
    "run": "hpsearch.api.occurrence_process",
    "worker": "hpsearch.execution.worker",
    "projector": "hpsearch.tracking.projector_process",
}
STOP_SECONDS = 10.0  # the scheduler's, on SIGTERM


def window(first: datetime, last: datetime) -> str:
    """The window as in a [schedule]."""
    return f"{first:%H:%M}-{last:%H:%M}"


@dataclass
class Summaries:
    """The webhook to which batches report."""

    bodies: list[dict[str, Any]] = field(default_factory=list)

    def listen(self) -> str:
        """Start; returns the address."""
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"]))
                bodies.append(json.loads(text))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    def of_finished(self, batch: str) -> int:
        """Summaries of whole rounds of a batch."""
        return sum(b["batch"] == batch and b["exit_code"] == 0 for b in self.bodies)


@dataclass
class Night:
    """The servers, the scheduler, and what happens to them."""

    place: Path
    minutes: float
    every: float
    workers: int
    rng: random.Random
    summaries: Summaries = field(default_factory=Summaries)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def home(self) -> Path:
        """The home of the night's stores."""
        return self.place / "home"

    @property
    def log(self) -> Path:
        """The scheduler's JSON lines."""
        return self.place / "schedule.jsonl"

    def write_files(self) -> None:
        """The studies, and two batches of them."""
        (self.place / "studies").mkdir()
        (self.place / "studies/own.py").write_text(OWN)
        for studies in STUDIES.values():
            for name, space, first, last in studies:
                text = STUDY.format(name=name, space=space, first=first, last=last)
                (self.place / f"studies/{name}.toml").write_text(text)

    def write_batch(self, name: str, hours: str) -> Path:
        """Write a batch file with these hours in one step, as an editor does."""
        text = BATCH.format(name=name, window=hours)
        for study, *_ in STUDIES[name]:
            text += f'[[studies]]\nfile = "{study}.toml"\n'
        path = self.place / f"studies/{name}-batch.toml"
        young = path.with_suffix(".new")
        young.write_text(text)
        return young.replace(path)

    def start_servers(self) -> None:
        """Start PostgreSQL, MLflow on it, and the webhook."""
        self.postgresql = PostgreSQL(self.place / "postgresql")
        self.postgresql.create()
        self.storage = self.postgresql.database("optuna")
        self.store = self.postgresql.database("mlflow")
        self.mlflow = MLflowServer(self.place / "mlflow", self.store, self.place / "artifacts")
        self.mlflow.start()
        os.environ["HPSEARCH_WEBHOOK"] = self.summaries.listen()

    def start_scheduler(self) -> None:
        """Start the scheduler as systemd would, at first and after each kill."""
        command = [sys.executable, "-m", "hpsearch", "schedule", str(self.place / "studies")]
        command += ["--home", str(self.home), "--workers", str(self.workers), "--json"]
        stores = {"HPSEARCH_STORAGE": self.storage, "HPSEARCH_TRACKING_URI": self.mlflow.url}
        with self.log.open("ab") as out, (self.place / "stderr.log").open("ab") as err:
            self.scheduler = subprocess.Popen(
                command, env={**os.environ, **stores}, stdout=out, stderr=err
            )

    def below(self, what: str) -> list[psutil.Process]:
        """The scheduler's processes of a kind."""
        found = []
        for process in psutil.Process(self.scheduler.pid).children(recursive=True):
            try:
                if BELOW[what] in process.cmdline():
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill_something(self) -> None:
        """Kill one process that exists."""
        what = self.rng.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        away = self.rng.uniform(0.5, 3.0)  # before a server is started again
        if what in BELOW:
            found = self.below(what)
            if not found:
                return
            self.rng.choice(found).kill()
        elif what == "scheduler":
            self.scheduler.kill()
            self.scheduler.wait()
            time.sleep(away)
            self.start_scheduler()
        else:
            server = self.postgresql if what == "PostgreSQL" else self.mlflow
            server.kill()
            time.sleep(away)
            server.start()
        self.kills[what] += 1
        print(f"{datetime.now():%H:%M:%S}  killed: {what}", file=sys.stderr, flush=True)

    def pass_the_night(self) -> None:
        """Let schedules run and disturb them; at the end, close both windows."""
        first = datetime.now(UTC)
        last = first + timedelta(minutes=self.minutes)
        self.write_batch("networks", window(first, first + 0.4 * (last - first)))
        self.write_batch("others", window(first, last))
        self.start_scheduler()
        opened = False
        while (now := datetime.now(UTC)) < last:
            if not opened and now > first + 0.6 * (last - first):
                self.write_batch("networks", window(now - timedelta(minutes=1), last))
                opened = True
            time.sleep(self.rng.uniform(0.5, 1.5) * self.every)
            if self.scheduler.poll() is not None:
                raise RuntimeError(f"the scheduler ended by itself, see {self.place}")
            self.kill_something()

    def stop(self) -> float:
        """Stop the scheduler as systemd does; returns how long it took."""
        started = time.monotonic()
        self.scheduler.send_signal(signal.SIGTERM)
        self.scheduler.wait(timeout=120)
        return time.monotonic() - started

    def finish(self) -> None:
        """Finish the rounds that a window or the end of the night interrupted."""
        from hpsearch import run_batch

        for name in STUDIES:
            (state,) = (self.home / "batches").glob(f"{name}-????????/round.json")
            if json.loads(state.read_text())["round"] is not None:
                run_batch(
                    self.place / f"studies/{name}-batch.toml",
                    home=self.home,
                    workers=self.workers,
                    storage=self.storage,
                    tracking_uri=self.mlflow.url,
                    window="",
                )

    def end(self) -> None:
        """Leave no process behind."""
        for process in (getattr(self, "scheduler", None),):
            if process is not None and process.poll() is None:
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()
        for server in (getattr(self, "mlflow", None), getattr(self, "postgresql", None)):
            if server is not None:
                server.kill()


@dataclass
class Verdict:
    """The checks of the morning."""

    night: Night
    stopped: float

    def rows(self) -> Iterator[tuple[str, str, bool]]:
        """(check, finding, whether it is right)."""
        from hpsearch import doctor, sync

        yield (
            "scheduler stopped",
            f"{self.stopped:.1f} s after SIGTERM",
            (self.stopped <= STOP_SECONDS),
        )
        due = Counter(
            line["schedule"].removesuffix("-batch")
            for line in self._lines()
            if line["event"] == "run" and line["message"] == "started (due)"
        )
        for batch, studies in STUDIES.items():
            for name, *_ in studies:
                yield from self._study(batch, name, due[batch])
        stores: dict[str, Any] = {"home": self.night.home, "tracking_uri": self.night.mlflow.url}
        said = sync(**stores)
        yield "sync", f"{len(said)} runs of studies", not any(said.problem)
        yield from self._mlflow(int(said.records.sum()) + len(said))
        found = doctor(**stores, storage=self.night.storage)
        if len(found):
            print(found.to_string(), file=sys.stderr)
        yield "doctor", f"{len(found)} differences", found.empty

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in self.night.log.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:  # the scheduler was killed while it wrote the line
                continue

    def _study(self, batch: str, name: str, due: int) -> Iterator[tuple[str, str, bool]]:
        from hpsearch import show_study, study_trials

        runs = sorted(
            int(p.name) for p in (self.night.home / "studies" / name).iterdir() if p.name.isdigit()
        )
        yield f"{name}: run twice", f"{len(runs)} runs, {due} times due", len(runs) == due
        said = self.night.summaries.of_finished(batch)
        yield f"{name}: summaries", f"{said} for {len(runs)} runs", said == len(runs)
        quiet = study_trials(name, home=self.night.place / "quiet")
        winner = show_study(name, home=self.night.place / "quiet").result.test
        equal = 0
        for number in runs:
            if not (self.night.home / f"studies/{name}/{number}/artifacts/result.json").exists():
                continue
            again = study_trials(f"{name}/{number}", home=self.night.home)
            result = show_study(f"{name}/{number}", home=self.night.home).result
            equal += again.equals(quiet) and result.test == winner
        text = f"{equal} of {len(runs)} runs are the undisturbed one"
        yield f"{name}: nothing lost", text, equal == len(runs)

    def _mlflow(self, expected: int) -> Iterator[tuple[str, str, bool]]:
        """Count in the database itself."""
        import sqlalchemy

        def count(query: str) -> int:
            with sqlalchemy.create_engine(self.night.store).connect() as connection:
                return int(connection.execute(sqlalchemy.text(query)).scalar_one())

        there = "from tags t join runs r using (run_uuid) where t.key = 'hpsearch.uid'"
        there += " and r.lifecycle_stage = 'active'"
        uids = count(f"select count(distinct t.value) {there}")
        runs = count(f"select count(*) {there}")
        yield (
            "MLflow runs",
            f"{runs} of {uids} records, {expected} written",
            (runs == uids == expected),
        )
        points = count("select count(*) from metrics")
        steps = count("select count(*) from (select distinct run_uuid, key, step from metrics) d")
        yield "MLflow points", f"{points}, {points - steps} of them twice", points == steps
        open_ = count("select count(*) from runs where status = 'RUNNING'")
        yield "MLflow runs that never ended", str(open_), open_ == 0


def run_quietly(night: Night) -> None:
    """Run the same studies undisturbed, in separate stores."""
    from hpsearch import run_study

    for studies in STUDIES.values():
        for name, *_ in studies:
            run_study(
                night.place / f"studies/{name}.toml",
                home=night.place / "quiet",
                workers=night.workers,
            )


def main() -> None:
    """Pass a night and print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=20, help="seconds between two kills")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where all is kept; left out: thrown away")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hpsearch-night-") as temporary:
        place = asked.folder or Path(temporary)
        place.mkdir(exist_ok=True)
        place.chmod(0o755)  # PostgreSQL's user goes through it
        rng = random.Random(asked.seed)
        night = Night(place.resolve(), asked.minutes, asked.every, asked.workers, rng)
        sys.exit(0 if passed(night) else 1)


def passed(night: Night, say: Callable[[str], None] = print) -> bool:
    """Whether every check passed; the table shows them."""
    try:
        night.write_files()
        run_quietly(night)
        night.start_servers()
        night.pass_the_night()
        stopped = night.stop()
        night.finish()
        rows = list(Verdict(night, stopped).rows())
    finally:
        night.end()
    kills = ", ".join(f"{what} {n}" for what, n in sorted(night.kills.items()))
    say(f"{night.minutes:g} minutes, {night.kills.total()} kills: {kills}")
    for what, found, good in rows:
        say(f"{'ok  ' if good else 'BAD '} {what:28}  {found}")
    return all(good for _, _, good in rows)


if __name__ == "__main__":
    main()
