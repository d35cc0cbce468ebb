"""What MLflow's parent run of a study says: params, tags, metrics, a note."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hpsearch.analysis.kept_answers import answered
from hpsearch.own_code import digest
from hpsearch.records.estimate import Estimate
from hpsearch.records.layout import Artifact
from hpsearch.records.result import OUTER_FOLD, ArmResult, Result
from hpsearch.records.study_json import read_study_json
from hpsearch.reports.descriptions import (
    about,
    chosen,
    comment,
    headline,
    model_about,
    params_text,
)
from hpsearch.reports.front_note import front_metrics, front_note, goal_params
from hpsearch.reports.look import look_of
from hpsearch.reports.overtuned import overtuning_warnings
from hpsearch.reports.served_model import model_problem, served
from hpsearch.study.code_checks import code_warnings, repeat_texts
from hpsearch.study.opening import Run
from hpsearch.study.record_work import member_of
from hpsearch.study.starting.packages import environment_of
from hpsearch.study.stored_space import sees_all_rows
from hpsearch.study_names import file_name
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.stored import stored_file
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.compare import shots_of
from hpsearch.tracking.markdown import plain
from hpsearch.tracking.models.winner_model import SAVERS
from hpsearch.trainers import is_program
from hpsearch.trainers.programs.program_start import checkpoint_of, shell_line

FIRST = "the first of the tested refits"
OF_REFITS = "It has no score of its own: the test score is that of refits without the test rows"


def write_parent(
    read: ReadStudy,
    run: Run,
    result: Result | None,
    status: str | None = None,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """What the projector puts on the parent run."""
    file = read.file
    known = run.folder.read_sealed(run.folder.files.parent, "started")
    started = known["started"] if known else int(time.time() * 1000)
    own = {
        "mlflow.user": _user(),
        "mlflow.source.name": str(read.path.name),
        "mlflow.source.type": "LOCAL",
        "hpsearch.kind": "study",
        "hpsearch.optuna_study": run.storage_name(),
        "hpsearch.outcome": "finished" if result else "interrupted" if status else "running",
        "hpsearch.protocol": "optimistic: " + reason
        if (reason := file.optimistic())
        else "honest",
        "mlflow.note.content": _note(read, run, result, status),
        **_environment(read),
    }
    if result is not None:
        own |= _summary(result)
    if read.code:
        own["hpsearch.own_code"] = digest(read.code)
    # When the result was found, so that a second projection repeats the first one's points.
    ended = (
        int(run.folder.files.artifact(Artifact.RESULT).stat().st_mtime * 1000) if result else None
    )
    ended = None if ended is None else max(started, ended)  # a clock may have been set back
    metrics: dict[str, float] = {}
    if result is not None:
        metrics["objective"] = result.validation.mean
        metrics |= front_metrics(result)
        if result.default is not None:
            gain = result.default.test_gain or result.default.gain
            metrics |= {} if gain is None else {"tuning_gain": gain.mean}
        metrics |= {name: estimate.mean for name, estimate in result.test.items()}
        if result.outer is not None:
            metrics |= {f"outer/{name}": one.mean for name, one in result.outer.test.items()}
        metrics |= _agreement(run)
    params = {"seed": str(file.seed), **_data_params(file), "sampler": file.sampler.name}
    params |= goal_params(_first_file(run, file))
    if run.chapter.number > 1:
        own["hpsearch.chapter"] = str(run.chapter.number)
        own["hpsearch.chapter_objective"] = f"{file.objective.name} ({file.objective.direction})"
    run.folder.write_sealed(
        run.folder.files.parent,
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
            "look": look_of(read, run, result),
            "about": about(read, result, status),
            "model_about": model_about(read, result) if result else "",
            "searches": len(read.arms),
            "folds": _folds(read, run, result),
            "datasets": _datasets(read, run),
            "winner": _winner(run, result) if result else None,
            "linked": any(t.mlflow == "link" for t in file.all_programs.values()),
            "program": _program(read, run, result) if result else None,
        },
    )


def _first_file(run: Run, file: StudyFile) -> StudyFile:
    """The study file of the first chapter: MLflow changes no param that is there."""
    if run.chapter.number == 1:
        return file
    return stored_file(read_study_json(run.folder.files.chapter(1))["file"], run.name)


def _summary(result: Result) -> dict[str, str]:
    """Numbers of a study that are read, not charted, as tags."""
    found = {
        "hpsearch.trials": _counts(result),
        "hpsearch.objective": str(result.validation),
        "hpsearch.test_uses": str(result.test_uses),
    }
    if result.test_score is not None:
        found["hpsearch.test"] = str(result.test_score)
    return found


def _counts(result: Result) -> str:
    return ", ".join(f"{n} {outcome}" for outcome, n in result.counts.items())


def _data_params(file: StudyFile) -> dict[str, str]:
    """What is learned from; of data that is the trainer's own affair the folds alone."""
    if file.data is None:
        return {"folds": str(file.n_splits)}
    shots = shots_of(file.space) or file.data.shots or "all"
    return {"data": file.data.name, "split": file.data.split.kind, "shots": str(shots)}


