"""Where slices run: in this process, or in a pool of worker processes.

Both are `concurrent.futures.Executor`. The pool is our own for one reason: pebble, loky and the
standard library's pool share pipes and locks between workers, so that a worker killed in the
middle of sending a result leaves a lock held or a half message that is waited for, for ever. Here
every worker has a pipe of its own, whose end of file is the worker's death and nobody else's.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any


class WorkerLost(Exception):
    """The worker process died in the middle of the call."""


# A population's matrices are small: two BLAS threads were 3-33 times slower under load.
BLAS_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
STARTS = 5  # of a worker in a row; more deaths than that before it is ready are no accident
ORPHAN_CHECK_SECONDS = 0.5  # workers end within 2 s of their coordinator's death


def limit_blas_threads() -> None:
    """One BLAS thread a process, here and in processes started from here.

    Takes effect where NumPy is not loaded yet; a value the user has set is left alone.
    """
    for name in BLAS_VARIABLES:
        os.environ.setdefault(name, "1")


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class InlineExecutor(Executor):
    """Runs each call at once, in this process: for debugging, and where processes are refused."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class ProcessExecutor(Executor):
    """A pool of spawned worker processes; a dead one costs its own call only, and is replaced.

    A future raises WorkerLost where its worker died, and the call's own exception otherwise.
    """

    def __init__(self, workers: int) -> None:
        limit_blas_threads()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._workers = [_Worker() for _ in range(workers)]
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(self._call, fn, args, kwargs)

    def _call(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        worker = self._idle.get()
        try:
            return worker.call(fn, args, kwargs)
        finally:
            self._idle.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the workers; with cancel_futures at once, in the middle of their work."""
        if cancel_futures:
            for worker in self._workers:
                worker.end()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for worker in self._workers:
            worker.end()


class _Worker:
    """A process and the pipe to it; started at the first call and again after each death."""

    def __init__(self) -> None:
        self._ended = False
        self._process: multiprocessing.process.BaseProcess | None = None

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        for _ in range(STARTS):
            if self._process is not None or self._ended or self._start():
                break
        if self._process is None or self._ended:
            raise WorkerLost
        try:
            self._pipe.send((fn, args, kwargs))
            succeeded, value = self._pipe.recv()
        except (EOFError, OSError):
            self._stop()
            raise WorkerLost from None
        if not succeeded:
            raise value
        return value

    def _start(self) -> bool:
        """Start the process; False if it died before it was ready, which is no call's fault."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
        process.start()
        self._process = process
        theirs.close()  # only the worker holds its end: its death is our end of file
        try:
            self._pipe.recv()
        except (EOFError, OSError):
            self._stop()
            return False
        return True

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
            self._pipe.close()

    def end(self) -> None:
        self._ended = True
        if self._process is not None:
            self._process.kill()


def _serve(pipe: Connection, parent: int) -> None:
    """A worker's life: calls in, results out, until the other end closes."""
    os.dup2(2, 1)  # what a user's function prints must not mix with the coordinator's data
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to handle
    _watch_parent(parent)
    import hpsearch.execution.population  # noqa: F401 - what the calls need, before the first

    pipe.send("ready")
    while True:
        try:
            fn, args, kwargs = pipe.recv()
        except EOFError:
            return
        try:
            answer = (True, fn(*args, **kwargs))
        except Exception as error:
            answer = (False, error)
        pipe.send(answer)


def make_executor(workers: int) -> Executor:
    """A pool of `workers` processes, or, for 0, this process."""
    return ProcessExecutor(workers) if workers else InlineExecutor()


def _watch_parent(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
