"""Where slices run on several machines: a Dask cluster, through its concurrent.futures interface.

    run_study(path, executor="dask://host:8786")

What a worker needs it is sent once: the examples, and the user's own modules. Slices carry states
and hyperparameters only, so that no disk has to be shared. Dask itself never runs a slice again:
a worker that dies costs a `lost` attempt, as in a pool of processes.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.addresses import has_wrong_port, without_password
from hpsearch.datasets.opened import forget_opened
from hpsearch.datasets.selection import Pool, Selection, give
from hpsearch.errors import HpsearchError, WorkerError
from hpsearch.execution.base import SliceExecutor, WorkerLost
from hpsearch.execution.examples import OPEN, training_data
from hpsearch.execution.private_mlflow import LEAVE_SECONDS, end_open_runs
from hpsearch.execution.slices import Exam, Slice
from hpsearch.execution.threads import call_with_limited_threads
from hpsearch.own_code import NamedModule, is_own, look_first_in, sources
from hpsearch.processes import put_folders_below, temporary_folder
from hpsearch.trainers import Program, forget_changed_code
from hpsearch.trainers.programs.program_start import SENT

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 30.0  # for the scheduler, and then for its first worker
SCHEDULER_RULE = "a Dask scheduler such as dask://host:8786, its port from 1 to 65535"
SCHEMES = {"dask": "tcp", "tcp": "tcp", "tls": "tls"}
# Those on rows that are sent for another one.
SAME_ROWS: Mapping[Exam, Exam] = {"fresh": "validation", "all-rows": "test"}
DECISIVE = ("hpsearch", "numpy", "scikit-learn")  # packages that the numbers depend on


def scheduler_address(executor: str) -> str:
    """What Dask calls "dask://host:8786".

    Raises:
        HpsearchError: it is no such address.
    """
    scheme, _, host = executor.partition("://")
    name, _, port = host.rpartition(":")
    if scheme not in SCHEMES or not name or not port.isdigit() or has_wrong_port(executor):
        raise HpsearchError(
            f"--executor must be {SCHEDULER_RULE}, got {without_password(executor)!r}; "
            "left out: this machine"
        )
    return f"{SCHEMES[scheme]}://{host}"


class DaskExecutor(SliceExecutor):
    """The workers of a Dask cluster; a future raises WorkerLost where its worker died.

    Args:
        address: of the scheduler, "tcp://host:8786".
        workers: slices in flight at once; None: the threads of all workers there are now.

    Raises:
        WorkerError: Dask is not installed, the scheduler can't be reached, has no worker, or
            workers have other versions of what the numbers depend on.
    """

    def __init__(self, address: str, workers: int | None) -> None:
        self._address, self._supplied = address, dict[Any, str]()
        self._client = _connect(address)
        try:
            threads = self._client.nthreads()
            self.workers = workers or sum(threads.values())
            self._compare_versions()
            self._client.run_on_scheduler(_no_silent_reruns())
        except BaseException:
            self._client.close()
            raise

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer: Future[Any] = Future()
        outer.set_running_or_notify_cancel()
        try:
            for argument in args:
                self._supply(argument)
            # Not by Dask's own Executor: where a worker dies between finishing a call and sending
            # its result, a future of that never ends.
            inner = self._client.submit(
                call_with_limited_threads, fn, *args, pure=False, retries=0, **kwargs
            )
        except Exception as error:  # Dask has a dozen for a connection that is lost
            if self._connected:
                raise
            raise self._lost() from error
        inner.add_done_callback(lambda done: self._hand_on(done, outer))
        return outer

    def _hand_on(self, done: Any, outer: Future[Any]) -> None:
        from distributed.scheduler import KilledWorker

        try:
            outer.set_result(done.result())
        except KilledWorker:
            outer.set_exception(WorkerLost())
        except (CancelledError, asyncio.CancelledError):
            outer.set_exception(self._lost())
        except BaseException as error:  # whatever it is: a study waits for the answer
            outer.set_exception(error if self._connected else self._lost())

    @property
    def _connected(self) -> bool:
        return bool(self._client.status == "running")

    def _lost(self) -> WorkerError:
        return WorkerError(
            f"the connection to the Dask scheduler at {self._address} was lost: restart it, then "
            "run the same command again"
        )

    def _supply(self, argument: object) -> None:
        """See to it that every worker, a later one too, has what this call needs."""
        if isinstance(argument, Selection):
            self._supply_data(argument, "validation")
        elif isinstance(argument, Slice):
            self._supply_data(argument.settings.data, argument.settings.exam)
            for member in argument.members:
                if member.program is not None:
                    self._supply_program(member.program)
            if any(is_own(str(m.params["trainer"])) for m in argument.members):
                self._supply_code(argument.settings.code_folder, argument.settings.code)

    def _supply_data(self, selection: Selection, exam: Exam) -> None:
        exam = SAME_ROWS.get(exam, exam)  # split anew there
        if (selection, exam) not in self._supplied:
            self._register((selection, exam), _Data(selection, exam, OPEN[exam](selection)))

    def _supply_code(self, folder: str, named: Sequence[NamedModule] = ()) -> None:
        key = ("code", folder, *named)
        if key not in self._supplied:
            files = {path.name: path.read_bytes() for path in Path(folder).glob("*.py")}
            found = sources(module.name for module in named)
            files |= {source.label: source.path.read_bytes() for source in found}
            self._register(key, _Code(files))

    def _supply_program(self, program: Program) -> None:
        key = ("program", program.workdir, program.files)
        if key not in self._supplied:
            self._register(key, _Scripts(program))

    def _register(self, key: object, supply: Callable[[], None]) -> None:
        name = f"hpsearch-{uuid.uuid4().hex[:12]}"
        self._client.register_plugin(_plugin(supply), name=name)
        self._supplied[key] = name

    def _compare_versions(self) -> None:
        mine = _versions()
        for worker, theirs in self._client.run(_versions).items():
            if theirs != mine:
                raise WorkerError(
                    f"workers must have the versions of this machine, {_text(mine)}, but {worker} "
                    f"has {_text(theirs)}: install the same versions there"
                )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leaves the cluster as it was; slices under way end on their workers, unheard."""
        try:
            if wait and not cancel_futures and any(_is_code(key) for key in self._supplied):
                self._end_open_runs()
            while self._supplied and self._connected:
                _, name = self._supplied.popitem()
                with suppress(OSError):  # a worker died as it was told; the scheduler has let go
                    self._client.unregister_worker_plugin(name)
            self._client.close(timeout=5)
        except Exception:
            if self._connected:
                raise
            # The scheduler is gone, and the plugins with it.

    def _end_open_runs(self) -> None:
        """End the runs that the user's code left open in a store, in the threads that ran it."""
        places, until = [*self._client.nthreads()], time.monotonic() + LEAVE_SECONDS
        told = [self._client.submit(end_open_runs, workers=[p], pure=False) for p in places]
        for answer in told:
            with suppress(Exception):  # a store that can't be reached, or a worker that is busy
                answer.result(timeout=max(0.0, until - time.monotonic()))