def _agreement(run: Run) -> dict[str, float]:
    """How far the study agrees with a printed table, as metrics."""
    return {
        f"comparison/{name}" + (f"/{group['cells']}" if group["cells"] else ""): float(value)
        for group in answered(run.folder).agreement
        for name, value in group.items()
        if name != "cells"
    }


def _note(read: ReadStudy, run: Run, result: Result | None, status: str | None) -> str:
    first = f"{headline(read, result, status)}\n\n{comment(read)}"
    if result is None:
        return first
    test, uses = result.test_score, result.uses_text
    params = params_text(result.searched)
    counts = _counts(result)
    stages = " → ".join(f"{s.trials} x {s.epochs}{s.on_fewer}" for s in read.file.stages)
    ended = f" {result.ended_text.capitalize()}." if result.ended else ""
    tried = f"; {plain(result.tried_text)}" if result.tried_text else ""
    unmet = f" It violates {plain('; '.join(result.unmet))}." if result.unmet else ""
    flatters = f" Optimistic: {plain(result.optimistic)}." if result.optimistic else ""
    flattered = f". Optimistic: {plain(result.saw_test)}." if result.saw_test else ""
    return (
        f"{first}\n\n**Winner:** trial {result.best_number}: {params}\n\n"
        f"**{plain(result.objective)}, confirmed:** {result.validation}.{unmet}{flatters}\n\n"
        f"**Test set, used for {uses}, {read.file.when_tested}:** "
        f"{test if test else 'not measured'}{flattered}\n\n"
        f"{_listed(result.outer_lines)}"
        f"{_listed(result.comparisons)}"
        f"{front_note(result)}"
        f"{_claims(run)}"
        f"{_audit(run, result)}"
        f"**Trials:** {counts}{tried}. **Stages** (trials x epochs): {stages}.{ended}\n\n"
        f"{_model(read, run, result)}"
        "The artifacts include report.html, the full report with interactive figures in a single "
        "file, and the tables, the figures and the study file."
    )


def _listed(said: Sequence[tuple[str, str]]) -> str:
    """Lines by what they are of, as a Markdown list."""
    lines = [f"- **{name.capitalize()}:** {plain(text)}" for name, text in said]
    return "\n".join(lines) + "\n\n" if lines else ""


def _claims(run: Run) -> str:
    """Claims and verdicts as a Markdown table."""
    claims = answered(run.folder).claims
    if not claims:
        return ""
    rows = [f"| {plain(c['text'])} | **{c['verdict']}** | {plain(c['detail'])} |" for c in claims]
    return "\n".join(["| claim | verdict | figures |", "|---|---|---|", *rows]) + "\n\n"


def _audit(run: Run, result: Result) -> str:
    """Whether short trainings predict long ones, too narrow ranges, and rules broken."""
    said = [("Fidelity", text) for text in result.fidelity_texts]
    said += [("Edge alarm", text) for text in result.alarms]
    said += [("Overtuning", text) for text in overtuning_warnings(run.folder)]
    said += [("Own code", text) for text in code_warnings(run.folder)]
    said += [("Program", text) for text in repeat_texts(run.folder)]
    lines = [f"- **{name}:** {plain(text)}" for name, text in said]
    return "\n".join(lines) + "\n\n" if lines else ""


def _model(read: ReadStudy, run: Run, result: Result) -> str:
    trainer = str(result.best_params["trainer"])
    if is_program(trainer):
        return (
            "**Program:** `program/` among the artifacts holds the winner's checkpoint, if it has "
            f"one, and the command that trains it again (`show {shlex.quote(result.study)} --best "
            "--format command`).\n\n"
        )
    record = served(run.folder, result.best_number)
    if record is None:
        return "There is no registered model, because no refit was trained to its end.\n\n"
    if not SAVERS.keys() & {*record.files}:
        return (
            f"There is no registered model, because only `{trainer}` can load what it has "
            "learned.\n\n"
        )
    rows = f"trained on all rows. {OF_REFITS}" if record.is_unscored else FIRST
    return f"**Model:** `models:/{file_name(read.file.name)}@winner`, {rows}.\n\n"


