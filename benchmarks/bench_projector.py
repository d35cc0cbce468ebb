"""The cost of the record: on the training path, and in the projector beside bare MLflow calls.

    python benchmarks/bench_projector.py [--trials 200] [--repeats 3]

The same trials (8 params, 10 tags, 200 points of 4 metrics, 2 artifacts) are sent alternately,
each time to a fresh SQLite store, by the Projector and by bare create_run + log_batch +
set_terminated calls plus the artifacts; the result is CPU seconds of this one process. The
training path is the coordinator's work for a trial: write its record, seal it, announce it. Its
wall clock includes the disk's fsyncs, so it is also measured on /dev/shm, which has none. Finally,
the script measures what the record adds to a study: the time per trial inside all calls of the run
folder, in a study of trials without work (benchmarks/bench_scale.py), each drawn, trained, scored,
sealed and announced.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.tracking.projector import Projector
from hpsearch.tracking.replay import mlflow_settings
from hpsearch.tracking.run_content import changing_tags, params_of, points, run_name, trial_text
from hpsearch.tracking.stores.sqlite_store import prepare_sqlite

MEMORY = Path("/dev/shm")  # a disk without fsyncs
EPOCHS, METRICS = 50, ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
PARENT = {
    "run_id": "bench",
    "uid": "bench:study",
    "experiment": "bench",
    "name": "bench",
    "started": 1_700_000_000_000,
    "ended": None,
    "status": "RUNNING",
    "tags": {"mlflow.user": "someone", "mlflow.note.content": "A study.\n\nIt is a bench."},
    "params": {},
    "metrics": {},
    "look": {"direction": "maximize", "top": []},
    "datasets": [],
}


def record(number: int) -> TrialRecord:
    """A complete trial."""
    member = MemberRecord(0, SeedKey(0, number, 0, 0))
    rows = [
        (epoch, {name: epoch / EPOCHS + number / 1e6 + i for i, name in enumerate(METRICS)})
        for epoch in range(1, EPOCHS + 1)
    ]
    member.extend(EPOCHS, rows)
    params = {f"param{i}": 0.1 * i + number for i in range(8)}
    made = TrialRecord(f"bench:trial:{number}", "trial", number, params, [member], {"data": "d"})
    made.started = 1_700_000_000.0 + number
    made.marks.append([EPOCHS, made.started + 1])
    made.ended = made.started + 1
    made.scores, made.outcome = {EPOCHS: 0.5}, Outcome.COMPLETE
    return made


def training_path(folder: RunFolder, trials: int) -> tuple[float, float]:
    """Milliseconds per trial: CPU time, and wall clock with the disk's fsyncs."""
    made = [record(number) for number in range(trials)]
    for one in made:
        folder.append_log(one, "a line\n")  # the second artifact; networks print none
    started, started_cpu = time.perf_counter(), time.process_time()
    for one in made:
        folder.write(one)
        folder.note_slice({"worker": 1, "began": 0.0, "seconds": 1.0, "trials": [one.number]})
        folder.announce_record(one)
    cpu, wall = time.process_time() - started_cpu, time.perf_counter() - started
    return 1000 * cpu / trials, 1000 * wall / trials


WRITES = ("write", "write_file", "append_log", "announce", "note_slice", "write_json")


def in_a_study(place: Path, trials: int) -> float:
    """Milliseconds of wall clock per trial that a study spends on the record."""
    from bench_scale import ours

    spent, depth = 0.0, 0

    def timed(call: Callable[..., None]) -> Callable[..., None]:
        def record(*args: object, **named: object) -> None:
            nonlocal spent, depth
            depth += 1
            started = time.perf_counter()
            try:
                call(*args, **named)
            finally:
                depth -= 1
                if not depth:  # announce_record is announce
                    spent += time.perf_counter() - started

        return record

    plain = {name: getattr(RunFolder, name) for name in WRITES}
    try:
        for name, call in plain.items():
            setattr(RunFolder, name, timed(call))
        ours(trials, 1, place, False)
    finally:
        for name, call in plain.items():
            setattr(RunFolder, name, call)
    return 1000 * spent / trials