def _is_code(key: Any) -> bool:
    return bool(key[0] == "code")


def _connect(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise WorkerError(
            "a Dask cluster needs the package distributed: pip install 'hpsearch[dask]'"
        ) from None
    for name in ("distributed.client", "distributed.utils"):
        # A lost connection is an error of ours; theirs are tracebacks on the way to it.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client = None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="hpsearch")
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError) as error:
        if client is not None:
            client.close()
        what = "have a worker" if client is not None else "be reachable"
        raise WorkerError(
            f"the Dask scheduler at {address} must {what}, got none in {CONNECT_SECONDS:.0f} s: "
            f"dask {'worker' if client is not None else 'scheduler'} starts one"
        ) from error
    return client


def _no_silent_reruns() -> Callable[..., None]:
    # Made here, so that it travels by value: the scheduler need not have this package.
    def set_allowed_failures(dask_scheduler: Any) -> None:
        dask_scheduler.allowed_failures = 0

    return set_allowed_failures


def _plugin(supply: Callable[[], None]) -> Any:
    from distributed import WorkerPlugin

    class Supply(WorkerPlugin):  # type: ignore[misc]
        """Runs on every worker once, when it is registered or when the worker starts."""

        def setup(self, worker: Any) -> None:
            put_folders_below(worker.local_directory)  # Dask removes it, after a kill too
            supply()

    return Supply()


class _Data:
    """Examples and splits on their way to a worker."""

    def __init__(self, selection: Selection, exam: Exam, pool: Pool) -> None:
        self._selection, self._exam, self._pool = selection, exam, pool

    def __call__(self) -> None:
        forget_opened()  # a worker lives longer than a study
        give(self._selection, self._pool, self._exam)
        training_data(self._selection, self._exam)


class _Code:
    """A user's own modules on their way to a worker, by their path below its folder of them.

    A worker lives longer than a study: what it loaded for one before is loaded again.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def __call__(self) -> None:
        folder = Path(temporary_folder())
        for name, content in self._files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        look_first_in(str(folder))
        forget_changed_code()


class _Scripts:
    """The files that the commands of a program name, on their way to a worker.

    Other files of its folder stay where they are: a worker finds data by a path that it has too.
    """

    def __init__(self, program: Program) -> None:
        self._key = (program.workdir, program.files)
        names = [name for name, _ in program.files if not Path(name).is_absolute()]
        outside = [name for name in names if ".." in Path(name).parts]
        if outside:
            raise WorkerError(
                "on Dask the scripts of a program must lie in its workdir or below it, got "
                f"{outside[0]}: set workdir to a folder that holds them all"
            )
        paths = {name: Path(program.workdir, name) for name in names}
        self._files = {name: (p.read_bytes(), p.stat().st_mode) for name, p in paths.items()}

    def __call__(self) -> None:
        folder = Path(temporary_folder())
        for name, (content, mode) in self._files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)
        SENT[self._key] = str(folder)


def _versions() -> dict[str, str]:
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in DECISIVE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _text(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())
