"""With what and where a trial is run: code, packages, host, threads."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from hpsearch.execution.threads import THREADS

# What the numbers depend on.
VERSIONS = ("hpsearch", "numpy", "scipy", "optuna", "scikit-learn", "mlflow")
INSTALLED_AS = {"sklearn": "scikit-learn"}  # where it need not be looked up, half a second
GIT_SECONDS = 5.0  # a repository that takes longer to say its commit goes without


def environment(folder: Path, imported: Iterable[str] = ()) -> dict[str, str]:
    """Versions, host, and the commit of the repository that a folder lies in.

    Args:
        imported: packages beside those of VERSIONS, by the name they are imported by.

    "dirty" says whether tracked files differ from the commit; both are missing outside a
    repository.
    """
    said = (
        _versions()
        | _versions_of(tuple(imported))
        | {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "host": platform.node(),
            "cores": str(os.cpu_count()),
            "threads": str(THREADS),
        }
    )
    commit = _git(folder, "rev-parse", "HEAD")
    if commit:
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
        said |= {"commit": commit, "dirty": "unknown" if changed is None else str(bool(changed))}
    return said


@cache  # looked for in all of site-packages, milliseconds each
def _versions() -> dict[str, str]:
    return {f"version.{name}": version(name) for name in VERSIONS}


@cache
def _versions_of(imported: tuple[str, ...]) -> dict[str, str]:
    """Of packages by the name they are imported by; those that nobody installed have none."""
    found = {}
    for name in imported:
        for distribution in _distributions(name):
            with suppress(PackageNotFoundError):
                found[f"version.{distribution}"] = version(distribution)
    return found


def _distributions(name: str) -> list[str]:
    """What was installed to have a package of this name."""
    name = INSTALLED_AS.get(name, name)
    try:
        version(name)
    except PackageNotFoundError:
        return list(_all_distributions().get(name, []))
    return [name]


@cache  # reads all that is installed
def _all_distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def _git(folder: Path, *arguments: str) -> str | None:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=GIT_SECONDS
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None
