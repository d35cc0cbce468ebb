"""Trials per hour of hpsearch beside what a careful user writes with Optuna and MLflow.

    python benchmarks/bench_search.py                       W1 and W2, all peers that are installed
    python benchmarks/bench_search.py --workloads W1 --trials 40 --repeats 3 --peers numpy/batch

The workloads are bench_w1.toml and bench_w2.toml; the peers' side is bench_peers.py. All sides run
in turn, each in a fresh process with fresh stores, and log the same: 4 metrics per epoch, and
params and an artifact per trial; afterwards the content of the stores is counted. The time runs,
after a warm-up, from the first ask until the last trial's MLflow run is finished. hpsearch's time
includes most of the start of its projector, and the part of its workers' start that is left at the
first ask; its confirmation and test runs come later.

Memory is the greatest sum of PSS (RSS where the system has no PSS) over all processes of a side,
from their start to their end. Absolute figures of a shared machine mean little: quote the ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import psutil

HERE = Path(__file__).parent
EXPERIMENT = "bench"  # of the study files and of the peers
HPSEARCH = "hpsearch"
PEERS = ("numpy/batch", "numpy/batch-2", "numpy/fluent", "torch/batch", "sklearn/batch")
MODULES = {"torch": "torch", "sklearn": "sklearn"}
TRIALS = {"W1": 400, "W2": 40}
EPOCHS = {"W1": 100, "W2": 5}
SLOW_TRIALS = 40  # of numpy/fluent and sklearn: a rate needs no more
METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
COLUMNS = (
    "workload",
    "side",
    "trials",
    "diverged",
    "best",
    "trials/hour",
    "CPU s/trial",
    "peak MB",
    "hpsearch/peer",
)
SAMPLE_SECONDS = 0.2
DRAIN_SECONDS = 300  # how long MLflow may take after the last trial


@dataclass(frozen=True)
class Measured:
    """One side's run of one workload.

    Attributes:
        diverged: trials that hpsearch ended early, which are less work.
        parts: hpsearch's CPU seconds by process, and the wall seconds until MLflow had the rest.
    """

    workload: str
    side: str
    repeat: int
    trials: int
    wall_s: float
    cpu_s: float
    best: float
    peak_mb: float
    diverged: int
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def trials_per_hour(self) -> float:
        """The measure for comparing sides."""
        return 3600 * self.trials / self.wall_s


def measure(workload: str, side: str, trials: int, repeat: int) -> Measured:
    """Run a side in a fresh process, watch its memory, and count what MLflow has then."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        said, peak = _run(_command(workload, side, trials, folder), folder / "stderr.txt")
        warm_ups = int(said.get("warm_ups", 0))
        diverged = check_store(folder, trials + warm_ups, EPOCHS[workload], side)
    return Measured(
        workload=workload,
        side=side,
        repeat=repeat,
        trials=trials,
        wall_s=said["wall_s"],
        cpu_s=said["cpu_s"],
        best=said["best"],
        peak_mb=peak / 2**20,
        diverged=diverged,
        parts=said.get("parts", {}),
    )


def _command(workload: str, side: str, trials: int, folder: Path) -> list[str]:
    shared = ["--trials", str(trials), "--folder", str(folder)]
    if side == HPSEARCH:
        return [str(HERE / "bench_search.py"), "--measure", workload, *shared]
    trainer, logging = side.split("/")
    logging, _, processes = logging.partition("-")
    peer = ["--workload", workload, "--trainer", trainer, "--logging", logging]
    return [str(HERE / "bench_peers.py"), *peer, "--processes", processes or "1", *shared]


def _run(command: list[str], log: Path) -> tuple[dict[str, Any], int]:
    """What the command printed, and the peak memory of its processes in bytes."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=errors, text=True
        )
        watch = MemoryWatch(process.pid)
        printed, _ = process.communicate()
    peak = watch.stop()
    if process.returncode:
        tail = "\n".join(log.read_text().splitlines()[-15:])
        sys.exit(f"{' '.join(command)} must end with 0, got {process.returncode}:\n{tail}")
    said: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return said, peak


class MemoryWatch(threading.Thread):
    """Samples the memory of a process and its descendants until stopped.

    PSS costs the watched processes time, so it is asked for only where RSS reaches a new height.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process, self._ended = psutil.Process(pid), threading.Event()
        self._rss = self._peak = 0
        self.start()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            tree = _tree(self._process)
            rss = sum(map(_rss, tree))
            if rss > 1.01 * self._rss:
                self._rss, self._peak = rss, max(self._peak, sum(map(_pss, tree)))

    def stop(self) -> int:
        """The greatest sum seen, in bytes."""
        self._ended.set()
        self.join()
        return self._peak


