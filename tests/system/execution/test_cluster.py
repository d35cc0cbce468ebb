"""A study on a real Dask cluster: a scheduler and two workers, processes of their own."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlflow import MlflowClient

from hpsearch import delete_study, run_study
from hpsearch.errors import WorkerError
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.cluster import DaskExecutor, scheduler_address
from hpsearch.own_code import file_digests, named_modules
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.events import CodeDoubt, TrialReached
from tests.harness.functions import BIG, WriteModule
from tests.harness.servers import DaskCluster
from tests.harness.stores import new_home
from tests.harness.study import records, run, table
from tests.harness.study_files import ALONE, LITTLE, LITTLE_TESTED, TINY

distributed = pytest.importorskip(
    "distributed", reason="no Dask here: pip install 'hpsearch[dask]' runs these tests"
)
pytestmark = [
    pytest.mark.filterwarnings("default"),  # of Dask's own
    pytest.mark.usefixtures("without_mlflow"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers. Each that is killed costs seconds until it is back: the tests that end them
    for good come last."""
    started = DaskCluster.start(tmp_path_factory.mktemp("dask"), workers=2)
    yield started
    started.stop()


def test_a_study_gives_the_local_runs_table_of_data_sent_once_a_worker(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    path, sent = tmp_path / "small.toml", list[Any]()
    path.write_text(TINY.replace("high = 10.0", "high = 1e6"))  # some diverge
    register = DaskExecutor._register

    def recorded(self: DaskExecutor, key: Any, supply: Any) -> Any:
        sent.append(key)
        return register(self, key, supply)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DaskExecutor, "_register", recorded)
        run_study(path, home=new_home(tmp_path / "cluster"), executor=cluster.address)
    assert [key[1] for key in sent] == ["validation", "test"]
    assert "diverged" in {record.outcome for record in records(tmp_path / "cluster")}
    run(path, tmp_path / "local")
    assert table(tmp_path / "cluster") == table(tmp_path / "local")


def test_a_model_of_all_rows_is_trained_on_rows_that_were_sent_before(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    path, sent = tmp_path / "small.toml", list[Any]()
    space = '[space]\ntrainer = "sgd"\n[network]\nname = "two-layer"\nhidden = 4\n'
    head, stage = LITTLE.replace("shots = 5\n", ""), "[[stages]]\ntrials = 1\nepochs = 1\n"
    path.write_text(f'{head}{space}{stage}{LITTLE_TESTED}model = "all-rows"\n')
    register = DaskExecutor._register

    def recorded(self: DaskExecutor, key: Any, supply: Any) -> Any:
        sent.append(key)
        return register(self, key, supply)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DaskExecutor, "_register", recorded)
        run_study(path, home=new_home(tmp_path / "cluster"), executor=cluster.address)
    assert [key[1] for key in sent] == ["validation", "test"]
    run(path, tmp_path / "local")
    digests = [
        record.members[0].state_digest
        for name in ("cluster", "local")
        for record in RunFolder(tmp_path / name / "studies/small/1").read_all("all-rows")
    ]
    assert len(digests) == 2
    assert digests[0] == digests[1] != ""


OWN = """
import os, pathlib
from beside import BONUS

def train(params, data, seed):
    for epoch in range(1, 9):
        yield {"validation_accuracy": params["x"] + BONUS * epoch + len(data.x_validation) / 1e6}
"""


THEIRS = """
import mlflow
mlflow.set_tracking_uri("sqlite:///{store}")
mlflow.set_experiment("mine")

def train(params, seed):
    mlflow.log_param("x", params["x"])
    yield {{"score": params["x"]}}
"""
OPEN = """
name = "open"
objective = { metric = "score", direction = "maximize" }
[space]
trainer = "opens_runs:train"
x = { low = 0.0, high = 1.0 }
[[stages]]
trials = 4
epochs = 1
[confirmation]
top = 1
seeds = 2
default = false
"""


