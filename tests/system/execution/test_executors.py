"""Executors: calls in this process and in worker processes, killed ones and orphans."""

import math
import multiprocessing
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import psutil
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from hpsearch.datasets.selection import Selection
from hpsearch.errors import WorkerError
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.executors import InlineExecutor, ProcessExecutor
from hpsearch.execution.limits import Allowance, LimitPassed
from hpsearch.execution.making import make_executor
from hpsearch.execution.population import run_slice
from hpsearch.execution.slices import Slice, SliceSettings
from hpsearch.processes import THREAD_VARIABLES
from hpsearch.trainers import Member

DATA = Selection("digits", shots=6)
DIGITS_MEMBER = Member(
    {"trainer": "adam", "network": "two-layer", "hidden": 12, "batch_size": 5}, (7, 1), 0
)
WORK = Slice(SliceSettings(DATA, "validation", 3, math.inf, ""), (DIGITS_MEMBER,), 3)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessExecutor]:
    """Two workers that the tests of this module share; idle ones take turns."""
    with pytest.MonkeyPatch.context() as patch:
        for name in THREAD_VARIABLES:
            patch.setenv(name, "3")  # of the coordinator's process, none of the workers'
        with ProcessExecutor(2) as executor:
            yield executor


def ended(pid: int) -> bool:
    """Whether a process is gone; one that is dead and not yet reaped counts."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until_ended(pids: list[int], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while not all(map(ended, pids)) and time.monotonic() < limit:
        time.sleep(0.02)
    return all(map(ended, pids))


def test_no_workers_are_this_process() -> None:
    executor = make_executor(0)
    assert isinstance(executor, InlineExecutor)
    assert executor.submit(os.getpid).result() == os.getpid()


def test_an_exception_of_an_inline_call_is_in_its_future() -> None:
    future = InlineExecutor().submit(operator.truediv, 1, 0)
    assert isinstance(future.exception(), ZeroDivisionError)


def test_calls_run_in_other_processes(pool: ProcessExecutor) -> None:
    sleeps = [pool.submit(time.sleep, 0.3) for _ in range(2)]
    wait(sleeps)
    pids = {pool.submit(os.getpid).result() for _ in range(4)}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_a_call_goes_to_the_worker_it_is_to_be_near_while_that_is_idle(
    pool: ProcessExecutor,
) -> None:
    first, second = (pool.submit(os.getpid).result() for _ in range(2))
    near = [pool.submit_with(os.getpid, near=first).result() for _ in range(3)]
    assert near == [first] * 3
    busy = pool.submit_with(time.sleep, 0.5, near=first)
    time.sleep(0.1)
    assert pool.submit_with(os.getpid, near=first).result() == second
    busy.result()


def test_an_exception_of_a_call_comes_back_as_itself(pool: ProcessExecutor) -> None:
    with pytest.raises(ZeroDivisionError):
        pool.submit(operator.truediv, 1, 0).result()


def test_a_slice_has_the_same_bits_in_a_worker(pool: ProcessExecutor) -> None:
    assert pool.submit(run_slice, WORK).result().members == run_slice(WORK).members


def test_workers_load_neither_optuna_nor_mlflow(pool: ProcessExecutor) -> None:
    loaded = "{'hpsearch', 'optuna', 'mlflow'} & set(__import__('sys').modules)"
    for call in ((run_slice, WORK), (eval, loaded)):
        first, second = (pool.submit(*call).result() for _ in range(2))  # in one worker each
    assert first == second == {"hpsearch"}


def threads_of_a_training() -> set[tuple[str, int]]:
    """Kind and number of threads of all libraries that a training has, OpenMP's too."""
    import sklearn.ensemble  # noqa: F401 - loads OpenMP where nothing did

    found = {(info["user_api"], int(info["num_threads"])) for info in threadpool_info()}
    return found | {(name, int(os.environ[name])) for name in THREAD_VARIABLES}


