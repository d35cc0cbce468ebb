"""What processes that are started from here need to know."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

GUARDED = (
    "HPSEARCH_GUARDED"  # set for programs that a guard ends, see trainers/programs/program_process
)
GPU_SLOT = "HPSEARCH_GPU"  # the GPUs that a process may use, "0" or "0,1"
# What libraries read when they are loaded: BLAS, OpenMP (scikit-learn, PyTorch), numexpr. Not
# Numba's, which raises where it changes later.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


GARBAGE_AFTER = 200_000  # objects, from one search for cyclic garbage to the next
_thresholds: list[tuple[int, int, int]] = []  # those before `collect_rarely`

_tops: list[str] = []  # one, or none


def collect_rarely() -> None:
    """Have this process look for cyclic garbage more rarely than after every 700 objects.

    Loading modules makes some 100,000, all of which stay, and looking through them again and again
    takes a twelfth of a command's time.
    """
    _thresholds.append(gc.get_threshold())
    gc.set_threshold(GARBAGE_AFTER)


def collect_as_usual() -> None:
    """Take `collect_rarely` back, before trials train in this process, with large garbage."""
    if _thresholds:
        gc.set_threshold(*_thresholds[0])
        _thresholds.clear()


def put_folders_below(top: str) -> None:
    """Have `temporary_folder` make its folders below this one, which goes when the process dies.

    A process that is killed removes nothing itself.
    """
    _tops[:] = [top]


def temporary_folder() -> str:
    """A new folder of this process, on this machine."""
    return mkdtemp(prefix="hpsearch-", dir=_tops[0] if _tops and Path(_tops[0]).is_dir() else None)


def thread_environment(threads: int) -> dict[str, str]:
    """What says to libraries how many threads they may use."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def child_environment() -> dict[str, str]:
    """This process's environment, in which `python -m hpsearch...` finds this very package."""
    package = str(Path(__file__).parents[1])
    path = filter(None, [package, os.environ.get("PYTHONPATH")])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


@contextmanager
def changed_environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables of this process, or unset those that are None, in the block.

    Afterwards they are what they were, whatever code in the block did to them.
    """
    before = {name: os.environ.get(name) for name in variables}
    _set_environment(variables)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def without_our_package(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for a program of a user's own, which may have another Python.

    What `child_environment` added is taken out again where it is a whole folder of packages.
    """
    package = Path(__file__).parents[1]
    if package.name not in ("site-packages", "dist-packages"):
        return dict(environment)
    path = environment.get("PYTHONPATH", "").split(os.pathsep)
    left = os.pathsep.join(entry for entry in path if entry and entry != str(package))
    others = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    return {**others, "PYTHONPATH": left} if left else others


def birth(pid: int) -> str:
    """What tells a process from another that had or will have its number.

    When it began, counted from the boot: a clock that is set does not move it. "" where the
    system does not tell, or the process is gone.
    """
    with suppress(OSError, IndexError):
        # After the name in parentheses: state, parent, … and, 20th, clock ticks since the boot.
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{ticks} {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    return ""


def alive(pid: int, born: str) -> bool:
    """Whether the process of this machine that had this number is still there.

    Args:
        born: its `birth`; "": not known, and any process of this number counts.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        pass
    now = birth(pid)
    return not born or not now or now == born


def children() -> set[int]:
    """The processes that this one started and that are there."""
    threads = [*Path("/proc/self/task").glob("*/children")]
    if threads:  # 20 us each
        found: set[int] = set()
        for thread in threads:
            with suppress(OSError):
                found |= {int(pid) for pid in thread.read_text().split()}
        return found
    from psutil import Process

    return {child.pid for child in Process().children()}


def is_guarded(pid: int) -> bool:
    """Whether a process is a program with a guard, or such a guard."""
    from psutil import Error, Process

    with suppress(Error):
        return GUARDED in Process(pid).environ()
    return False


def end_children(pid: int) -> None:
    """Kill the processes that a process started, and those that they started.

    Programs with a guard are left to it: it gives them time to end by themselves.
    """
    from psutil import Error, Process

    with suppress(Error):
        for child in Process(pid).children(recursive=True):
            with suppress(Error):
                if not is_guarded(child.pid):
                    child.kill()


def end_tree(pid: int) -> None:
    """Kill a process that leads a group of its own, with all that it started.

    Where it died before, its children have another parent now; the group still has them, but for
    those that made a group of their own.
    """
    end_children(pid)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
