"""What MLflow's parent run of a study says: params, tags, metrics, a note."""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from hpsearch.search.reading import ReadStudy
from hpsearch.search.result import Result
from hpsearch.search.run import Run
from hpsearch.search.study import RESULT

VERSIONS = ("hpsearch", "numpy", "optuna", "scikit-learn")  # what the numbers depend on


def write_parent(
    read: ReadStudy,
    run: Run,
    result: Result | None,
    status: str | None = None,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """What the projector puts on the parent run."""
    file = read.file
    known = run.folder.read_json("parent.json")
    started = known["started"] if known else int(time.time() * 1000)
    own = {
        "mlflow.user": _user(),
        "mlflow.source.name": str(read.path.name),
        "mlflow.source.type": "LOCAL",
        "hpsearch.kind": "study",
        "hpsearch.optuna_study": run.storage_name,
        "hpsearch.outcome": "finished" if result else "interrupted" if status else "running",
        "hpsearch.protocol": "optimistic: " + reason
        if (reason := file.optimistic())
        else "honest",
        "mlflow.note.content": _note(read, result),
        **_environment(read.path.resolve().parent),
    }
    # When the result was found, so that a second projection repeats the first one's points.
    ended = int((run.folder.path / RESULT).stat().st_mtime * 1000) if result else None
    metrics: dict[str, float] = {}
    if result is not None:
        metrics["objective"] = result.validation.mean
        metrics |= {name: estimate.mean for name, estimate in result.test.items()}
        metrics |= {f"trials/{outcome}": float(n) for outcome, n in result.counts.items()}
        metrics["test_uses"] = float(result.test_uses)
    params = {"seed": str(file.seed), "data": file.data.name, "split": file.data.split.kind}
    params |= {"shots": str(file.data.shots or "all"), "sampler": file.sampler.name}
    params |= {f"objective.{k}": str(v) for k, v in file.objective.model_dump().items()}
    run.folder.write_json(
        "parent.json",
        {
            "run_id": run.id,
            "uid": f"{run.id}:study",
            "experiment": file.name,
            "name": run.name,
            "started": started,
            "ended": ended,
            "status": status or ("FINISHED" if result else "RUNNING"),
            "tags": {**tags, **own},
            # Write-once in MLflow: sent when the file can no longer be corrected.
            "params": params if result else {},
            "metrics": metrics,
        },
    )


def _note(read: ReadStudy, result: Result | None) -> str:
    first = next((line for line in read.text.splitlines() if line.startswith("#")), "").lstrip(
        "# "
    )
    if result is None:
        return first
    test = result.test_score
    params = ", ".join(f"`{k}` = {v}" for k, v in result.searched.items())
    flatters = f" Optimistic: {result.optimistic}." if result.optimistic else ""
    return (
        f"{first}\n\n**Winner:** trial {result.best_number}: {params}\n\n"
        f"**{result.objective} over fresh seeds:** {result.validation}.{flatters}\n\n"
        f"**Test set, used for {result.test_uses} configuration(s), after the search:** "
        f"{test if test else 'not measured'}\n\n"
        "Tables, the study file and a figure are among the artifacts of the parent run."
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _environment(folder: Path) -> dict[str, str]:
    """Versions, host and git commit, as tags."""
    tags = {f"hpsearch.version.{name}": version(name) for name in VERSIONS}
    tags |= {"hpsearch.python": platform.python_version(), "hpsearch.host": platform.node()}
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5
        )
        if done.returncode == 0:
            tags["mlflow.source.git.commit"] = done.stdout.strip()
    return tags
