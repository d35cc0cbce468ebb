"""Scores of the test rows of each group, where a study splits its rows by groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.counts import count_of
from hpsearch.datasets.base import Examples
from hpsearch.records.layout import Artifact
from hpsearch.records.refit_answers import RefitAnswers, refit_answers
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.sections import Section
from hpsearch.reports.table_study.scored_rows import RowScore, row_scores, truth_of
from hpsearch.spreadsheets import csv_text
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.trainers.answers import GivenAnswers

MOST_GROUPS = 500  # that are scored, those with the most rows
SHOWN = 10  # of the worst, and of the best
PLAIN = ("mae", "accuracy")  # where a group has one class alone


def write_groups(file: StudyFile, folder: RunFolder, result: Result, test: Examples) -> None:
    """groups.csv, the worst group first; none where rows have no groups.

    A row a group: its test rows, the mean score over the winner's refits, the smallest and the
    largest. The score is the study's, where it is defined in every group, else a plainer one.
    """
    path = folder.files.artifact(Artifact.GROUPS)
    path.unlink(missing_ok=True)  # of another winner
    split = None if file.data is None else file.data.split.made().column
    if split is None or split.role != "group" or test.keys is None:
        return
    refits = refit_answers(folder, result.best_number)
    if not refits or any(len(refit.labels) != len(test.keys) for refit in refits):
        return
    table = group_table(file, test, refits)
    if table is not None:
        path.write_text(csv_text(table), encoding="utf-8")


def group_table(
    file: StudyFile, test: Examples, refits: Sequence[RefitAnswers]
) -> pd.DataFrame | None:
    """The table; None where no score is defined in every group."""
    assert test.keys is not None
    names, places, counts = np.unique(test.keys, return_inverse=True, return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:MOST_GROUPS]
    rows = [np.flatnonzero(places == group) for group in largest]
    for score in row_scores(file, test, PLAIN):
        scores = _scores(score, file, test, refits, rows)
        if scores is None:
            continue
        table = pd.DataFrame(
            {
                "group": names[largest],
                "rows": counts[largest],
                f"test_{score.name}": scores.mean(axis=1),
                "low": scores.min(axis=1),
                "high": scores.max(axis=1),
            }
        )
        worst = np.argsort(score.sign * scores.mean(axis=1), kind="stable")
        return table.iloc[worst].reset_index(drop=True)
    return None


def _scores(
    score: RowScore,
    file: StudyFile,
    test: Examples,
    refits: Sequence[RefitAnswers],
    groups: Sequence[NDArray[np.intp]],
) -> NDArray[np.float64] | None:
    """(G, R) of each group and refit; None where one is no number."""
    found = np.empty((len(groups), len(refits)))
    for place, rows in enumerate(groups):
        truth = truth_of(file, test.rows(rows))
        for number, refit in enumerate(refits):
            try:
                found[place, number] = score.of(truth, _some(refit, rows))
            except Exception:  # a function of one's own, of rows that it was not made for
                return None
            if not np.isfinite(found[place, number]):
                return None
    return found


def _some(refit: RefitAnswers, rows: NDArray[np.intp]) -> GivenAnswers:
    return GivenAnswers(
        refit.predicted[rows],
        None if refit.probabilities is None else refit.probabilities[rows],
        None if refit.decisions is None else refit.decisions[rows],
    )


def group_sections(folder: RunFolder) -> Iterator[Section]:
    """Of the report: the worst and the best groups."""
    path = folder.files.artifact(Artifact.GROUPS)
    if not path.exists():
        return
    table = pd.read_csv(path, dtype={"group": str}, keep_default_na=False)
    shown = table if len(table) <= 2 * SHOWN else pd.concat([table[:SHOWN], table[-SHOWN:]])
    which = "All" if len(shown) == len(table) else f"The {SHOWN} worst and {SHOWN} best of"
    about = (
        f"{which} {count_of(len(table), 'group')} of test rows, the worst first: mean, minimum "
        "and maximum over the winner's refits. A small group may be far from the mean by chance "
        "alone; groups.csv has all groups."
    )
    yield Section("Groups of test rows", about, shown)