def test_every_executor_has_as_many_threads(
    pool: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREAD_VARIABLES:
        monkeypatch.setenv(name, "3")  # of this process
    threads_of_a_training()  # loads what it has
    with threadpool_limits(limits=3):
        inline = InlineExecutor().submit(threads_of_a_training).result()
        assert inline == pool.submit(threads_of_a_training).result()
        assert {number for _, number in inline} == {1}
        assert {kind for kind, _ in inline} == {"blas", "openmp", *THREAD_VARIABLES}
        assert {info["num_threads"] for info in threadpool_info()} == {3}
    assert {os.environ[name] for name in THREAD_VARIABLES} == {"3"}


def test_an_inline_call_does_not_print_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    InlineExecutor().submit(print, "a user's words").result()
    out, err = capsys.readouterr()
    assert (out, err) == ("", "a user's words\n")


def test_a_killed_worker_costs_its_own_call_and_is_replaced(pool: ProcessExecutor) -> None:
    before = {pool.submit(os.getpid).result() for _ in range(2)}
    beside = pool.submit(time.sleep, 0.5)
    with pytest.raises(WorkerLost):
        pool.submit(signal.raise_signal, signal.SIGKILL).result()
    assert beside.result() is None
    assert len(before & {pool.submit(os.getpid).result() for _ in range(2)}) == 1


def test_a_worker_killed_from_outside_is_lost_too() -> None:
    with ProcessExecutor(1) as executor:
        pid = executor.submit(os.getpid).result()
        future = executor.submit(time.sleep, 60)
        os.kill(pid, signal.SIGKILL)
        assert isinstance(future.exception(timeout=10), WorkerLost)
        assert executor.submit(operator.add, 1, 1).result() == 2


def count(until: int) -> bool:
    """Tell each number up to this; returns whether anyone listened."""
    from hpsearch.execution.live import is_heard, tell

    for number in range(until):
        tell(number)
    return is_heard()


def tell_and_die() -> None:
    count(3)
    signal.raise_signal(signal.SIGKILL)


def test_what_a_call_tells_is_heard_before_its_result(pool: ProcessExecutor) -> None:
    told: list[int] = []
    assert pool.submit_with(count, 5, news=told.append).result()
    assert told == [0, 1, 2, 3, 4]
    assert not pool.submit(count, 5).result()  # nobody listens
    with pytest.raises(WorkerLost):
        pool.submit_with(tell_and_die, news=told.append).result()
    assert told[5:] == [0, 1, 2]


def tell_for_ever() -> None:
    while True:
        count(1)
        time.sleep(0.001)


def test_a_call_that_tells_all_the_time_is_held_to_its_limit(pool: ProcessExecutor) -> None:
    allowance = Allowance(seconds=0.3)
    call = pool.submit_with(tell_for_ever, allowance=allowance, news=lambda said: None)
    passed = call.exception(timeout=20)
    assert isinstance(passed, LimitPassed)
    assert passed.limit == "seconds"


def start_a_process_and_die() -> None:
    """What a user's function may do: its child holds the worker's pipe."""
    if not os.fork():
        time.sleep(30)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_death_is_noticed_where_another_process_holds_the_pipe(pool: ProcessExecutor) -> None:
    started = time.monotonic()
    with pytest.raises(WorkerLost):
        pool.submit(start_a_process_and_die).result()
    assert time.monotonic() - started < 25


def test_a_call_may_start_processes(pool: ProcessExecutor) -> None:
    assert pool.submit(sum_in_a_process, [1, 2, 3]).result() == 6


def sum_in_a_process(numbers: list[int]) -> int:
    with multiprocessing.get_context("spawn").Pool(1) as processes:
        return int(processes.apply(sum, (numbers,)))


def test_workers_that_cannot_start_are_a_known_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        ProcessExecutor(1) as executor,
        pytest.raises(WorkerError, match="ended before they were ready"),
    ):
        executor.submit(os.getpid).result()


def test_an_unpicklable_call_is_an_error_and_leaves_the_workers(pool: ProcessExecutor) -> None:
    with pytest.raises(Exception, match="pickle"):
        pool.submit(lambda: 1).result()
    assert pool.submit(operator.add, 1, 1).result() == 2


def test_shutdown_with_cancel_ends_workers_in_the_middle_of_their_work() -> None:
    executor = ProcessExecutor(1)
    pid = executor.submit(os.getpid).result()
    running, queued = executor.submit(time.sleep, 60), executor.submit(time.sleep, 60)
    time.sleep(0.1)
    executor.shutdown(cancel_futures=True)
    assert wait_until_ended([pid], 1)
    assert isinstance(running.exception(), WorkerLost)
    assert queued.cancelled() or isinstance(queued.exception(), WorkerLost)


def start_others(note: str) -> None:
    """What a user's function may do: processes of its own, and theirs; then it works on."""
    code = "import os, subprocess, sys, time; pids = [os.getpid()]; "
    code += "pids += [subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid]"
    code += f"; print(*pids, file=open({note!r}, 'a'), flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code])
    with multiprocessing.get_context("fork").Pool(2) as processes:
        pids = processes.map(pid_of, range(2), chunksize=1)
        Path(note + ".pool").write_text(" ".join(map(str, pids)))
        child.wait()


