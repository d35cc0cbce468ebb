"""What a study costs beside its training: trials of no work through the coordinator.

    python benchmarks/bench_scale.py            100, 1,000 and 10,000 trials, 1 to 64 workers
    python benchmarks/bench_scale.py --trials 1000 --workers 8 --projection
                                             MLflow too: nothing is sent until all trials are
                                             through, then it catches up, in so many seconds

Simulated workers answer at once, so that all the measured time is the coordinator's. It is
measured alternately with bare Optuna: ask, suggest the same six parameters, tell, on the same kind
of SQLite database in WAL mode. Each measurement is a separate process. The time of a trial is CPU
time of that process, which other programs on the machine don't change; wall time is shown beside
it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

STUDY = """
name = "scale"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 5
[space]
trainer = "noop:train"
x = { low = 0.0, high = 1.0 }
y = { low = 1e-5, high = 1.0, log = true }
z = { low = 0.0, high = 0.5 }
units = { low = 10, high = 1000, log = true, int = true }
layers = { low = 1, high = 5, int = true }
kind = { choices = ["relu", "tanh", "sigmoid"] }
[[stages]]
trials = %d
epochs = 1
[sampler]
proposal = "uniform"
[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""
FUNCTION = "def train(params, data, seed):\n    yield {'validation_accuracy': params['x']}\n"


def simulated_workers(count: int) -> Any:
    """An executor that answers each slice at once with one epoch of every member."""
    from hpsearch.execution.base import SliceExecutor
    from hpsearch.execution.code_rules import check_code
    from hpsearch.execution.slices import MemberAdvance, Slice, SliceResult, Use

    class Simulated(SliceExecutor):
        workers = count

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            work = args[0]
            if isinstance(work, Slice) and fn is not check_code:
                name = "validation_accuracy"
                gains = tuple(
                    MemberAdvance(1, ((work.until, {name: float(m.params["x"])}),), b"", False)
                    for m in work.members
                )
                use = Use(0, time.time(), 0.0, 0.0, 0.0, 0)
                future.set_result(SliceResult(gains, None, use, "simulated"))
            else:
                future.set_result(None)
            return future

    return Simulated()


def ours(trials: int, workers: int, folder: Path, projection: bool) -> dict[str, float]:
    """One study; the projection, if asked for, is caught up with afterwards."""
    from hpsearch.records.layout import Home
    from hpsearch.study import study as study_module
    from hpsearch.study.events import Event, PhaseStarted
    from hpsearch.study.opening import open_run
    from hpsearch.studyfile.reading import read_study

    (folder / "noop.py").write_text(FUNCTION)
    (folder / "scale.toml").write_text(STUDY % trials)
    setattr(study_module, "make_executor", lambda *_: simulated_workers(workers))  # noqa: B010
    read, home = read_study(folder / "scale.toml"), Home(folder / "home")
    home.create()
    run = open_run(read, home, fresh=False)
    study = study_module.Study(read, run, home.storage_url, workers)
    times: list[tuple[float, float]] = []  # of the first event and of the search's end

    def tell(event: Event) -> None:
        if not times or isinstance(event, PhaseStarted):
            times.append((time.perf_counter(), time.process_time()))
        if isinstance(event, PhaseStarted):
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        study.execute(tell)
    (started, started_cpu), (ended, ended_cpu) = times
    found = {
        "ms": 1000 * (ended - started) / trials,
        "cpu_ms": 1000 * (ended_cpu - started_cpu) / trials,
    }
    if projection:
        found |= projected(read, run, home)
    run.close()
    return found


def projected(read: Any, run: Any, home: Any) -> dict[str, float]:
    """Seconds in which MLflow catches up with the records, and CPU seconds of its process."""
    from hpsearch.reports.parent import write_parent
    from hpsearch.tracking.projection import Projection

    write_parent(read, run, None)
    started = time.perf_counter()
    projection = Projection(run.folder, home, home.tracking_uri, print)
    projection.start()
    assert projection.finish(seconds=24 * 3600)
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "caught_up": time.perf_counter() - started,
        "caught_up_cpu": use.ru_utime + use.ru_stime,
    }


def optuna_alone(trials: int, folder: Path) -> dict[str, float]:
    """The loop of Optuna's manual with a random sampler."""
    import optuna

    from hpsearch.study.storage.trials import open_storage

    storage = open_storage(f"sqlite:///{folder / 'optuna.db'}")
    study = optuna.create_study(
        storage=storage, sampler=optuna.samplers.RandomSampler(seed=0), direction="maximize"
    )
    started, started_cpu = time.perf_counter(), time.process_time()
    for _ in range(trials):
        trial = study.ask()
        x = trial.suggest_float("x", 0.0, 1.0)
        trial.suggest_float("y", 1e-5, 1.0, log=True)
        trial.suggest_float("z", 0.0, 0.5)
        trial.suggest_int("units", 10, 1000, log=True)
        trial.suggest_int("layers", 1, 5)
        trial.suggest_categorical("kind", ["relu", "tanh", "sigmoid"])
        study.tell(trial, x)
    return {
        "ms": 1000 * (time.perf_counter() - started) / trials,
        "cpu_ms": 1000 * (time.process_time() - started_cpu) / trials,
    }


def measured(side: str, trials: int, workers: int, projection: bool) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--trials", str(trials)]
    command += ["--workers", str(workers), *(["--projection"] if projection else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


def main() -> None:
    """Measure and print a table, or one side for the process above."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 8, 64])
    parser.add_argument("--projection", action="store_true", help="then catch MLflow up")
    parser.add_argument("--side", choices=["ours", "optuna"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        with tempfile.TemporaryDirectory() as place:
            (trials,), (workers,) = asked.trials, asked.workers
            found = (
                ours(trials, workers, Path(place), asked.projection)
                if asked.side == "ours"
                else optuna_alone(trials, Path(place))
            )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found["mb"] = peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        print(json.dumps(found))
        return
    print(
        "trials  workers  CPU ms/trial  bare Optuna  ratio  ms/trial  Optuna  MB  MLflow s (CPU s)"
    )
    for trials in asked.trials:
        for workers in asked.workers:
            bare = measured("optuna", trials, 1, False)
            mine = measured("ours", trials, workers, asked.projection)
            sent = [mine.get(name, 0.0) for name in ("caught_up", "caught_up_cpu")]
            print(
                f"{trials:6}  {workers:7}  {mine['cpu_ms']:12.2f}  {bare['cpu_ms']:11.2f}  "
                f"{mine['cpu_ms'] / bare['cpu_ms']:5.2f}  {mine['ms']:8.2f}  {bare['ms']:6.2f}  "
                f"{mine['mb']:3.0f}  {sent[0]:.0f} ({sent[1]:.0f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
