"""Where slices run on this machine: in this process, or in a pool of worker processes.

The pool is our own for one reason: pebble, loky and the
standard library's pool share pipes and locks between workers, so that a worker killed in the
middle of sending a result leaves a lock held or a half message that is waited for, for ever. Here
every worker has a pipe of its own, whose end of file is the worker's death and nobody else's.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from hpsearch.errors import WorkerError
from hpsearch.execution.base import SliceExecutor, WorkerLost
from hpsearch.execution.gpus import in_slot, slot_environment
from hpsearch.execution.limits import (
    REUSABLE,
    Allowance,
    LimitPassed,
    Memory,
    Watch,
)
from hpsearch.execution.private_mlflow import LEAVE_SECONDS, end_open_runs
from hpsearch.execution.threads import limited_threads, thread_variables
from hpsearch.import_order import study_folders
from hpsearch.processes import (
    child_environment,
    children,
    collect_as_usual,
    end_children,
    end_tree,
    is_guarded,
)

STARTS = 5  # of a worker in a row; more deaths than that before it is ready are no accident
ENDING_SECONDS = 0.5  # from the end of a worker's pipe to that of its process
DEATH_CHECK_SECONDS = 1.0  # where the end of file does not tell of a worker's death


def available_cores() -> int:
    """Cores that this process may use: by its affinity, and by the quota of its container."""
    from joblib import cpu_count  # reads both; takes a tenth of a second to load

    return int(cpu_count())


class InlineExecutor(SliceExecutor):
    """Runs each call at once, in this process: for debugging, and where processes are refused.

    Nothing is heard of a call before it ends: who would hear it waits for it.

    Args:
        slot: the GPUs that calls see, as far as nothing in this process looked before; "": all.
    """

    workers = 0
    slot = ""
    _started: frozenset[int] = frozenset()  # processes, by calls before this one

    def __init__(self, slot: str = "") -> None:
        self.slot = slot
        collect_as_usual()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        before = children()
        # As in a worker: as many threads, and what a user's function prints is no result.
        with limited_threads(), in_slot(self.slot), redirect_stdout(sys.stderr):
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
            except BaseException:  # interrupted: what the calls started must not outlive it
                self._end_started(before)
                raise
            self._started |= children() - before
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends runs that the user's code left open in a store."""
        if not cancel_futures:
            end_open_runs()

    def _end_started(self, before: set[int]) -> None:
        """Kill what this call and those before it started, as far as it is still there.

        Args:
            before: what there was before this call.
        """
        now = children()
        for pid in (now & self._started) | (now - before):
            if is_guarded(pid):
                continue
            end_children(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class ProcessExecutor(SliceExecutor):
    """A pool of worker processes; a dead one costs its own call only, and is replaced.

    A future raises WorkerLost where its worker died, WorkerError where none can be started, and
    the call's own exception otherwise.

    Args:
        workers: how many.
        slots: the GPUs of each, which whoever takes a worker's place has too; () for none of
            their own.
    """

    def __init__(self, workers: int, slots: Sequence[str] = ()) -> None:
        self.workers, self.slots = workers, tuple(slots)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")
        self._workers = [_Worker(slot) for slot in self.slots or ("",) * workers]
        self._idle = [*self._workers]  # the one that waits longest first
        self._apart: set[_Worker] = set()
        self._free = Condition()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(self._call, _Call(fn, args, kwargs))

    def submit_with(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,
        near: int = 0,
        allowance: Allowance | None = None,
        before: Callable[[], object] | None = None,
        news: Callable[[Any], None] | None = None,
        apart: bool = False,
    ) -> Future[Any]:
        """As `submit`, of positional arguments.

        Args:
            near: a worker's process, which is called if it is idle; 0: any.
            allowance: a worker that takes more is ended, and the future raises LimitPassed.
            before: called in the worker first, without limits, e.g. to open the data.
            news: hears what the call tells while it runs (`live.tell`), in a thread of the pool.
            apart: in a process of its own, with a worker's GPUs while that one waits.
        """
        call = _Call(fn, args, {}, allowance, news, apart)
        return self._threads.submit(self._call, call, before, near)

    def _call(self, call: _Call, before: Callable[[], object] | None = None, near: int = 0) -> Any:
        with self._free:
            self._free.wait_for(lambda: self._idle)
            worker = next((w for w in self._idle if w.pid == near), self._idle[0])
            self._idle.remove(worker)
        own = _Worker(worker.slot) if call.apart else worker
        try:
            if call.apart:
                self._apart.add(own)
            if before is not None:
                own.make_ready(before, call.allowance or Allowance())
            return own.call(call)
        finally:
            if call.apart:
                self._apart.discard(own)
                _leave([own])
                own.end()
            with self._free:
                self._idle.append(worker)
                self._free.notify()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the workers; with cancel_futures at once, in the middle of their work."""
        if cancel_futures:
            for worker in (*self._workers, *self._apart):
                worker.end()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait and not cancel_futures:
            _leave(self._workers)
        for worker in self._workers:
            worker.end()


def _leave(workers: Sequence[_Worker]) -> None:
    """Have idle workers end the runs that the user's code left open in a store."""
    told, until = [worker for worker in workers if worker.ask_to_leave()], time.monotonic()
    for worker in told:
        worker.has_left(max(0.0, until + LEAVE_SECONDS - time.monotonic()))


@dataclass(frozen=True)
class _Call:
    """What a worker is asked for; the last three are as in `ProcessExecutor.submit_with`."""

    fn: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    allowance: Allowance | None = None
    news: Callable[[Any], None] | None = None
    apart: bool = False


class _Worker:
    """A process and the pipe to it; started at the first call and again after each death.

    Args:
        slot: the GPUs that it sees; "": all that this process sees.
    """

    def __init__(self, slot: str = "") -> None:
        self.slot = slot
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None
        self._fresh_mb: float | None = None  # that it held before it trained anything

    @property
    def pid(self) -> int | None:
        """Of the process, where there is one."""
        process = self._process
        return None if process is None else process.pid

    def make_ready(self, before: Callable[[], object], allowance: Allowance) -> None:
        """Have done what is no part of the call, in a process that others left nothing in."""
        for _ in range(2):
            try:
                self.call(_Call(before))
            except WorkerLost:
                raise
            except Exception:
                pass  # the call itself says what is wrong
            if allowance.memory_mb is None or self._process is None:
                return
            held = Memory(self._process.pid).held_mb()
            if self._fresh_mb is None:
                self._fresh_mb = held
                if held > allowance.memory_mb:
                    raise LimitPassed("memory_mb", held, fresh=True)
            if held - self._fresh_mb <= REUSABLE * allowance.memory_mb:
                return
            self._stop()

    def call(self, call: _Call) -> Any:
        process = self._process or self._start()
        if process is None or self._ended:
            raise WorkerLost
        try:
            self._pipe.send((call.fn, call.args, call.kwargs, call.news is not None))
            watch = None if call.allowance is None else Watch(call.allowance, process.pid)
            succeeded, value = self._receive(process, watch)
            while succeeded is None:
                assert call.news is not None
                call.news(value)
                if watch is not None:
                    watch.look()  # there may be news more often than looks are due
                succeeded, value = self._receive(process, watch)
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):  # else its end would be by our signal
                process.wait(timeout=ENDING_SECONDS)
            code = process.poll()
            self._stop()
            raise WorkerLost(code) from None
        except LimitPassed:
            self._stop()
            raise
        if not succeeded:
            raise value
        return value

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start the process; None if the pool ended meanwhile."""
        code: int | None = 0
        for _ in range(STARTS):
            if self._ended:
                return None
            process = self._process = self._spawn()
            self._fresh_mb = None
            try:
                self._pipe.send((sys.path, study_folders()))
                self._receive(process)
            except (EOFError, OSError):
                code = self._stop()  # it died before it was ready, which is no call's fault
            else:
                return process
        raise WorkerError(
            f"{STARTS} worker processes ended before they were ready, the last one with exit code "
            f"{code}: see their output above; --workers 0 trains in this process"
        )

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._pipe, theirs = multiprocessing.Pipe()
        # Blocked in this thread and so in the child, until the child ignores it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        # Not in the current folder, whose modules may be named like those of Python.
        command = [sys.executable, "-P", "-m", "hpsearch.execution.worker"]
        with theirs:  # only the worker holds its end: its death is our end of file
            return subprocess.Popen(
                [*command, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a user's function prints must not mix with the result on stdout
                env=child_environment() | thread_variables() | slot_environment(self.slot),
                pass_fds=[theirs.fileno()],
                process_group=0,  # what its calls start is ended with it, see end_tree
            )

    def _receive(self, process: subprocess.Popen[bytes], watch: Watch | None = None) -> Any:
        """The worker's next message; EOFError if it died, LimitPassed if it took too much.

        The end of file does not tell alone: a process that a user's function started may hold
        the worker's end of the pipe.
        """
        while not self._pipe.poll(DEATH_CHECK_SECONDS if watch is None else watch.pause):
            if process.poll() is not None and not self._pipe.poll(0):
                raise EOFError
            if watch is not None:
                watch.look()
        return self._pipe.recv()

    def _stop(self) -> int | None:
        """End a process that is no longer of use, with all it started; returns its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        end_tree(process.pid)
        process.kill()
        self._pipe.close()
        return process.wait()

    def ask_to_leave(self) -> bool:
        """Have an idle process end the runs that its calls left open; whether there is one."""
        if self._process is None or self._ended:
            return False
        with suppress(OSError):
            self._pipe.send((end_open_runs, (), {}, False))
            return True
        return False

    def has_left(self, seconds: float) -> None:
        """Wait until it has, so long at most."""
        with suppress(OSError):
            self._pipe.poll(seconds)

    def end(self) -> None:
        self._ended = True
        process = self._process  # another thread may be starting or stopping it
        if process is not None:
            end_tree(process.pid)
            process.kill()
            process.wait()