def pid_of(_: int) -> int:
    time.sleep(0.2)  # so that each has one
    return os.getpid()


def started(note: Path) -> list[int]:
    """The processes that it started, when all are there."""
    limit = time.monotonic() + 20
    found: list[int] = []
    while len(found) < 4 and time.monotonic() < limit:
        time.sleep(0.05)
        notes = [path for path in (note, Path(f"{note}.pool")) if path.exists()]
        found = [int(pid) for path in notes for pid in path.read_text().split()]
    assert len(set(found)) == 4
    assert not any(map(ended, found))
    return found


def test_what_a_call_started_ends_with_its_worker(tmp_path: Path) -> None:
    with ProcessExecutor(1) as executor:
        worker = executor.submit(os.getpid).result()
        for number, end in enumerate((signal.SIGKILL, signal.SIGTERM)):
            note = tmp_path / str(number)
            future = executor.submit(start_others, str(note))
            pids = started(note)
            os.kill(worker, end)
            assert isinstance(future.exception(timeout=10), WorkerLost)
            assert wait_until_ended(pids, 2)
            worker = executor.submit(os.getpid).result()


@pytest.mark.parametrize("cancel", [True, False])
def test_what_a_call_started_ends_with_the_pool(cancel: bool, tmp_path: Path) -> None:
    executor, note = ProcessExecutor(1), tmp_path / "note"
    if cancel:  # as Ctrl-C does
        executor.submit(start_others, str(note))
        pids = started(note)
    else:
        pids = [executor.submit(start_one_and_return).result()]
        assert not ended(pids[0])
    executor.shutdown(cancel_futures=cancel)
    assert wait_until_ended(pids, 2)


def start_one_and_return() -> int:
    return subprocess.Popen(["sleep", "60"], start_new_session=True).pid


def test_what_inline_calls_started_ends_with_an_interrupt() -> None:
    beside = subprocess.Popen(["sleep", "60"])  # of nobody's call
    time.sleep(0.2)
    begun: list[subprocess.Popen[bytes]] = []

    def interrupted() -> None:
        begun.append(subprocess.Popen(["sleep", "60"], start_new_session=True))
        raise KeyboardInterrupt

    def calm() -> None:
        begun.append(subprocess.Popen(["sleep", "60"]))

    executor = InlineExecutor()
    executor.submit(calm)
    with pytest.raises(KeyboardInterrupt):
        executor.submit(interrupted)
    assert [process.wait(timeout=2) for process in begun] == [-signal.SIGKILL] * 2
    assert not ended(beside.pid)
    beside.kill()
    beside.wait()


ORPHANED = """
import sys, time
from hpsearch.execution.executors import ProcessExecutor
from tests.system.execution.test_executors import start_others

executor = ProcessExecutor(1)
executor.submit(start_others, sys.argv[1])
time.sleep(60)
"""


def test_what_a_call_started_ends_with_the_kill_of_the_coordinator(tmp_path: Path) -> None:
    script, note = tmp_path / "coordinator.py", tmp_path / "note"
    script.write_text(ORPHANED)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(script), str(note)]
    with subprocess.Popen(command, env=environment) as coordinator:
        pids = started(note)
        coordinator.kill()
        assert wait_until_ended(pids, 10)


COORDINATOR = """
import os, time
from hpsearch.execution.executors import ProcessExecutor

# No `if __name__ == "__main__"`: workers import nothing of this script.
executor = ProcessExecutor(2)
warm = [executor.submit(time.sleep, 0.5) for _ in range(2)]
[future.result() for future in warm]
pids = [executor.submit(os.getpid).result() for _ in range(2)]
busy = executor.submit(time.sleep, 60)  # the other worker is idle
print(*pids, flush=True)
time.sleep(60)
"""


def test_workers_end_within_two_seconds_of_their_coordinators_kill(tmp_path: Path) -> None:
    script = tmp_path / "coordinator.py"
    script.write_text(COORDINATOR)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(script)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment
    ) as coordinator:
        assert coordinator.stdout is not None
        pids = [int(pid) for pid in coordinator.stdout.readline().split()]
        assert len(set(pids)) == 2
        assert not any(map(ended, pids))
        coordinator.kill()
        assert wait_until_ended(pids, 2)