def _datasets(read: ReadStudy, run: Run) -> list[dict[str, Any]]:
    """What was learned from and what was tested on, by the digests in the records."""
    data = read.file.data
    own = sees_all_rows(run.folder)
    trial = next((r for r in run.folder.read_all("trial") if own(r.number)), None)
    test = next((r for r in run.folder.read_all("test") if own(r.number)), None)
    if trial is None or data is None:
        return []
    learned = {"shots": data.shots or "all", "split": data.split.of_rows}
    learned["split_digest"] = trial.digests["splits"]
    name = Path(data.name).name
    said = [(name, trial.digests["data"], "training, validation", learned)]
    if test is not None:
        said.append((f"{name}-test", test.digests["test"], "test", {}))
    return [
        {
            "name": name,
            "digest": digest,
            "context": context,
            "source": read.selection.name,
            "profile": profile,
        }
        for name, digest, context, profile in said
    ]


def _folds(read: ReadStudy, run: Run, result: Result | None) -> list[dict[str, Any]]:
    """The runs of outer folds: each with what its search found, once that is known."""
    found: dict[int | None, ArmResult] = {}
    if result is not None and result.outer is not None:
        found = {int(fold.values[OUTER_FOLD]): fold for fold in result.outer.folds}
    folds = []
    for arm in (arm for arm in read.arms if arm.fold is not None):
        tags = {"hpsearch.kind": "outer-fold", "hpsearch.outer_fold": str(arm.fold)}
        scores: dict[str, Estimate | None] = {}
        if (mine := found.get(arm.fold)) is not None:
            winner = f"trial {mine.best_number}: {params_text(mine.searched)}"
            tags["mlflow.note.content"] = f"**Winner:** {winner}"
            scores = {"objective": mine.validation, **mine.test}
        folds.append(
            {
                "uid": f"{run.id}:fold:{arm.fold}",
                "name": f"outer-fold-{arm.fold}",
                "index": arm.index,
                "tags": tags,
                "metrics": {name: one.mean for name, one in scores.items() if one is not None},
            }
        )
    return folds


def _winner(run: Run, result: Result) -> dict[str, Any] | None:
    record = served(run.folder, result.best_number)
    if record is None:
        return None
    seed, rows = record.seed_number, "training and validation data"
    note = ""
    if record.is_unscored:
        rows = "all rows, those of the test set too,"
        note = f" {OF_REFITS}."
    elif problem := model_problem(run.folder, result.best_number):
        note = f" It has not seen the test rows, because {plain(problem)}."
    return {
        "kind": record.kind,
        "number": record.number,
        "seed": seed,
        "description": f"Trial {result.best_number} of {run.name}, trained on {rows} with seed "
        f"{seed}.{note}\n\n{chosen(result)}",
    }


def _program(read: ReadStudy, run: Run, result: Result) -> dict[str, Any] | None:
    """What is shown of the winner's program; None where it is none."""
    name = str(result.best_params["trainer"])
    table = read.file.all_programs.get(name)
    record = run.folder.read("trial", result.best_number)
    if table is None or record is None:
        return None
    line = shell_line(
        member_of(
            record,
            read.space.named,
            read.programs[name],
            f"{file_name(read.file.name)}-trial-{record.number}",
        ),
        until=max(record.length, 1),
        n_epochs=read.file.n_epochs,
    )
    member, first = run.folder.files.record("trial", record.number).member(0), record.members[0]
    path: Path | None = None
    if table.checkpoint is not None:
        program = read.programs[name]
        named = checkpoint_of(program, str(member), first.entropy, first.split, "search")
        path = Path(named).relative_to(member) if Path(named).is_relative_to(member) else None
    return {
        "number": record.number,
        "trials": [int(str(entry["number"])) for entry in result.top],
        "artifacts_mb": table.artifacts_mb,
        "checkpoint": None if path is None else str(path),
        "checkpoint_mb": table.checkpoint_mb,
        "command": line,
        "description": f"Trial {record.number} of {result.study}; {result.objective} over fresh "
        f"seeds: {result.validation}. Command that trains it again: {line}",
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _environment(read: ReadStudy) -> dict[str, str]:
    """Versions and host as one tag of JSON; the git commit as MLflow has it."""
    said = environment_of(read)
    tags = {"hpsearch.environment": json.dumps({k: v for k, v in said.items() if k != "commit"})}
    if "commit" in said:
        tags["mlflow.source.git.commit"] = said["commit"]
    return tags
