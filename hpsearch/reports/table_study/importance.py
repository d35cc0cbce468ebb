"""How much the winner needs each column: its score when the column's values are shuffled.

Permutation importance (Breiman, 2001, section 10), on test rows, of the first refit, whose file
takes columns as they are in the table: all that is made of a column is shuffled with it. Columns
that say the same stand in for each other, and may all seem to be needed little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.counts import count_of
from hpsearch.datasets.base import Examples
from hpsearch.reports.charts import Chart, Panel, Series

MOST_ROWS = 2000
REPEATS = 5
SECONDS = 10.0  # after which no other column is shuffled
LONGEST = 32  # characters of a name in the figure
MOST_SHOWN = 15  # columns in the figure; importance.csv has all

Inputs = NDArray[np.float64]
Texts = Mapping[int, NDArray[Any]]
Score = Callable[[Inputs, Texts], float]  # of rows with other inputs, higher is better


@dataclass(frozen=True)
class Importance:
    """Of one column.

    Attributes:
        column, kind: its name and what it holds.
        losses: what the score loses by each shuffling.
    """

    column: str
    kind: str
    losses: tuple[float, ...]


def chosen_rows(n: int, *, rng: np.random.Generator) -> NDArray[np.intp]:
    """(M,) at most MOST_ROWS of n rows, in their order."""
    return np.sort(rng.permutation(n)[:MOST_ROWS])


def permutation_importances(
    examples: Examples,
    score: Score,
    *,
    rng: np.random.Generator,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> list[Importance]:
    """The importance of each column, the largest first.

    All columns are shuffled once before any is a second time, so that a limit of time costs
    repeats first, then columns.

    Args:
        examples: some test rows, with their columns.
        score: of these rows, with columns shuffled.
        rng: of the shuffling.
        seconds: after which no other column is shuffled.
    """
    began, whole = clock(), score(examples.inputs, examples.texts)
    losses: list[list[float]] = [[] for _ in examples.columns]
    inputs, n_columns = examples.inputs.copy(), len(examples.columns)
    for place in [*range(n_columns)] * REPEATS:
        if clock() - began > seconds:
            break
        order = rng.permutation(len(examples.labels))
        texts = dict(examples.texts)
        inputs[:, place] = examples.inputs[order, place]
        if place in texts:
            texts[place] = texts[place][order]
        losses[place].append(whole - score(inputs, texts))
        inputs[:, place] = examples.inputs[:, place]  # a copy of all would be slow
    found = [
        Importance(column.name, column.kind, tuple(of_column))
        for column, of_column in zip(examples.columns, losses, strict=True)
        if of_column
    ]
    return sorted(found, key=lambda one: -float(np.mean(one.losses)))


def importance_table(importances: Sequence[Importance]) -> pd.DataFrame:
    """A row a column: the mean loss, the smallest and the largest."""
    return pd.DataFrame(
        [
            {
                "column": one.column,
                "kind": one.kind,
                "importance": float(np.mean(one.losses)),
                "low": min(one.losses),
                "high": max(one.losses),
                "repeats": len(one.losses),
            }
            for one in importances
        ]
    )


def importance_chart(table: pd.DataFrame, what: str, n_columns: int) -> Chart:
    """The columns that the winner needs most.

    Args:
        table: of `importance_table`.
        what: shuffling does, e.g. "drop of roc_auc" or "rise of log_loss".
        n_columns: of the table, those too that time was too short for.
    """
    top = table.head(MOST_SHOWN)
    names = top["column"].tolist()
    short = [n if len(n) <= LONGEST else f"{n[: LONGEST - 11]}…{n[-10:]}" for n in names]
    bars = Series(
        "",
        short if len({*short}) == len(names) else names,
        top["importance"].tolist(),
        kind="bars",
        low=top["low"].tolist(),
        top=top["high"].tolist(),
    )
    untried = n_columns - len(table)
    columns = count_of(n_columns, "column")
    were = "was" if untried == 1 else "were"
    left = f" {untried} of {columns} {were} left out for lack of time." if untried else ""
    return Chart(
        "column_importance",
        "Importance of columns for the winner",
        f"The {what} on test rows when a column is permuted, for the first refit; lines show the "
        f"minimum and maximum of up to {REPEATS} permutations. A column far above all others may "
        "leak the target; correlated columns share their importance. importance.csv has all "
        f"columns.{left}",
        [Panel([bars], "", what)],
    )