def _tree(top: psutil.Process) -> list[psutil.Process]:
    try:
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _pss(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0


def check_store(folder: Path, trials: int, epochs: int, side: str) -> int:
    """Count what MLflow has of a side's trials; returns how many of them diverged.

    Raises:
        SystemExit: a run is not finished, or lacks points, params or its artifact.
    """
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        runs = list(_runs(database))
    problems = []
    if len(runs) != trials:
        problems.append(f"MLflow must have {trials} trial runs, got {len(runs)}")
    for name, status, uri, points, params in runs:
        artifacts = Path(unquote(urlparse(uri).path))
        if status not in ("FINISHED", "FAILED") or (status == "FAILED" and side != HPSEARCH):
            problems.append(f"{name} must be FINISHED, got {status}")
        if status == "FINISHED" and points != epochs * len(METRICS):
            problems.append(f"{name} must have {epochs * len(METRICS)} points, got {points}")
        if params < 2 or not any(artifacts.glob("*.json")):
            problems.append(f"{name} must have its params and artifact, got {params} params")
    if problems:
        lines = "\n".join(problems[:10])
        sys.exit(f"{side} did not log everything, {len(problems)} problems:\n{lines}")
    return sum(status == "FAILED" for _, status, *_ in runs)


def _runs(database: sqlite3.Connection) -> Iterator[tuple[str, str, str, int, int]]:
    """Name, status, artifact URI, metric points and params of every trial's run.

    By SQL: the client would need 4 calls a run for the points alone.
    """
    marks = ", ".join("?" for _ in METRICS)
    yield from database.execute(
        f"""
        SELECT r.name, r.status, r.artifact_uri,
            (SELECT count(*) FROM metrics m WHERE m.run_uuid = r.run_uuid AND m.key IN ({marks})),
            (SELECT count(*) FROM params p WHERE p.run_uuid = r.run_uuid)
        FROM runs r JOIN experiments e ON e.experiment_id = r.experiment_id
        JOIN tags parent ON parent.run_uuid = r.run_uuid AND parent.key = 'mlflow.parentRunId'
        LEFT JOIN tags kind ON kind.run_uuid = r.run_uuid AND kind.key = 'hpsearch.kind'
        WHERE e.name = ? AND coalesce(kind.value, 'trial') = 'trial'
        """,
        (*METRICS, EXPERIMENT),
    )


def measure_hpsearch(workload: str, trials: int, folder: Path) -> dict[str, Any]:
    """hpsearch's side, in this process and those it starts."""
    from hpsearch import run_study

    file = HERE / f"bench_{workload.lower()}.toml"
    run_study(file, overrides=["name=warm-up", "stages.0.trials=2"], home=folder)
    clock = _Clock(folder / "mlflow.db", trials)
    report = run_study(
        file, overrides=[f"stages.0.trials={trials}"], home=folder, on_event=clock.hear
    )
    assert report.result.counts.get("failed", 0) == 0, report.result.counts
    best = max(entry["score"] for entry in report.result.top)
    return {**clock.measured(), "best": best}


class _Clock:
    """Takes time and CPU time at the search's first event, and when MLflow has everything.

    The event after the last trial is answered only when MLflow has finished every trial's run, so
    that the time includes nothing after the search.
    """

    def __init__(self, store: Path, trials: int) -> None:
        self._store, self._trials = store, trials

    def hear(self, event: Any) -> None:
        """The function for run_study's on_event."""
        from hpsearch.study.events import PhaseStarted, StageStarted

        if isinstance(event, StageStarted):
            self._started, self._before = time.perf_counter(), _cpu_by_process()
        elif isinstance(event, PhaseStarted) and event.name == "confirmation":
            self._searched = time.perf_counter()
            self._wait_for_mlflow()
            self._ended, self._after = time.perf_counter(), _cpu_by_process()

    def _wait_for_mlflow(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        with contextlib.closing(sqlite3.connect(self._store)) as database:
            while _n_ended(database) < self._trials:
                if time.monotonic() > deadline:
                    got = _n_ended(database)
                    sys.exit(f"MLflow must finish {self._trials} runs, got {got}")
                time.sleep(0.02)

    def measured(self) -> dict[str, Any]:
        """Seconds, of all processes and of each kind."""
        parts = {"coordinator": 0.0, "workers": 0.0, "projector": 0.0}
        for key, (kind, seconds) in self._after.items():
            parts[kind] += seconds - self._before.get(key, (kind, 0.0))[1]
        return {
            "wall_s": self._ended - self._started,
            "cpu_s": sum(parts.values()),
            "parts": {**parts, "drain": self._ended - self._searched},
        }


def _n_ended(database: sqlite3.Connection) -> int:
    """Trials whose MLflow run is over."""
    found = database.execute(
        """
        SELECT count(*) FROM runs r JOIN experiments e ON e.experiment_id = r.experiment_id
        WHERE e.name = ? AND r.status IN ('FINISHED', 'FAILED', 'KILLED')
        """,
        (EXPERIMENT,),
    )
    return int(found.fetchone()[0])


def _cpu_by_process() -> dict[int, tuple[str, float]]:
    """Kind and CPU seconds of this process and each of its descendants."""
    seconds = {}
    for process in _tree(psutil.Process()):
        with contextlib.suppress(psutil.Error):
            line, times = " ".join(process.cmdline()), process.cpu_times()
            kind = "projector" if "projector" in line else "workers"
            if process.pid == os.getpid() or "resource_tracker" in line:
                kind = "coordinator"
            seconds[process.pid] = (kind, times.user + times.system)
    return seconds


def installed(peers: Iterable[str]) -> list[str]:
    """The peers that can run here; prints those that can't."""
    found = []
    for peer in peers:
        module = MODULES.get(peer.split("/")[0])
        if module and importlib.util.find_spec(module) is None:
            print(f"{peer} is left out: {module} is not installed", file=sys.stderr)
        else:
            found.append(peer)
    return found


def n_trials(workload: str, side: str, wanted: int | None) -> int:
    """How many trials a side runs; slow ones fewer."""
    trials = wanted or TRIALS[workload]
    slow = side.endswith("fluent") or side.startswith("sklearn")
    return min(trials, SLOW_TRIALS) if slow else trials


def summary(measured: list[Measured]) -> Iterator[list[str]]:
    """The table: medians over repeats; ratios are medians of each repeat's ratio."""
    yield list(COLUMNS)
    for workload, side in dict.fromkeys((m.workload, m.side) for m in measured):
        mine = [m for m in measured if (m.workload, m.side) == (workload, side)]
        ours = [m for m in measured if (m.workload, m.side) == (workload, HPSEARCH)]
        own = {m.repeat: m.trials_per_hour for m in ours}
        ratio = statistics.median(own[m.repeat] / m.trials_per_hour for m in mine)
        yield [
            workload,
            side,
            str(mine[0].trials),
            str(max(m.diverged for m in mine)),
            f"{max(m.best for m in mine):.3f}",
            f"{statistics.median(m.trials_per_hour for m in mine):,.0f}",
            f"{statistics.median(m.cpu_s / m.trials for m in mine):.3f}",
            f"{max(m.peak_mb for m in mine):.0f}",
            "" if side == HPSEARCH else f"{ratio:.2f}",
        ]


def where(measured: Iterable[Measured]) -> Iterator[str]:
    """Where hpsearch's time goes, one line per run."""
    for m in (m for m in measured if m.side == HPSEARCH):
        cpu = ", ".join(f"{k} {v:.1f}" for k, v in m.parts.items() if k != "drain")
        yield (
            f"{m.workload} hpsearch: {m.wall_s:.1f} s, the last {m.parts['drain']:.1f} of them "
            f"for MLflow to catch up; CPU seconds: {cpu}"
        )


def _print_table(rows: Iterable[list[str]]) -> None:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.ljust(w) if i < 2 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def main() -> None:
    """Parse, measure in turn, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workloads", nargs="+", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--trials", type=int, help="400 in W1 and 40 in W2 unless given")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    parser.add_argument("--measure", choices=TRIALS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()

    from hpsearch.execution.threads import thread_variables

    os.environ.update(thread_variables())  # before NumPy loads, for all sides
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if said.measure:
        print(json.dumps(measure_hpsearch(said.measure, said.trials, said.folder)))
        return
    measured: list[Measured] = []
    try:
        for workload, side, repeat in _turns(said.workloads, said.repeats, said.peers):
            trials = n_trials(workload, side, said.trials)
            measured.append(measure(workload, side, trials, repeat))
            print(f"{workload} {side}: {measured[-1].trials_per_hour:,.0f}/h", file=sys.stderr)
    finally:  # what was measured before a side failed
        _print(measured, as_json=said.json)


def _turns(
    workloads: list[str], repeats: int, peers: Iterable[str]
) -> Iterator[tuple[str, str, int]]:
    sides = [HPSEARCH, *installed(peers)]
    for workload in workloads:
        for repeat in range(repeats):
            for side in sides:
                yield workload, side, repeat


def _print(measured: list[Measured], *, as_json: bool) -> None:
    if as_json:
        rates = [{**asdict(m), "trials_per_hour": m.trials_per_hour} for m in measured]
        print(json.dumps(rates))
        return
    _print_table(summary(measured))
    print(*where(measured), sep="\n")


if __name__ == "__main__":
    main()
