"""What a careful user writes without hpsearch: Optuna and MLflow around one training loop.

    python benchmarks/bench_peers.py --workload W1 --trainer numpy --logging batch --folder peer

bench_search.py runs it alternately with hpsearch on the same workloads. Each trial logs 4 metrics
per epoch, its params and one small artifact to a fresh MLflow store in SQLite in the folder. A
single process keeps its Optuna study in memory; several processes share a study in SQLite, and the
MLflow store.

Prints one JSON object: wall seconds from the first ask until the last MLflow run is finished,
after a warm-up of one trial per process, and CPU seconds of all processes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import numpy as np
import optuna
from numpy.typing import NDArray

from hpsearch.datasets.mnist import Mnist

Row = dict[str, float]  # metrics of one epoch
Floats = NDArray[Any]  # float32
Labels = NDArray[np.int64]
EXPERIMENT = "bench"
LOCK_SECONDS = 60  # for another process's write into the same SQLite file


@dataclass(frozen=True)
class Workload:
    """A two-layer ReLU network trained by plain SGD; the same as in bench_w1.toml, bench_w2.toml.

    Attributes:
        shots: the first images of each class to learn from; None: the first `n_train` images.
        validation: image range [first, last) scored every epoch.
    """

    hidden: int
    batch: int
    epochs: int
    validation: tuple[int, int]
    shots: int | None = None
    n_train: int | None = None


WORKLOADS = {
    "W1": Workload(hidden=50, batch=5, epochs=100, validation=(50000, 51000), shots=5),
    "W2": Workload(hidden=100, batch=100, epochs=5, validation=(50000, 60000), n_train=10000),
}


@dataclass(frozen=True)
class Data:
    """Images (N, 784) in [0, 1] and labels (N,) of both sides of the split."""

    x_train: Floats
    y_train: Labels
    x_validation: Floats
    y_validation: Labels


def load(work: Workload) -> Data:
    """The workload's part of MNIST's training file."""
    full = Mnist().training()
    if work.shots is None:
        rows = np.arange(work.n_train or 0)
    else:
        rows = np.concatenate([np.flatnonzero(full.labels == c)[: work.shots] for c in range(10)])
    held = np.arange(*work.validation)
    x = [(full.inputs[part] / 255).astype(np.float32) for part in (rows, held)]
    return Data(x[0], full.labels[rows], x[1], full.labels[held])


def softmax_loss(logits: Floats, y: Labels) -> tuple[Floats, float]:
    """Probabilities (B, K) and the mean cross-entropy."""
    z = logits - logits.max(1, keepdims=True)
    p = np.exp(z)
    p /= p.sum(1, keepdims=True)
    return p, float(-np.log(p[np.arange(len(y)), y] + 1e-7).mean())


def scores(train: Floats, validation: Floats, data: Data) -> Row:
    """The metrics of an epoch, from the logits of both sides."""
    _, train_loss = softmax_loss(train, data.y_train)
    _, validation_loss = softmax_loss(validation, data.y_validation)
    return {
        "train_loss": train_loss,
        "train_accuracy": float((train.argmax(1) == data.y_train).mean()),
        "validation_loss": validation_loss,
        "validation_accuracy": float((validation.argmax(1) == data.y_validation).mean()),
    }


def train_numpy(data: Data, work: Workload, rate: float, decay: float, seed: int) -> Iterator[Row]:
    """Backpropagation by hand; yields the metrics of every epoch."""
    rng = np.random.default_rng(seed)
    w1 = rng.standard_normal((784, work.hidden), np.float32) * np.float32((2 / 784) ** 0.5)
    w2 = rng.standard_normal((work.hidden, 10), np.float32) * np.float32((2 / work.hidden) ** 0.5)
    b1, b2 = np.zeros(work.hidden, np.float32), np.zeros(10, np.float32)

    def logits(x: Floats) -> Floats:
        result: Floats = np.maximum(x @ w1 + b1, 0) @ w2 + b2
        return result

    for _ in range(work.epochs):
        order = rng.permutation(len(data.x_train))
        for start in range(0, len(order), work.batch):
            rows = order[start : start + work.batch]
            x, y = data.x_train[rows], data.y_train[rows]
            a = np.maximum(x @ w1 + b1, 0)
            p, _ = softmax_loss(a @ w2 + b2, y)
            p[np.arange(len(y)), y] -= 1
            p /= len(y)
            g2, gb2 = a.T @ p, p.sum(0)
            d = (p @ w2.T) * (a > 0)
            w1 -= rate * (x.T @ d + decay * w1)
            b1 -= rate * d.sum(0)
            w2 -= rate * (g2 + decay * w2)
            b2 -= rate * gb2
        yield scores(logits(data.x_train), logits(data.x_validation), data)


def train_torch(data: Data, work: Workload, rate: float, decay: float, seed: int) -> Iterator[Row]:
    """The same in PyTorch on one thread; its weight decay includes the biases."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    x_train, x_validation = torch.from_numpy(data.x_train), torch.from_numpy(data.x_validation)
    y_train = torch.from_numpy(data.y_train)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, work.hidden), torch.nn.ReLU(), torch.nn.Linear(work.hidden, 10)
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, weight_decay=decay)
    loss = torch.nn.CrossEntropyLoss()
    for _ in range(work.epochs):
        order = torch.randperm(len(x_train))
        for start in range(0, len(order), work.batch):
            rows = order[start : start + work.batch]
            optimizer.zero_grad()
            loss(net(x_train[rows]), y_train[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            yield scores(net(x_train).numpy(), net(x_validation).numpy(), data)


def train_sklearn(
    data: Data, work: Workload, rate: float, decay: float, seed: int
) -> Iterator[Row]:
    """The same with scikit-learn's MLPClassifier, one partial_fit per mini-batch."""
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(seed)
    net = MLPClassifier(
        (work.hidden,),
        solver="sgd",
        momentum=0.0,
        learning_rate_init=rate,
        alpha=decay * work.batch,  # it divides the penalty by the mini-batch
        batch_size=work.batch,
        random_state=seed,
    )
    tiny = 1e-12
    for _ in range(work.epochs):
        order = rng.permutation(len(data.x_train))
        for start in range(0, len(order), work.batch):
            rows = order[start : start + work.batch]
            net.partial_fit(data.x_train[rows], data.y_train[rows], classes=np.arange(10))
        train = np.log(net.predict_proba(data.x_train) + tiny)
        yield scores(train, np.log(net.predict_proba(data.x_validation) + tiny), data)


TRAINERS: dict[str, Callable[[Data, Workload, float, float, int], Iterator[Row]]] = {
    "numpy": train_numpy,
    "torch": train_torch,
    "sklearn": train_sklearn,
}


@dataclass(frozen=True)
class Peer:
    """One objective function with its logging; a copy of it runs in every process.

    Attributes:
        logging: "none", "batch" (one log_batch when a trial ends) or "fluent" (as the MLflow
            tutorial does it: log_metrics every epoch).
        folder: of the stores.
        experiment, parent: MLflow's ids.
    """

    workload: str
    trainer: str
    logging: str
    folder: str
    experiment: str = ""
    parent: str = ""

    @property
    def tracking_uri(self) -> str:
        """The MLflow store."""
        return f"sqlite:///{self.folder}/mlflow.db?timeout={LOCK_SECONDS}"

    @cached_property
    def data(self) -> Data:
        """The data, loaded once per process."""
        return load(WORKLOADS[self.workload])

    @cached_property
    def client(self) -> Any:
        """An MlflowClient, one per process."""
        import mlflow

        return mlflow.MlflowClient(self.tracking_uri)

    def __call__(self, trial: optuna.Trial) -> float:
        """Train a trial and log it; returns the best epoch's validation accuracy."""
        rate = trial.suggest_float("learning_rate", 1e-3, 1, log=True)
        decay = trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True)
        train = TRAINERS[self.trainer]
        rows = train(self.data, WORKLOADS[self.workload], rate, decay, trial.number)
        if self.logging == "fluent":
            return self._fluent(trial, rows)
        history = list(rows)
        best = max(row["validation_accuracy"] for row in history)
        if self.logging == "batch":
            self._batch(trial, history, best)
        return best

    def _fluent(self, trial: optuna.Trial, rows: Iterator[Row]) -> float:
        import mlflow

        best = 0.0
        with mlflow.start_run(run_name=f"trial-{trial.number}", nested=True):
            mlflow.log_params(trial.params)
            for epoch, row in enumerate(rows):
                mlflow.log_metrics(row, step=epoch)
                best = max(best, row["validation_accuracy"])
            mlflow.log_metric("objective", best)
            mlflow.log_text(json.dumps(trial.params), "params.json")
        return best

    def _batch(self, trial: optuna.Trial, history: list[Row], best: float) -> None:
        from mlflow.entities import Metric, Param

        run = self.client.create_run(
            self.experiment,
            run_name=f"trial-{trial.number}",
            tags={"mlflow.parentRunId": self.parent},
        )
        now = int(time.time() * 1000)
        metrics = [
            Metric(name, value, now, epoch)
            for epoch, row in enumerate(history)
            for name, value in row.items()
        ]
        self.client.log_batch(
            run.info.run_id,
            metrics=[*metrics, Metric("objective", best, now, 0)],
            params=[Param(name, str(value)) for name, value in trial.params.items()],
        )
        self.client.log_text(run.info.run_id, json.dumps(trial.params), "params.json")
        self.client.set_terminated(run.info.run_id)


def prepare(peer: Peer) -> Peer:
    """Make the MLflow store with its experiment and parent run."""
    if peer.logging == "none":
        return peer
    artifacts = str(Path(peer.folder) / "artifacts")
    experiment = peer.client.create_experiment(EXPERIMENT, artifact_location=artifacts)
    parent = peer.client.create_run(experiment, run_name="study").info.run_id
    return Peer(peer.workload, peer.trainer, peer.logging, peer.folder, experiment, parent)


def open_storage(folder: str) -> optuna.storages.RDBStorage:
    """The Optuna storage that several processes share."""
    waiting = {"connect_args": {"timeout": LOCK_SECONDS}}
    return optuna.storages.RDBStorage(f"sqlite:///{folder}/optuna.db", engine_kwargs=waiting)


def search(
    peer: Peer, n_trials: int, *, seed: int, shared: bool, ready: Callable[[], Any]
) -> tuple[float, float]:
    """Run trials in this process; returns its CPU seconds after the warm-up, and the best score.

    Args:
        shared: with the study that the processes share, not one in memory.
        ready: called after the warm-up, when the clock may start.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=open_storage(peer.folder) if shared else None,
        study_name=EXPERIMENT,
        load_if_exists=shared,
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=seed),
    )
    if peer.logging == "fluent":
        import mlflow

        mlflow.set_tracking_uri(peer.tracking_uri)
        mlflow.set_experiment(experiment_id=peer.experiment)
        mlflow.start_run(run_id=peer.parent)
    study.optimize(peer, n_trials=1)
    ready()
    started = time.process_time()
    study.optimize(peer, n_trials=n_trials)
    return time.process_time() - started, study.best_value


def measure_alone(peer: Peer, n_trials: int) -> dict[str, float]:
    """All trials in this process."""
    times: list[float] = []

    def tick() -> None:
        times.append(time.perf_counter())

    cpu, best = search(peer, n_trials, seed=0, shared=False, ready=tick)
    tick()
    return {"wall_s": times[1] - times[0], "cpu_s": cpu, "best": best}


def measure_processes(peer: Peer, n_trials: int, n_processes: int) -> dict[str, float]:
    """The trials, divided among processes; the clock starts when the last one is warm."""
    context = multiprocessing.get_context("spawn")
    open_storage(peer.folder)  # two processes must not both make the tables
    barrier, answers = context.Barrier(n_processes + 1), context.SimpleQueue()
    bounds = [n_trials * i // n_processes for i in range(n_processes + 1)]
    processes = [
        context.Process(target=_process, args=(peer, b - a, seed, barrier, answers), daemon=True)
        for seed, (a, b) in enumerate(pairwise(bounds))
    ]
    for process in processes:
        process.start()
    barrier.wait(timeout=300)
    started = time.perf_counter()
    for process in processes:
        process.join()
        if process.exitcode:
            raise SystemExit(f"a process of the peer ended with {process.exitcode}")
    got = [answers.get() for _ in processes]
    return {
        "wall_s": max(g["ended"] for g in got) - started,
        "cpu_s": sum(g["cpu_s"] for g in got),
        "best": max(g["best"] for g in got),
    }


def _process(peer: Peer, n_trials: int, seed: int, barrier: Any, answers: Any) -> None:
    cpu, best = search(peer, n_trials, seed=seed, shared=True, ready=barrier.wait)
    # perf_counter is one clock for all processes of a machine
    answers.put({"cpu_s": cpu, "best": best, "ended": time.perf_counter()})


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workload", choices=WORKLOADS, default="W1")
    parser.add_argument("--trainer", choices=TRAINERS, default="numpy")
    parser.add_argument("--logging", choices=["none", "batch", "fluent"], default="batch")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--folder", type=Path, required=True, help="for the stores, empty")
    said = parser.parse_args()
    said.folder.mkdir(parents=True, exist_ok=True)
    peer = prepare(Peer(said.workload, said.trainer, said.logging, str(said.folder.absolute())))
    measured = (
        measure_alone(peer, said.trials)
        if said.processes == 1
        else measure_processes(peer, said.trials, said.processes)
    )
    settings = {k: v for k, v in asdict(peer).items() if k in ("workload", "trainer", "logging")}
    print(json.dumps({**settings, "trials": said.trials, **measured, "warm_ups": said.processes}))


if __name__ == "__main__":
    main()
