"""The card of a table: what its columns hold, and what is likely to be a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.base import Examples
from hpsearch.datasets.column_kinds import SAID, marked_number
from hpsearch.datasets.table import ReadTable, TableFile
from hpsearch.datasets.table_columns import NO_INPUTS, TableColumn, encode, texts_of

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLES, LONGEST = 3, 24  # values that show a column, and their characters
RARE = 0.1  # share of the rarest class from which on accuracy says little
# A column that by itself predicts the target as well as this is likely to be made from it.
GIVEAWAY = 0.99
LOOKED_AT = 2000  # rows that are looked at for that
LEAVES = 16  # of the tree that predicts from one column
ROUNDING = 1e-9  # far above what sums of so few rows may be off
GROUP_NAME = re.compile(
    r"(?i:(^|.*[_\-. ])(id|ids|uuid|guid|patient|subject|person|user|customer|client|household|"
    r"session|account))$|(?i:.+[_\-. ](no|nr|num|number))$|.*[a-z](ID|Id|No|Nr)$"
)
FEWEST_GROUPS, MEAN_GROUP = 20, 1.5  # different values, and rows of each, that make it likely
LEAST_UNKNOWN = 0.01  # share of rows after a date without a value, to be worth a word


@dataclass(frozen=True)
class ColumnFacts:
    """A column in numbers.

    Attributes:
        name, kind, why: as in TableColumn.
        missing: rows without a value.
        distinct: different values.
        examples: some of them, the most frequent first.
    """

    name: str
    kind: str
    missing: int
    distinct: int
    examples: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class TableCard:
    """What is known of a table before anything is trained.

    Attributes:
        rows: that may be learned from.
        test_rows: that are sealed as test set, where they are of the same file.
        columns: all but the target and what rows are split by.
        target: the column to predict; None: not named.
        classes: rows of each class; {} where numbers are predicted.
        warnings: likely mistakes, a sentence each.
        form: how the file is written, in words.
    """

    rows: int
    test_rows: int
    columns: tuple[ColumnFacts, ...]
    target: str | None
    classes: dict[str, int]
    warnings: tuple[str, ...]
    form: str

    @property
    def task(self) -> str:
        """What is predicted, where a target is named."""
        return "classification" if self.classes else "regression"


def table_card(file: TableFile) -> TableCard:
    """The card of a table; of its test rows nothing is told but how many there are.

    Raises:
        DataError: it can't be read, or a column may be of two kinds.
    """
    table, rows, columns, labels = file.looked_at()
    every = len(rows) == table.cells.num_rows
    cells = table.cells if every else table.cells.take(rows)
    facts = tuple(_facts(column, cells.column(column.name)) for column in columns)
    classes: dict[str, int] = {}
    warnings = [*_of_columns(facts, _marked(cells, columns, table)), *_of_groups(facts, len(rows))]
    if labels is not None:
        learned = labels.rows(rows)
        if not learned.regression:
            counts = np.bincount(learned.labels, minlength=learned.n_classes).tolist()
            classes = dict(zip(learned.classes, counts, strict=True))
            warnings += _of_classes(classes, len(rows))
        warnings += _of_target(cells, columns, learned, table)
    warnings += _of_dates(cells, columns, table)
    return TableCard(
        len(rows),
        table.cells.num_rows - len(rows),
        facts,
        file.target,
        classes,
        tuple(warnings),
        _form(table),
    )


def _form(table: ReadTable) -> str:
    form = table.form
    if form.separator is None:
        return "Parquet"
    names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
    parts = [f"cells separated by {names.get(form.separator, repr(form.separator))}"]
    if form.decimal == ",":
        parts.append("a decimal comma")
    if form.thousands:
        parts.append(f"{form.thousands!r} between thousands")
    if form.encoding not in ("utf-8", "utf-8-sig"):
        parts.append(f"text in {form.encoding}")
    return ", ".join(parts)


def _facts(column: TableColumn, cells: pa.ChunkedArray) -> ColumnFacts:
    counted = cells.drop_null().value_counts()
    order = np.argsort(-counted.field(1).to_numpy(), kind="stable")[:EXAMPLES]
    examples = [str(counted.field(0)[int(place)].as_py()) for place in order]
    shown = tuple(e if len(e) <= LONGEST else f"{e[: LONGEST - 1]}…" for e in examples)
    missing = cells.null_count
    if column.gaps:
        missing += sum(text in column.gaps for text in texts_of(cells).to_pylist())
    return ColumnFacts(column.name, column.kind, missing, len(counted), shown, column.why)


def _marked(cells: pa.Table, columns: Sequence[TableColumn], table: ReadTable) -> dict[str, str]:
    """An example of each column that is almost one of numbers, but for a mark such as "kg"."""
    found = {
        column.name: marked_number(texts_of(cells.column(column.name)), table.form)
        for column in columns
        if column.kind in ("category", "identifier", "text") and column.why != SAID
    }
    return {name: example for name, example in found.items() if example is not None}


def _of_columns(facts: Sequence[ColumnFacts], marked: Mapping[str, str]) -> Iterator[str]:
    for column in facts:
        if column.name in marked:
            yield (
                f"{column.name!r} is of the kind {column.kind}, but nearly all cells are numbers "
                f"with a symbol, such as {marked[column.name]!r}: write only the numbers into the "
                "file to use them as numbers"
            )
        elif column.kind == "identifier":
            yield (
                f"{column.name!r} identifies rows and is not an input ({column.why}): columns = "
                f'{{ "{column.name}" = "category" }} makes it one'
            )
        elif column.kind == "empty":
            yield f"{column.name!r} is empty and is not an input"
        elif column.distinct == 1 and not column.missing:
            yield f"{column.name!r} is the same in every row: drop it"


def _of_groups(facts: Sequence[ColumnFacts], n_rows: int) -> Iterator[str]:
    """Inputs that seem to identify the person or unit that a row belongs to, of several rows."""
    for column in facts:
        repeats = FEWEST_GROUPS <= column.distinct <= n_rows / MEAN_GROUP
        whole = column.kind != "number" or not any("." in one for one in column.examples)
        if column.kind in NO_INPUTS or not repeats or not whole:
            continue
        if GROUP_NAME.match(column.name):
            yield (
                f"{column.name!r} has {column.distinct} different values in {n_rows} rows: if "
                "rows with the same value belong together, keep them on one side of each split "
                f'with split = {{ kind = "group-k-fold", group = "{column.name}" }}, or '
                f"tune --group {column.name}"
            )


def _of_classes(classes: dict[str, int], n_rows: int) -> Iterator[str]:
    rarest = min(classes, key=lambda name: classes[name])
    share = classes[rarest] / n_rows
    if share < RARE:
        yield (
            f"class {rarest!r} has {share:.1%} of the rows: accuracy says little; use "
            "average_precision or balanced_accuracy"
        )


def _of_target(
    cells: pa.Table, columns: Sequence[TableColumn], labels: Examples, table: ReadTable
) -> Iterator[str]:
    """Columns that say what is to be predicted."""
    # A fixed seed: the card of a file is the same whoever asks for it.
    chosen = np.random.default_rng(0).permutation(len(labels.labels))[:LOOKED_AT]
    target = labels.labels[chosen]
    for column in columns:
        if column.kind in (*NO_INPUTS, "text"):
            continue
        own = cells.column(column.name).take(chosen)
        values = encode(column, own, table.form, str(table.path))
        if np.isnan(values).all():
            continue
        if _same(values, target):
            yield f"{column.name!r} duplicates the target: drop it"
        elif (score := _score_alone(values, target, labels.regression)) >= GIVEAWAY:
            what = "R^2" if labels.regression else "balanced accuracy"
            yield (
                f"{column.name!r} alone predicts the target almost perfectly ({what} {score:.3f} "
                "on held-out rows): drop it if it is known only afterwards"
            )


def _same(values: NDArray[np.float64], target: NDArray[Any]) -> bool:
    """Whether each value goes with one target and the other way round."""
    pairs = len({*zip(values.tolist(), target.tolist(), strict=True)})
    distinct = len(np.unique(values))
    return pairs == distinct == len(np.unique(target)) and 1 < distinct < len(values)


def _score_alone(values: NDArray[np.float64], target: NDArray[Any], regression: bool) -> float:
    """What a small tree that knows the column alone reaches on every other row.

    0.0 where that is seen to be less than GIVEAWAY.
    """
    learned, held = slice(0, None, 2), slice(1, None, 2)
    if len(np.unique(target[held])) < 2:
        return 0.0
    if _most_alone(values[held], target[held], regression) < GIVEAWAY - ROUNDING:
        return 0.0
    # Its import takes longer than all else that is done for a card; few tables need it.
    from sklearn.metrics import r2_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    make = DecisionTreeRegressor if regression else DecisionTreeClassifier
    tree = make(max_leaf_nodes=LEAVES, random_state=0)
    predicted = tree.fit(values[learned, None], target[learned]).predict(values[held, None])
    if regression:
        return float(r2_score(target[held], predicted))
    # Balanced accuracy; scikit-learn's own checks take longer than the tree.
    classes, counts = np.unique(target[held], return_counts=True)
    right = target[held][predicted == target[held]]
    return float(np.mean(np.bincount(right, minlength=classes[-1] + 1)[classes] / counts))


def _most_alone(values: NDArray[np.float64], target: NDArray[Any], regression: bool) -> float:
    """At least what any such tree reaches on these rows, whatever it has learned.

    Its leaves cut the values, in their order and gaps after them, into LEAVES intervals at most,
    and it answers alike within each. Of two rows side by side at least one is missed if they
    differ, unless the two are of different intervals: that is so LEAVES - 1 times at most, and
    once more where the gaps begin.
    """
    order = np.argsort(values, kind="stable")  # NaN comes last
    first, second = target[order][: len(order) // 2 * 2].reshape(-1, 2).T
    if regression:
        missed = (first - second) ** 2 / 2  # of the sum of squares, at the best answer to both
        whole = float(np.sum((target - target.mean()) ** 2))
    else:
        classes, places = np.unique(target, return_inverse=True)
        of_row = dict(zip(classes.tolist(), 1 / np.bincount(places), strict=True))
        least = np.minimum([of_row[k] for k in first], [of_row[k] for k in second])
        missed = np.where(first == second, 0.0, least)
        whole = float(len(classes))
    certain = np.sort(missed)[: max(0, len(missed) - LEAVES)].sum()
    return 1 - float(certain) / whole


def _of_dates(cells: pa.Table, columns: Sequence[TableColumn], table: ReadTable) -> Iterator[str]:
    """Columns without a value in any row after a date, or before one."""
    for date in columns:
        if date.kind != "date":
            continue
        times = encode(date, cells.column(date.name), table.form, str(table.path))
        for column in columns:
            gaps = cells.column(column.name).is_null().to_numpy() & ~np.isnan(times)
            known = ~gaps & ~np.isnan(times)
            if column.name == date.name or gaps.sum() < LEAST_UNKNOWN * len(gaps):
                continue
            if not known.any():
                continue
            day = np.datetime64(int(times[known].max()), "s").astype("datetime64[D]")
            if times[gaps].min() > times[known].max():
                yield f"{column.name!r} has no value in any row after {day} ({date.name!r})"
            elif times[gaps].max() < times[known].min():
                day = np.datetime64(int(times[known].min()), "s").astype("datetime64[D]")
                yield f"{column.name!r} has no value in any row before {day} ({date.name!r})"
