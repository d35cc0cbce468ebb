"""With what and where a trial is run: code, packages, host, threads."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from hpsearch.execution.threads import THREADS

# What the numbers depend on.
VERSIONS = ("hpsearch", "numpy", "scipy", "optuna", "scikit-learn", "mlflow")
GIT_SECONDS = 5.0  # a repository that takes longer to say its commit goes without


def environment(folder: Path) -> dict[str, str]:
    """Versions, host, and the commit of the repository that a folder lies in.

    "dirty" says whether tracked files differ from the commit; both are missing outside a
    repository.
    """
    said = _versions() | {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cores": str(os.cpu_count()),
        "threads": str(THREADS),
    }
    commit = _git(folder, "rev-parse", "HEAD")
    if commit:
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
        said |= {"commit": commit, "dirty": "unknown" if changed is None else str(bool(changed))}
    return said


@cache  # looked for in all of site-packages, milliseconds each
def _versions() -> dict[str, str]:
    return {f"version.{name}": version(name) for name in VERSIONS}


def _git(folder: Path, *arguments: str) -> str | None:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=GIT_SECONDS
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None