def fsync_ms() -> float:
    """Milliseconds of one fsync of a small file on the disk of temporary files, in the median."""
    seconds = []
    with tempfile.TemporaryFile() as file:
        for _ in range(50):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


def projected(folder: RunFolder, home: Home) -> float:
    """CPU seconds to send all records, with one more artifact per trial than its own."""
    prepare_sqlite(home.tracking_uri)
    projector = Projector(folder, home.tracking_uri, home.artifacts.as_uri())
    started = time.process_time()
    projector.catch_up()
    return time.process_time() - started


def bare(folder: RunFolder, home: Home) -> float:
    """CPU seconds of three calls and two artifacts per trial, whose content is made before."""
    import mlflow
    from mlflow.entities import Metric, Param, RunTag

    prepare_sqlite(home.tracking_uri)
    client = mlflow.MlflowClient(home.tracking_uri)
    experiment = client.create_experiment("bench", artifact_location=home.artifacts.as_uri())
    ready = []
    for one in folder.read_all("trial"):
        tags = {f"hpsearch.tag{i}": "value" for i in range(10 - len(changing_tags(one)))}
        ready.append(
            (
                run_name(one),
                [Metric(k, v, when, step) for k, v, when, step in points(one, 0)],
                [Param(k, v) for k, v in params_of(one).items()],
                [RunTag(k, v) for k, v in (tags | changing_tags(one)).items()],
                trial_text(one),
                str(folder.files.record("trial", one.number).log),
            )
        )
    started = time.process_time()
    for name, metrics, params, run_tags, text, log in ready:
        run = client.create_run(experiment, run_name=name)
        client.log_batch(run.info.run_id, metrics=metrics, params=params, tags=run_tags)
        client.log_text(run.info.run_id, text, "trial.json")
        client.log_artifact(run.info.run_id, log)
        client.set_terminated(run.info.run_id)
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    gc.set_threshold(200_000)  # as the projector's process does, here for both sides
    paths: list[tuple[float, float]] = []
    unsynced: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    with mlflow_settings(), tempfile.TemporaryDirectory() as top:
        for repeat in range(args.repeats):
            folder = RunFolder(Path(top) / f"records{repeat}")
            folder.artifacts.mkdir(parents=True)
            folder.write_json(folder.files.parent, PARENT)
            paths.append(training_path(folder, args.trials))
            if MEMORY.is_dir():
                with tempfile.TemporaryDirectory(dir=MEMORY) as memory:
                    unsynced.append(training_path(RunFolder(Path(memory)), args.trials)[1])
            for side, seconds in ((projected, ours), (bare, theirs)):
                home = Home(Path(top) / f"{side.__name__}{repeat}")
                home.create()
                seconds.append(side(folder, home))
    disks = [None, MEMORY] if MEMORY.is_dir() else [None]
    studied = []
    for disk in disks:
        with tempfile.TemporaryDirectory(dir=disk) as top:
            studied.append(f"{in_a_study(Path(top), args.trials):.2f}")
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    cpu, wall = (statistics.median(column) for column in zip(*paths, strict=True))
    memory = f", {statistics.median(unsynced):.2f} in memory" if unsynced else ""
    print(f"training path: {cpu:.2f} ms CPU a trial, {wall:.2f} ms wall clock{memory}")
    print(f"in a study:    {' ms wall clock a trial, in memory '.join(studied)}")
    print(f"this disk:     {fsync_ms():.2f} ms an fsync")
    print(f"projector:     {1000 * statistics.median(ours) / args.trials:.1f} ms CPU a trial")
    print(f"bare calls:    {1000 * statistics.median(theirs) / args.trials:.1f} ms CPU a trial")
    print(
        f"ratio:         {statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
