"""Check that MLflow has every run and every point once after kills and a full disk.

    python soak/torture_projector.py [--trials 200] [--kills 50]

One study of slow trials uses an MLflow server on its own SQLite database. While it runs, its
projector is killed again and again (kill -9), the server is killed and started again, and the disk
that holds everything is filled once (a small disk in memory, which only root can mount; without
root this part is skipped, and the script says so). If the study ends by itself, it is started
again. Then `sync` and `doctor` run, and counts in MLflow's database are compared with the records.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is not installed
from tests.harness.servers import MLflowServer

STUDY = """\
name = "torture"
seed = 0
objective = {{ metric = "validation_accuracy", direction = "maximize" }}
[data]
name = "digits"
shots = 3
[space]
trainer = "slow:train"
x = {{ low = 0.0, high = 1.0 }}
[[stages]]
trials = {trials}
epochs = 20
[sampler]
proposal = "uniform"
[confirmation]
top = 1
seeds = 2
test_seeds = 1
[execution]
slice_seconds = 0.5
"""
FUNCTION = """\
import time

def train(params, data, seed, state=None):
    for epoch in range(state or 0, 20):
        time.sleep({seconds})
        yield {{"validation_accuracy": params["x"] * (1 - 1 / (epoch + 2))}}, epoch + 1
"""
BETWEEN = (5.5, 9.0)  # seconds between two kills; the coordinator starts it again after 5 s
AWAY = 5.0  # seconds that the server is away, and that the disk is full
DISK = "1500m"  # in memory, but only the part that is filled


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a separate disk at this folder if possible; returns whether it is mounted."""
    may = sys.platform == "linux" and os.getuid() == 0
    if may:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
        may = subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
    try:
        yield may
    finally:
        if may:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Fill the rest of the disk."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            pass
    with path.open("ab", buffering=0) as file:  # the last bytes
        try:
            while True:
                file.write(b"0" * 512)
        except OSError:
            pass


@dataclass
class Torture:
    """The running study, and what was done to it."""

    place: Path
    trials: int
    kills: int
    own_disk: bool
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    done: Counter[str] = field(default_factory=Counter)
    ends: list[int] = field(default_factory=list)  # the study's exit codes

    def __post_init__(self) -> None:
        seconds = 1.2 * self.kills * sum(BETWEEN) / 2 / (20 * self.trials)
        (self.place / "slow.py").write_text(FUNCTION.format(seconds=round(seconds, 4)))
        (self.place / "torture.toml").write_text(STUDY.format(trials=self.trials))
        self.home = self.place / "home"
        self.database = self.place / "mlflow.db"
        store = f"sqlite:///{self.database}"
        self.server = MLflowServer(self.place / "server", store, self.place / "artifacts")

    def run(self) -> None:
        """Run and disturb the study until it is finished."""
        self.server.start()
        self._start()
        while self._goes_on():
            time.sleep(self.rng.uniform(*BETWEEN))
            if self.done["projector kills"] < self.kills:
                self._kill_projector()
            share = self.done["projector kills"] / self.kills
            if share >= 0.3 and not self.done["server kills"]:
                self._kill_server()
            if share >= 0.6 and self.own_disk and not self.done["full disks"]:
                self._fill_disk()

    def _start(self) -> None:
        command = [sys.executable, "-m", "hpsearch", "study", str(self.place / "torture.toml")]
        command += ["--home", str(self.home), "--workers", "1"]
        with (self.place.parent / "study.log").open("ab") as log:
            self.study = subprocess.Popen(
                command,
                env={**os.environ, "HPSEARCH_TRACKING_URI": self.server.url},
                stdout=log,
                stderr=log,
            )

    def _goes_on(self) -> bool:
        if self.study.poll() is None:
            return True
        self.ends.append(self.study.returncode)
        if self.study.returncode == 0:
            return False
        if len(self.ends) > 5:
            said = (self.place.parent / "study.log").read_text()
            raise RuntimeError(f"the study ends again and again:\n{said[-2000:]}")
        self._start()
        return True

    def _kill_projector(self) -> None:
        for process in psutil.Process(self.study.pid).children():
            try:
                if "hpsearch.tracking.projector_process" in process.cmdline():
                    process.kill()
                    self.done["projector kills"] += 1
            except psutil.Error:
                continue

    def _kill_server(self) -> None:
        self.server.kill()
        time.sleep(AWAY)
        self.server.start()
        self.done["server kills"] += 1

    def _fill_disk(self) -> None:
        filler = self.place / "filler"
        fill(filler)
        time.sleep(AWAY)
        filler.unlink()
        self.done["full disks"] += 1

    def findings(self) -> Iterator[tuple[str, str, bool]]:
        """(check, finding, whether it is right)."""
        from hpsearch import doctor, sync
        from hpsearch.records.layout import Kind
        from hpsearch.records.run_folder import RunFolder
        from hpsearch.tracking.run_content import points

        stores: dict[str, Any] = {"home": self.home, "tracking_uri": self.server.url}
        started = time.perf_counter()
        said = sync("torture", **stores)
        problems = "; ".join(filter(None, said.problem))
        yield "sync", problems or f"{time.perf_counter() - started:.0f} s", not problems
        folder = RunFolder(self.home / "studies/torture/1")
        records = [r for kind in get_args(Kind) for r in folder.read_all(kind)]
        runs, uids = self._count(
            "select count(*), count(distinct value) from tags join runs using (run_uuid)"
            " where key = 'hpsearch.uid' and lifecycle_stage = 'active'"
        )
        text = f"{runs} of {uids} uids; recorded: {len(records)} and the study"
        yield "runs in MLflow", text, runs == uids == len(records) + 1
        there, once = self._count(
            "select count(*), count(distinct run_uuid || key || '/' || step) from metrics"
            " where run_uuid in (select run_uuid from tags where key = 'hpsearch.trial')"
        )
        told = sum(1 for record in records for _ in points(record, 0))
        text = f"{there}, {once} different; recorded: {told}"
        yield "points in MLflow", text, there == once == told
        found = doctor("torture", **stores)
        if len(found):
            print(found.to_string(), file=sys.stderr)
        yield "doctor", f"{len(found)} differences", found.empty

    def _count(self, query: str) -> tuple[int, int]:
        with sqlite3.connect(self.database) as connection:
            first, second = connection.execute(query).fetchone()
        return first, second


def main() -> None:
    """Run, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hpsearch-torture-") as temporary:
        place = Path(temporary) / "disk"
        place.mkdir()
        with small_disk(place) as own_disk:
            torture = Torture(place, asked.trials, asked.kills, own_disk)
            started = time.perf_counter()
            try:
                torture.run()
                rows = list(torture.findings())
            finally:
                if torture.study.poll() is None:
                    torture.study.kill()
                torture.server.kill()
    minutes = (time.perf_counter() - started) / 60
    print(
        f"{asked.trials} trials in {minutes:.1f} minutes; the study's exit codes: {torture.ends}"
    )
    for what in ("projector kills", "server kills", "full disks"):
        note = "" if own_disk or what != "full disks" else " (root alone can mount one)"
        print(f"     {what:18}  {torture.done[what]}{note}")
    for what, found, good in rows:
        print(f"{'ok  ' if good else 'BAD '} {what:18}  {found}")
    enough = torture.done["projector kills"] >= asked.kills
    if not enough:
        print("BAD  the study was over before all kills")
    sys.exit(0 if enough and all(good for _, _, good in rows) else 1)


if __name__ == "__main__":
    main()
