"""What processes that are started from here need to know."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def child_environment() -> dict[str, str]:
    """This process's environment, in which `python -m hpsearch...` finds this very package."""
    package = str(Path(__file__).parents[1])
    path = filter(None, [package, os.environ.get("PYTHONPATH")])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


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


def end_children(pid: int) -> None:
    """Kill the processes that a process started, and those that they started."""
    from psutil import Error, Process

    with suppress(Error):
        for child in Process(pid).children(recursive=True):
            with suppress(Error):
                child.kill()


def end_tree(pid: int) -> None:
    """Kill a process that leads a group of its own, with all that it started.

    Where it died before, its children have another parent now; the group still has them, but for
    those that made a group of their own.
    """
    end_children(pid)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
