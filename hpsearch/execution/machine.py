"""What a training's bits depend on beside its seeds: the processor and the packages."""

from __future__ import annotations

import platform
import subprocess
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

# What draws and trainings are computed with; another version may round another way.
PACKAGES = ("hpsearch", "numpy", "optuna", "scikit-learn", "scipy")


@lru_cache(maxsize=1)
def machine() -> str:
    """This process's machine in one line; equal lines promise equal bits."""
    from threadpoolctl import threadpool_info

    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    # NumPy's own, where it has one: which others are loaded depends on what was imported so far.
    own = [library for library in found if "numpy" in library["filepath"]] or found
    blas = sorted(
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')}".strip()
        for library in own
    )
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    return "; ".join([f"{platform.machine()} {_processor()}", *blas, *packages])


def _processor() -> str:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line for line in lines if line.startswith("model name")).split(": ", 1)[1]
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor()
