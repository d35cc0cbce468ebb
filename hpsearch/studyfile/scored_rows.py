"""Scores that rows leave undefined, of a fold or of the test set: found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hpsearch.datasets import DATASETS
from hpsearch.datasets.base import Examples
from hpsearch.datasets.selection import Pool, Selection, open_test
from hpsearch.errors import Problem
from hpsearch.execution.scoring.values import Truth, lacking, positive_class, unfit
from hpsearch.metrics.catalogue import Score, part_of, score_of
from hpsearch.studyfile.entries import trainers_of
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.data_weights import row_problems

HINT = (
    "take fewer or larger folds, a split that keeps the shares of the classes, or a score that "
    "needs no such rows, such as validation_log_loss"
)
OF_NUMBERS = "take fewer or larger folds, or another score, such as validation_mae"


def scored_rows_problems(file: StudyFile, selection: Selection, pool: Pool) -> Iterator[Problem]:
    """What is wrong with the scores that a study names, for the data of one of its arms.

    Args:
        pool: of the selection.
    """
    if selection.unknown:
        return
    yield from row_problems(pool)
    examples, positive = pool.examples, file.scoring.positive
    if file.scoring.decides and examples.n_classes != 2:
        what = f"{examples.n_classes} classes" if examples.n_classes else "numbers"
        rule = f"must be left out: it is for two classes, but there are {what}"
        yield Problem("evaluation.threshold", rule, repr(file.evaluation.threshold))
        return
    own = all(kind.open for kind in trainers_of(file.space).values())
    for key, metric in file.scored.items():
        if own and not key.startswith("evaluation."):
            continue  # a function may report what it likes under the name
        part, name = part_of(metric)
        score = score_of(name)
        if score is None:
            continue
        rule = unfit(score, examples.n_classes)
        if rule:
            yield Problem(key, rule, repr(metric if key.endswith(".metric") else name))
        elif examples.weights is not None and not score.weighted:
            rule = "must be a score that takes weights, because data.weight is set"
            yield Problem(key, rule, repr(metric if key.endswith(".metric") else name))
        elif part == "validation":
            yield from _undefined(key, score, selection, pool, positive)


def _undefined(
    key: str, score: Score, selection: Selection, pool: Pool, positive: str
) -> Iterator[Problem]:
    of_fold = "must be defined on the validation rows of every fold"
    hint = OF_NUMBERS if score.task == "regression" else HINT
    n = len(pool.splits)
    for fold, (_, rows) in enumerate(pool.splits, start=1):
        reason = _reason(score, pool.examples.rows(rows), positive)
        if reason:
            yield Problem(key, of_fold, f"{reason} in fold {fold} of {n}", hint)
            return
    if selection.outer is not None:
        final = open_test(selection)
        reason = _reason(score, final.examples.rows(final.splits[0][1]), positive)
        if reason:
            rule = "must be defined on the rows of every outer fold"
            yield Problem(key, rule, f"{reason} in {selection.outer.text}", hint)
        return
    if selection.name in DATASETS:  # whose test sets have rows of every class
        return
    reason = _reason(score, selection.dataset().test(), positive)
    if reason:
        where = "name other rows in data.test, raise data.test_fraction, or take another score"
        yield Problem(key, "must be defined on the test set", reason, where)


def _reason(score: Score, examples: Examples, positive: str) -> str:
    classes: Sequence[str] = examples.classes
    number = positive_class(positive, classes) if examples.n_classes == 2 else 1
    return lacking(
        score, Truth(examples.labels, examples.n_classes, number, examples.weights), classes
    )
