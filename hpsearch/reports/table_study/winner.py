"""The importance of a table's columns for a study's winner: measured, written, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hpsearch.datasets.base import Examples
from hpsearch.errors import headline
from hpsearch.records.layout import Artifact
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.charts import Chart
from hpsearch.reports.sections import Section
from hpsearch.reports.served_model import first_refit
from hpsearch.reports.study_view import StudyView
from hpsearch.reports.table_study.importance import (
    Inputs,
    Texts,
    chosen_rows,
    importance_chart,
    importance_table,
    permutation_importances,
)
from hpsearch.reports.table_study.scored_rows import first_defined, truth_of
from hpsearch.spreadsheets import csv_text
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.trainers.answers import GivenAnswers
from hpsearch.trainers.tables.model import FittedTable, TableModel

if TYPE_CHECKING:
    from hpsearch.trainers import Answers

STREAM = 0x1A907  # of the study's seed


def write_importance(file: StudyFile, folder: RunFolder, result: Result, test: Examples) -> None:
    """importance.csv and importance.json, of the first refit of the winner.

    Once a winner. What can't be measured is said in the report, and ends no study.
    """
    table = folder.files.artifact(Artifact.IMPORTANCE)
    about = folder.files.artifact(Artifact.IMPORTANCE_JSON)
    refit = first_refit(folder, result.best_number)
    known = folder.read_json(about)
    model: Path | None = None
    if refit is not None:
        place = folder.files.record("test", refit.number, refit.seed_number)
        model = place.file(FittedTable.file_name)
    if refit is None or model is None or not model.exists():
        table.unlink(missing_ok=True)
        about.unlink(missing_ok=True)
        return
    if known and known["refit"] == refit.uid and table.exists():
        return
    told: dict[str, Any] = {"refit": refit.uid, "columns": len(test.columns)}
    try:
        measured, told["change"] = _measured(file, TableModel.load(model), test)
    except Exception as error:  # a package that is gone, or a model that can't be read again
        table.unlink(missing_ok=True)
        told["problem"] = f"{type(error).__name__}: {headline(error)}"
    else:
        table.write_text(csv_text(measured), encoding="utf-8")
    folder.write_json(about, told)


def _measured(file: StudyFile, model: TableModel, test: Examples) -> tuple[pd.DataFrame, str]:
    """The table, and how the score gets worse."""
    rng = np.random.default_rng((file.seed, STREAM))
    some = test.rows(chosen_rows(len(test.labels), rng=rng))
    truth = truth_of(file, some)
    score = first_defined(file, some, _answers(model, some.inputs, some.texts, some))
    if score is None:
        raise ValueError("no score is defined on the test rows")

    change = f"{'drop' if score.sign > 0 else 'rise'} of {score.name}"

    def of(inputs: Inputs, texts: Texts) -> float:
        return score.sign * score.of(truth, _answers(model, inputs, texts, some))

    return importance_table(permutation_importances(some, of, rng=rng)), change


def _answers(model: TableModel, inputs: Inputs, texts: Texts, examples: Examples) -> Answers:
    """What a model predicts, as scores are computed from it."""
    frame = model.predict_inputs(inputs, texts)
    if examples.regression:
        return GivenAnswers(frame.iloc[:, 0].to_numpy(np.float64))
    numbers = {name: number for number, name in enumerate(examples.classes)}
    predicted = np.array([numbers[str(name)] for name in frame.iloc[:, 0]])
    rest = frame.iloc[:, 1:].to_numpy(np.float64)
    if not rest.shape[1]:
        return GivenAnswers(predicted)
    if frame.columns[1].startswith("probability_"):
        return GivenAnswers(predicted, rest)
    return GivenAnswers(predicted, None, GivenAnswers.of_outputs(rest, softmax=False).decisions)


def importance(view: StudyView) -> Chart | None:
    """The figure; None where nothing was measured."""
    told, path = _told(view), view.folder.files.artifact(Artifact.IMPORTANCE)
    if "change" not in told or not path.exists():
        return None
    table = pd.read_csv(path, dtype={"column": str}, keep_default_na=False)
    return importance_chart(table, told["change"], told["columns"])


def importance_sections(view: StudyView) -> Iterator[Section]:
    """Why there is no figure, where there could be one."""
    problem = _told(view).get("problem")
    if problem:
        told = pd.DataFrame({"reason": [problem]})
        yield Section("Importance of columns for the winner", "They could not be measured.", told)


def _told(view: StudyView) -> dict[str, Any]:
    path = view.folder.files.artifact(Artifact.IMPORTANCE_JSON)
    return dict(view.folder.read_json(path) or {})
