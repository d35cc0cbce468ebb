"""The trials of a study, looked up in its records: a table, a front, configurations."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hpsearch.api.support.study_report import finished_result
from hpsearch.errors import HpsearchError
from hpsearch.hyperparameters import ParamValue
from hpsearch.records.layout import Home
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.record_work import member_of
from hpsearch.study.recorded import Recorded, find_run
from hpsearch.study.stored_space import kept_arms, kept_space
from hpsearch.study_names import file_name
from hpsearch.studyfile.configuration import Form, configuration_text
from hpsearch.trainers import is_program
from hpsearch.trainers.programs.program_start import shell_line

if TYPE_CHECKING:
    import pandas as pd


def study_front(study: str, *, home: str | Path | None = None) -> pd.DataFrame:
    """The Pareto front of a study with several objectives, a row per trial (`front_table`).

    Args:
        study, home: as for `show_study`.

    Raises:
        StudyFileError: there is no such study.
        HpsearchError: it is not finished, or it has a single objective.
    """
    result = finished_result(find_run(Home.find(Path(home) if home else None), study))
    if not result.objectives:
        raise HpsearchError(
            f"study {result.study!r} has a single objective, so it has no Pareto front: see its "
            f"winner with python -m hpsearch show {shlex.quote(study)} --best"
        )
    from hpsearch.reports.tables import front_table

    return front_table(result)


def best_configuration(
    study: str,
    *,
    trial: int | None = None,
    form: Form | Literal["command"] = "toml",
    home: str | Path | None = None,
) -> str:
    """The complete hyperparameters of the winner, or of another trial, as text.

    Args:
        study, home: as for `show_study`.
        trial: a trial, e.g. another member of the front; None: the winner.
        form: "toml": the [network] and [space] of a study file that fixes them; "json"; "python";
            "command": for a program, the shell command that trains it as in the trial, from its
            start to its last epoch, in a new folder below the current one.

    Raises:
        StudyFileError: there is no such study.
        HpsearchError: it is not finished, has no such trial, or the trial did not run a program.
    """
    run = find_run(Home.find(Path(home) if home else None), study)
    if form == "command":
        number = finished_result(run).best_number if trial is None else trial
        return _command_line(run, _record(run, number))
    if trial is not None:
        return _configuration(run, trial, form)
    result = finished_result(run)
    text = _text(run, result.best_params, form)
    if form == "json":
        return text
    score = f"{result.objective} {result.validation}"
    others = [str(m.number) for m in result.front if m.number != result.best_number]
    beside = f"# Also on the Pareto front: trials {', '.join(others)}\n" if others else ""
    said = f"# The winner of {result.study}: trial {result.best_number}, {score}\n"
    return f"{said}{_refitted(run, result.best_number)}{beside}{text}"


def _refitted(run: Recorded, winner: int) -> str:
    """A line on the number of trees that the winner was refitted with, where it was chosen."""
    refits = run.folder.read_all("test")
    trees = next((record.trees for record in refits if record.number == winner), 0)
    return f"# Refitted with {trees} trees, as early stopping chose\n" if trees else ""


def _command_line(run: Recorded, record: TrialRecord) -> str:
    if not is_program(record.params["trainer"]):
        raise HpsearchError(
            f"trial {record.number} of {run.name!r} has no command line, because its trainer is "
            f"{record.params['trainer']}, not a program: use --format toml, json or python"
        )
    folder = str(Path.cwd() / f"{file_name(run.study)}-trial-{record.number}")
    space, table = kept_space(run.folder), run.file.all_programs[str(record.params["trainer"])]
    # No path is taken from an archive: an imported program is looked for here.
    program = table.program(run.folder_of_file or Path.cwd(), run.file.metrics)
    member = member_of(record, space.named if space else {}, program, folder)
    return shell_line(member, until=max(record.length, 1), n_epochs=run.file.n_epochs)


def _configuration(run: Recorded, trial: int, form: Form) -> str:
    """Of any trial."""
    record = _record(run, trial)
    text = _text(run, record.params, form)
    return text if form == "json" else f"# Trial {trial} of {run.name}, {record.outcome}\n{text}"


def _record(run: Recorded, trial: int) -> TrialRecord:
    record = run.folder.read("trial", trial)
    if record is None:
        raise HpsearchError(
            f"study {run.name!r} has no trial {trial}: list its trials with python -m hpsearch "
            f"show {shlex.quote(run.study)} --trials"
        )
    return record


def _text(run: Recorded, params: Mapping[str, ParamValue], form: Form) -> str:
    space = kept_space(run.folder)
    return configuration_text(params, form, run.file.space, space.named if space else {})


def study_trials(study: str, *, home: str | Path | None = None) -> pd.DataFrame:
    """A row per trial: outcome, where it was drawn, epochs, digest of its curves, scores, params,
    and the reason if it failed, diverged or was pruned.

    Nothing in it depends on when, where or how fast trials ran: two runs of one study file have
    equal tables, and their `to_csv` is the same to the last bit.

    Args:
        study, home: as for `show_study`; the study need not be finished.
    """
    from hpsearch.reports.tables import AT, trials_table

    run = find_run(Home.find(Path(home) if home else None), study)
    records = list(run.folder.read_all("trial"))
    table = trials_table(records, kept_arms(run.folder))
    if records:
        table.insert(4, "epochs", [min(m.epoch for m in r.trained) for r in records])
        table.insert(5, "curves", [_curves(r) for r in records])
    for name in ("ended_early", "outer_fold", "training_rows", "folds_trained"):
        if name in table:
            table[name] = table[name].astype("Int64")
    for name in table.columns:
        values = [r.params[name] for r in records if name in r.params]
        if table[name].dtype == float and values and all(type(v) is int for v in values):
            table[name] = table[name].astype("Int64")  # gaps made floats of whole numbers
    scores = sorted((n for n in table.columns if n.startswith("score_")), key=_length)
    rungs = sorted((n for n in table.columns if n.startswith("rung_")), key=_length)
    goals = sorted((n for n in table.columns if AT in n), key=lambda n: int(n.rpartition(AT)[2]))
    first = ["trial", "outcome", "drawn_in_stage", "batch", "epochs", "training_rows"]
    first += [
        "folds_trained",
        "curves",
        "outer_fold",
        "control_in",
        "ended_early",
        "trees_chosen",
        "trees_grown",
        "own_code",
    ]
    first += [*scores, *rungs, *goals]
    last = ["reason"]
    params = [n for n in table if n not in (*first, *last)]
    return table[[n for n in (*first, *params, *last) if n in table.columns]]


def _length(column: str) -> int:
    return int(column.rpartition("_")[2])


def _curves(record: TrialRecord) -> str:
    """SHA-256 of every metric of every member's epochs, 16 hexadecimal digits."""
    said = [[m.split, m.epochs, sorted(m.history.items())] for m in record.members]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
