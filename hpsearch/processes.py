"""What processes that are started from here need to know."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def child_environment() -> dict[str, str]:
    """This process's environment, in which `python -m hpsearch...` finds this very package."""
    package = str(Path(__file__).parents[1])
    path = filter(None, [package, os.environ.get("PYTHONPATH")])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def alive(pid: int, since: float) -> bool:
    """Whether the process of this machine that had this number at that time is still there.

    Args:
        since: seconds since 1970. Numbers are used again: where the system tells when a process
            started, a younger one is another.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        pass
    with suppress(OSError, ValueError, IndexError):
        # After the name in parentheses: state, parent, … and, 20th, clock ticks since the boot.
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        booted = next(
            int(line.split()[1])
            for line in Path("/proc/stat").read_text().splitlines()
            if line.startswith("btime ")
        )
        return booted + ticks / os.sysconf("SC_CLK_TCK") < since + 2  # btime is a whole second
    return True