def test_the_data_of_a_module_is_in_no_message_to_dask(
    cluster: DaskCluster, tmp_path: Path, write: WriteModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, sizes = DaskExecutor.submit, list[int]()

    def measured(self: DaskExecutor, *call: Any) -> Any:
        sizes.append(len(pickle.dumps(call)))
        answer = submit(self, *call)
        answer.add_done_callback(lambda done: sizes.append(len(pickle.dumps(done.result()))))
        return answer

    monkeypatch.setattr(DaskExecutor, "submit", measured)
    path, home = tmp_path / "own.toml", new_home(tmp_path / "home")
    path.write_text(ALONE.replace("TRAINER", write(BIG)))
    run_study(path, home=home, executor=cluster.address)
    assert [record.outcome for record in records(home, "own")] == ["complete"] * 2
    assert len(sizes) >= 2 * 2
    assert max(sizes) < 1_000_000


@pytest.mark.usefixtures("own_mlflow")
def test_runs_that_a_function_leaves_open_in_a_store_are_ended(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    client = MlflowClient(f"sqlite:///{tmp_path / 'theirs.db'}")
    client.search_experiments()  # makes the tables, which two workers would do at once
    (tmp_path / "opens_runs.py").write_text(THEIRS.format(store=tmp_path / "theirs.db"))
    (tmp_path / "open.toml").write_text(OPEN)
    run_study(tmp_path / "open.toml", home=new_home(tmp_path / "home"), executor=cluster.address)
    (mine,) = (e for e in client.search_experiments() if e.name == "mine")
    runs = client.search_runs([mine.experiment_id])
    assert len(runs) == 4 + 2  # each trial and each repeat has its own
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_the_users_modules_and_table_travel_to_the_workers_and_a_changed_table_again(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent is not read from the disk there: it is gone before the workers look."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine_dask.py").write_text(OWN)
    (folder / "beside").mkdir()  # a package, whose modules import each other
    (folder / "beside" / "__init__.py").write_text("from .numbers import BONUS\n")
    (folder / "beside" / "numbers.py").write_text("from . import half\nBONUS = 2 * half.HALF\n")
    (folder / "beside" / "half.py").write_text("HALF = 0.005\n")
    monkeypatch.syspath_prepend(folder)

    def bonus() -> float:
        import mine_dask  # type: ignore[import-not-found]

        return float(mine_dask.BONUS)

    executor = DaskExecutor(scheduler_address(cluster.address), None)
    try:
        named = named_modules(["mine_dask"], file_digests(["mine_dask"]))
        executor._supply_code(str(folder), named)
        elsewhere = tmp_path / "elsewhere"
        folder.rename(elsewhere)
        assert executor.submit(bonus).result() == 0.01
        elsewhere.rename(folder)
    finally:
        executor.shutdown()
    head = LITTLE.replace('name = "digits"', 'name = "rows.csv"\ntarget = "label"')
    head = head.replace("shots = 5\n", "")
    space = '[space]\ntrainer = "mine_dask:train"\nx = { low = 0.0, high = 1.0 }\n'
    path, tables = folder / "small.toml", []
    path.write_text(f"{head}{space}[[stages]]\ntrials = 2\nepochs = 3\n{LITTLE_TESTED}")
    for n_rows in (60, 90):
        rows = "\n".join(f"{i % 7},{i % 3},{i % 2}" for i in range(n_rows))
        (folder / "rows.csv").write_text(f"a,b,label\n{rows}\n")
        run_study(path, home=new_home(tmp_path / f"cluster-{n_rows}"), executor=cluster.address)
        run(path, tmp_path / f"local-{n_rows}")
        tables.append(table(tmp_path / f"local-{n_rows}"))
        assert table(tmp_path / f"cluster-{n_rows}") == tables[-1]
    assert tables[0] != tables[1]


CHANGING = """
from sklearn.linear_model import SGDClassifier

class Own(SGDClassifier):
    def predict(self, x):
        return (super().predict(x) + FACTOR) % 10

def train(params, data, seed):
    while True:
        yield {"validation_accuracy": params["x"] * FACTOR}
"""


TRAINERS = ("changing_dask:train", "changing_dask.Own")  # a function and an estimator


def test_code_that_changed_is_what_the_workers_train_with(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    first, second = TRAINERS
    space = f"""
[space]
trainer = {{ choices = ["{first}", "{second}"] }}
x = {{ low = 0.0, high = 1.0, when = {{ trainer = "{first}" }} }}
alpha = {{ low = 1e-5, high = 0.1, when = {{ trainer = "{second}" }} }}
[[enqueue]]
trainer = "{first}"
x = 0.5
[[enqueue]]
trainer = "{second}"
alpha = 0.01
[[stages]]
trials = 2
epochs = 2
"""
    path, rows = tmp_path / "small.toml", list[list[object]]()
    path.write_text(LITTLE + space + LITTLE_TESTED)
    for factor in ("0", "1"):
        (tmp_path / "changing_dask.py").write_text(CHANGING.replace("FACTOR", factor))
        home = tmp_path / f"cluster-{factor}"
        run_study(path, home=new_home(home), executor=cluster.address)
        run(path, tmp_path / f"local-{factor}")
        assert table(home) == table(tmp_path / f"local-{factor}")
        assert tuple(record.params["trainer"] for record in records(home)) == TRAINERS
        rows.append([table(home)["trial", number, 0] for number in range(2)])
    for before, after in zip(*rows, strict=True):
        assert before != after


def killed_at_work(cluster: DaskCluster) -> bool:
    """Kill a worker that trains, if any does; it is halted first, so that it ends nothing."""
    address = scheduler_address(cluster.address)
    with distributed.Client(address, set_as_default=False) as client:
        pids = client.run(os.getpid)
        for worker, calls in client.processing().items():
            os.kill(pids[worker], signal.SIGSTOP)
            time.sleep(0.3)  # for what it said before to arrive
            halted = set(calls) & set(client.processing()[worker])
            os.kill(pids[worker], signal.SIGKILL if halted else signal.SIGCONT)
            if halted:
                return True
    return False


def test_a_worker_that_dies_costs_a_lost_attempt_and_changes_nothing(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    path, home, killed = tmp_path / "long.toml", tmp_path / "cluster", list[bool]()
    text = TINY.replace("epochs = 8\n", "epochs = 400\n").replace("epochs = 4\n", "epochs = 100\n")
    path.write_text(text + "[evaluation]\nevery = 50\n[execution]\nslice_seconds = 0.5\n")

    def kill(event: object) -> None:
        if isinstance(event, TrialReached) and not any(killed):
            killed.append(killed_at_work(cluster))

    run_study(path, home=home, executor=cluster.address, on_event=kill)
    folder = RunFolder(home / "studies/small/1")
    attempts = [
        attempt
        for kind in ("trial", "confirmation", "test")
        for record in folder.read_all(kind)
        for attempt in record.attempts
    ]
    assert any(killed)
    assert attempts
    assert all(attempt["reason"].startswith("worker died") for attempt in attempts)
    run(path, tmp_path / "local")
    assert table(home) == table(tmp_path / "local")


PROGRAM = """
# usage: train.sh X EPOCHS FOLDER SEED
touch here
mkdir -p "$3/artifacts"
echo "seen by $$" > "$3/artifacts/note.txt"
done=$(cat "$3/checkpoint" 2>/dev/null || echo 0)
while [ "$done" -lt "$2" ]; do
  done=$((done + 1))
  echo "$1-$4-$done" >> LOG
  echo "$done" > "$3/checkpoint"
  echo "{\\"epoch\\": $done, \\"value\\": $1$done}"
done
"""
PROGRAM_STUDY = """
name = "program"
objective = { metric = "value", direction = "maximize" }
[program]
command = ["sh", "train.sh", "{x}", "{epochs}", "{folder}", "{seed}"]
checkpoint = "{folder}/checkpoint"
probe = false
SHARED
[space]
trainer = "program"
x = { low = 0.1, high = 0.9 }
[[stages]]
trials = 4
epochs = 2
[[stages]]
trials = 2
epochs = 4
[confirmation]
top = 1
seeds = 2
default = false
"""


@pytest.fixture(scope="module")
def local_programs(tmp_path_factory: pytest.TempPathFactory) -> dict[object, object]:
    """The table of the study of programs, run on this machine."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "train.sh").write_text(PROGRAM.replace("LOG", "log"))
    (folder / "program.toml").write_text(PROGRAM_STUDY.replace("SHARED", ""))
    run(folder / "program.toml", folder / "home")
    return table(folder / "home", "program")


@pytest.mark.parametrize("shared", [False, True])
def test_a_program_and_its_checkpoint_travel_to_the_workers(
    shared: bool, cluster: DaskCluster, local_programs: dict[object, object], tmp_path: Path
) -> None:
    epochs = tmp_path / "epochs"
    (tmp_path / "train.sh").write_text(PROGRAM.replace("LOG", str(epochs)))
    lines = [f'shared = "{tmp_path}/shared"'] if shared else []
    path = tmp_path / "program.toml"
    path.write_text(PROGRAM_STUDY.replace("SHARED", "\n".join(lines)))
    there = run_study(path, home=new_home(tmp_path / "cluster"), executor=cluster.address)
    trained = epochs.read_text().split()
    assert len(set(trained)) == len(trained)  # no epoch of a trial was trained twice
    assert not (tmp_path / "here").exists()  # it ran in a folder of the worker's
    assert table(tmp_path / "cluster", "program") == local_programs
    folder = Path(there.result.folder).parent
    best = folder / "trials" / f"{there.result.best_number:05d}" / "member-0"
    assert (best / "artifacts" / "note.txt").exists()  # it came home


@pytest.mark.parametrize("shared", [False, True])
def test_a_worker_that_dies_takes_its_program_along_and_changes_nothing(
    shared: bool, cluster: DaskCluster, local_programs: dict[object, object], tmp_path: Path
) -> None:
    epochs, held = tmp_path / "epochs", tmp_path / "held"
    path = tmp_path / "program.toml"
    lines = [f'shared = "{tmp_path}/shared"'] if shared else []
    path.write_text(PROGRAM_STUDY.replace("SHARED", "\n".join(lines)))
    script = PROGRAM.replace("LOG", str(epochs)).replace(
        "  done=$((", f"  {HOLD.replace('HELD', str(held))}  done=$(("
    )
    (tmp_path / "train.sh").write_text(script)
    home = new_home(tmp_path / "cluster")
    with ThreadPoolExecutor(1) as pool:
        study = pool.submit(run_study, path, home=home, executor=cluster.address)
        while not (held / "pid").exists():
            assert not study.done()
            time.sleep(0.05)
        program = psutil.Process(int((held / "pid").read_text()))
        worker = program.parent()
        assert worker in cluster.worker_processes()
        worker.kill()
        study.result(timeout=90)
    assert ended(program)
    assert not Path((held / "folder").read_text().strip()).exists()
    assert not any(tmp_path.glob("shared/*/*/*"))  # of no trial: they were brought home or pruned
    attempts = [a for record in records(home, "program") for a in record.attempts]
    assert [(a["event"], a["reason"]) for a in attempts] == [("lost", "worker died")]
    trained = Counter(epochs.read_text().split())
    # Without a shared folder a trial goes on from the last end of a stage.
    assert sorted(trained.values())[-2:] == ([1, 1] if shared else [1, 2])
    assert table(home, "program") == local_programs


def ended(process: psutil.Process) -> bool:
    """Whether a process is over; nobody may have reaped it yet where its parent was killed."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


# The first program that comes to its second epoch waits there for its end.
HOLD = """if [ "$done" = 1 ] && mkdir HELD 2>/dev/null; then
    echo "$3" > HELD/folder; echo $$ > HELD/new; mv HELD/new HELD/pid; sleep 100
  fi
"""


def test_a_checkpoint_that_is_missing_in_a_shared_folder_is_told_of(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    script = PROGRAM.replace("LOG", "log").replace('> "$3/checkpoint"', '> "$3/other"')
    (tmp_path / "train.sh").write_text(script)
    path, home = tmp_path / "program.toml", new_home(tmp_path / "home")
    path.write_text(PROGRAM_STUDY.replace("SHARED", f'shared = "{shared}"'))
    warnings: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, CodeDoubt):
            warnings.append(event.warning)

    run_study(path, home=home, executor=cluster.address, on_event=note)
    (warning,) = warnings
    assert f"got nothing at {shared}/program-" in warning
    assert warning.partition("/member-0/")[2].startswith("checkpoint: every trial")
    deletion = delete_study("program", home=home)
    assert deletion is not None
    assert deletion.shared
    assert list(shared.iterdir()) == []


def test_a_scheduler_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpsearch.execution.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(WorkerError, match=r"tcp://127.0.0.1:9 must be reachable"):
        DaskExecutor("tcp://127.0.0.1:9", None)


def test_a_call_whose_worker_dies_is_lost_and_not_run_again_by_dask(
    cluster: DaskCluster, tmp_path: Path
) -> None:

    def die(folder: str) -> None:
        (Path(folder) / f"death{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)

    executor = DaskExecutor(scheduler_address(cluster.address), None)
    try:
        with pytest.raises(WorkerLost):
            executor.submit(die, str(tmp_path)).result(timeout=60)
    finally:
        executor.shutdown()
    assert len(list(tmp_path.glob("death*"))) == 1


def test_a_worker_that_dies_at_the_end_is_no_error(cluster: DaskCluster, tmp_path: Path) -> None:
    (tmp_path / "last_dask.py").write_text("BONUS = 1\n")
    executor = DaskExecutor(scheduler_address(cluster.address), None)
    executor._supply_code(str(tmp_path))
    pid, *_ = executor._client.run(os.getpid).values()
    os.kill(pid, signal.SIGKILL)
    executor.shutdown()
    executor.shutdown()  # as where a study is interrupted


def test_a_scheduler_that_dies_is_one_line_and_the_study_goes_on(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    """The cluster ends here."""
    path, home = tmp_path / "long.toml", new_home(tmp_path / "cluster")
    text = TINY.replace("epochs = 8\n", "epochs = 60\n")
    path.write_text(text + "[execution]\nslice_seconds = 0.2\n")
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    process = subprocess.Popen(
        [*command, "--executor", cluster.address, "--workers", "1"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"},
    )
    while not list(home.glob("studies/small/1/trials/*/record.json")):
        time.sleep(0.05)
    cluster.processes[0].kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    *progress, line = err.splitlines()
    lost = f"error: the connection to the Dask scheduler at tcp{cluster.address[4:]} was lost"
    assert line.startswith(lost)
    assert all(said.startswith("stage") for said in progress), err
    run(path, home)
    run(path, tmp_path / "local")
    assert table(home) == table(tmp_path / "local")
