"""What MLflow's parent run of a study says: params, tags, metrics, a note."""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from hpsearch.search.reading import ReadStudy
from hpsearch.search.result import RESULT, Result
from hpsearch.search.run import Run
from hpsearch.service.answers import answered

VERSIONS = ("hpsearch", "numpy", "optuna", "scikit-learn")  # what the numbers depend on


def write_parent(
    read: ReadStudy, run: Run, result: Result | None, status: str | None = None
) -> None:
    """What the projector puts on the parent run."""
    file = read.file
    known = run.folder.read_json("parent.json")
    started = known["started"] if known else int(time.time() * 1000)
    tags = {
        "mlflow.user": _user(),
        "mlflow.source.name": str(read.path.name),
        "mlflow.source.type": "LOCAL",
        "hpsearch.kind": "study",
        "hpsearch.optuna_study": run.storage_name(),
        "hpsearch.outcome": "finished" if result else "interrupted" if status else "running",
        "hpsearch.protocol": "optimistic: " + reason
        if (reason := file.optimistic())
        else "honest",
        "mlflow.note.content": _note(read, run, result),
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
        metrics |= _agreement(run)
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
            "tags": tags,
            # Write-once in MLflow: sent when the file can no longer be corrected.
            "params": params if result else {},
            "metrics": metrics,
        },
    )


def _agreement(run: Run) -> dict[str, float]:
    """How far the study agrees with a printed table, as metrics."""
    return {
        f"comparison/{name}" + (f"/{group['cells']}" if group["cells"] else ""): float(value)
        for group in answered(run.folder).agreement
        for name, value in group.items()
        if name != "cells"
    }


def _note(read: ReadStudy, run: Run, result: Result | None) -> str:
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
        f"{_claims(run)}"
        "Tables, the study file and a figure are among the artifacts of the parent run."
    )


def _claims(run: Run) -> str:
    """Claims and verdicts as a Markdown table."""
    claims = answered(run.folder).claims
    if not claims:
        return ""
    rows = [f"| {c['text']} | **{c['verdict']}** | {c['detail']} |" for c in claims]
    return "\n".join(["| claim | verdict | figures |", "|---|---|---|", *rows]) + "\n\n"


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
