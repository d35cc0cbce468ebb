"""Packages beside those of the tests, such as other versions of MLflow; installed once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from filelock import FileLock
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness.commands import Called
from tests.harness.study_files import REPOSITORY

SECONDS = 180  # for an installation
MLFLOW = ("mlflow", "mlflow-skinny", "mlflow-tracing")  # packages of one version

# Of a process with the other version: commands as JSON, one a line, and what they ended with.
COMMANDS = """
import json, sys
from tests.harness.commands import call_here
from tests.harness.quick import quick_studies

with quick_studies():
    for line in sys.stdin:
        print(json.dumps(call_here(*json.loads(line))), flush=True)
"""


class NotInstalledError(Exception):
    """Packages can't be installed here; the message has the installer's reason."""


def admitted_mlflow() -> tuple[str, str]:
    """The lowest version that pyproject.toml admits, and the newest one in the registry."""
    project = (REPOSITORY / "pyproject.toml").read_text()
    (requirement,) = re.findall(r'^    "(mlflow[<>=].+?)"', project, re.M)
    options = ("--no-deps", "--no-header", "--no-annotate", "--upgrade")
    found = [
        _uv("compile", *options, "--resolution", resolution, "-", text=requirement)
        for resolution in ("lowest", "highest")
    ]
    lowest, newest = (text.strip().removeprefix("mlflow==") for text in found)
    return lowest, newest


def mlflow_modules(version: str, *others: str) -> Path:
    """A folder for PYTHONPATH with this version of MLflow, to be run with what is installed here.

    A registry may lack its smaller packages for days; its own package holds all of its modules.

    Args:
        others: requirements that this version has and does not say, e.g. "sqlalchemy<2.1".
    """
    return modules(f"mlflow=={version}", *others)


def modules(*requirements: str) -> Path:
    """A folder for PYTHONPATH with these packages, for what is installed here.

    Of what they need, those packages come along that are not installed here at all.

    Args:
        requirements: with versions, e.g. "bottle==0.13.4"; the first names the folder.
    """
    place = REPOSITORY / f".venv-{requirements[0]}"
    with FileLock(f"{place}.lock"):
        if not (place / "installed").exists():
            _uv("install", "--no-deps", "--target", str(place), *requirements)
            while lacking := _lacking(place):
                _uv("install", "--no-deps", "--target", str(place), *lacking)
            (place / "installed").touch()
    return place


def _lacking(place: Path) -> list[str]:
    """Requirements of the packages in a folder that nothing is installed for, here or there."""
    there = list(distributions(path=[str(place)]))
    names = {canonicalize_name(found.name) for found in (*there, *distributions())}
    needed = [Requirement(text) for found in there for text in found.requires or ()]
    asked = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [str(r) for r in asked if canonicalize_name(r.name) not in names]


def beside_ours(place: Path) -> dict[str, str]:
    """The environment of a process that finds packages there first, then those of the tests."""
    paths = [str(place), os.environ.get("PYTHONPATH", ""), str(REPOSITORY)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


class OtherClient:
    """Commands with MLflow of another version, in one process that loads it once.

    Args:
        version: of MLflow.
    """

    def __init__(self, version: str) -> None:
        place = modules(*(f"{package}=={version}" for package in MLFLOW))
        self._process = subprocess.Popen(
            [sys.executable, "-c", COMMANDS],
            env=beside_ours(place),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __call__(self, *words: str) -> Called:
        """Call a command, as `call_here` does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(words), file=self._process.stdin, flush=True)
        return Called(*json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        """End its process."""
        self._process.communicate(timeout=60)


def _uv(*arguments: str, text: str = "") -> str:
    command = [sys.executable, "-m", "uv", "pip", arguments[0], "--quiet", *arguments[1:]]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=SECONDS, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise NotInstalledError(f"no answer within {SECONDS} s") from error
    if done.returncode != 0:
        raise NotInstalledError(done.stderr.strip())
    return done.stdout
