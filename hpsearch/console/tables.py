"""Tables of a result: best trials, the front, arms, ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from hpsearch.console.output import fits
from hpsearch.errors import one_line
from hpsearch.records.range_row import RangeRow, branch_text
from hpsearch.records.result import OUTER_FOLD
from hpsearch.value_texts import value_text

if TYPE_CHECKING:
    from hpsearch.records.estimate import Estimate
    from hpsearch.records.result import Result


def trials_table(result: Result) -> Table:
    """The best trials, a column a hyperparameter; in one for all where they are too wide."""
    wide = _trials(result, together=False)
    return wide if fits(wide) else _trials(result, together=True)


def _trials(result: Result, *, together: bool) -> Table:
    table = Table(title=f"Best trials of {result.study}", title_justify="left", box=None)
    names = list(dict.fromkeys(name for entry in result.top for name in entry["params"]))
    others = [*result.objectives][1:]
    misses = ["misses"] * any(entry.get("missed") for entry in result.top)
    for name in ("trial", "epochs", result.objective, "confirmed", *others, *misses):
        table.add_column(name, justify="right", no_wrap=True)
    if together:
        table.add_column("hyperparameters", overflow="fold")
    else:
        for name in names:
            table.add_column(name, justify="right", no_wrap=True)
    for entry in result.top:
        confirmed = entry["confirmed"]
        table.add_row(
            str(entry["number"]),
            str(entry["epochs"]),
            f"{entry['score']:.4f}",
            entry.get("not_confirmed", "") if confirmed is None else f"{confirmed:.4f}",
            *(f"{entry['values'][name]:.5g}" for name in others),
            *(f"{entry['missed']:.1%}" * bool(entry["missed"]) for _ in misses),
            *(_line(entry["params"]) if together else _cells(entry["params"], names)),
            style="bold" if entry["number"] == result.best_number else None,
        )
    return table


def front_table(result: Result) -> Table:
    """The configurations that no other one beats in everything."""
    wide = _front(result, together=False)
    return wide if fits(wide) else _front(result, together=True)


def _front(result: Result, *, together: bool) -> Table:
    title = "Pareto front, means over the confirmation runs (in parentheses: in the search)"
    table = Table(title=title, title_justify="left", box=None)
    names = list(dict.fromkeys(name for member in result.front for name in member.params))
    for name in ("trial", *result.objectives, *([] if together else names)):
        table.add_column(name, justify="right", no_wrap=True)
    if together:
        table.add_column("hyperparameters", overflow="fold")
    for member in result.front:
        searched = {name: f" ({value:.5g})" for name, value in member.searched_values.items()}
        table.add_row(
            str(member.number),
            *(f"{e.mean:.5g}{searched.get(name, '')}" for name, e in member.values.items()),
            *(_line(member.params) if together else _cells(member.params, names)),
            style="bold" if member.number == result.best_number else None,
        )
    return table


def arms_table(result: Result) -> Table:
    """What each compared combination found."""
    title = "Compared cases, each by its winner (confirmed mean and 95 % interval)"
    table = Table(title=title, title_justify="left", box=None)
    metric = result.test_name
    for name in (*result.arms[0].values, "trial", result.objective, metric, "searched"):
        table.add_column(name, justify="left" if name == "searched" else "right", overflow="fold")
    for arm in result.arms:
        searched = ", ".join(f"{k} = {_short(k, v)}" for k, v in arm.searched.items())
        table.add_row(
            *(_short(name, value) for name, value in arm.values.items()),
            "" if arm.best_number is None else str(arm.best_number),
            _interval(arm.validation),
            _interval(arm.test.get(metric)),
            searched or one_line(arm.failure),
            style="bold" if arm.best_number == result.best_number else None,
        )
    return table


def outer_table(result: Result) -> Table:
    """The winner of each outer fold, that of all rows, and how far they agree."""
    assert result.outer is not None
    title = (
        "Outer folds, each tested on rows that its search did not see; all rows: tested on the "
        "test set"
    )
    table = Table(title=title, title_justify="left", box=None)
    metric, agreed = result.test_name, {a.parameter: a for a in result.outer.agreement}
    for name in ("outer fold", "trial", result.objective, metric, *agreed):
        table.add_column(name, justify="right", overflow="fold", no_wrap=name == "trainer")
    for fold in result.outer.folds:
        table.add_row(
            str(fold.values[OUTER_FOLD]),
            str(fold.best_number),
            _interval(fold.validation),
            _interval(fold.test.get(metric)),
            *(_short(name, fold.searched.get(name, "")) for name in agreed),
        )
    winner = (_short(name, result.searched.get(name, "")) for name in agreed)
    scores = _interval(result.validation), _interval(result.test_score)
    table.add_row("all rows", str(result.best_number), *scores, *winner, style="bold")
    table.add_row("agreement", *("",) * 3, *(one.short for one in agreed.values()))
    return table


def _interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    if estimate.low is None or estimate.high is None or estimate.is_constant:
        return f"{estimate.mean:.4f}"
    if estimate.half is not None:  # cut on one side
        return f"{estimate.mean:.4f} ({estimate.low:.4f} … {estimate.high:.4f})"
    return f"{estimate.mean:.4f} ± {estimate.distance:.4f}"


def ranges_table(result: Result) -> Table:
    """The ranges of the winner's branch."""
    table = Table(
        title="Narrowed ranges (soft: draws outside them remain possible)",
        title_justify="left",
        box=None,
    )
    for name in ("parameter", "where", "declared", "narrowed", "left"):
        table.add_column(name, justify="right" if name == "left" else "left", overflow="fold")
    rows = map(RangeRow.from_dict, result.ranges)
    # Of several branches the narrowest, which comes last.
    mine = {row.hyperparameter: row for row in rows if _of_winner(row, result)}
    for name, row in mine.items():
        shared = {key: _text_of(key, value, result) for key, value in row.where.items()}
        texts = _range_texts(row, result)
        table.add_row(name, branch_text(shared), *texts, f"{row.share:.0%}")
    return table


def _of_winner(row: RangeRow, result: Result) -> bool:
    return row.hyperparameter in result.searched and row.holds(result.searched)


def _range_texts(row: RangeRow, result: Result) -> tuple[str, str]:
    """The declared range and what is left of it; of choices, estimators by their class alone."""
    if row.weights is None:
        return row.declared, row.now
    texts = {choice: _text_of(row.hyperparameter, choice, result) for choice in row.weights}
    likeliest = sorted(row.weights.items(), key=lambda item: -item[1])
    left = ", ".join(f"{texts[choice]} {weight:.0%}" for choice, weight in likeliest)
    return ", ".join(texts.values()), left


def _line(params: Mapping[str, object]) -> list[str]:
    """All in one cell, which is broken between words."""
    return [", ".join(f"{name} = {_short(name, value)}" for name, value in params.items())]


def _class(name: str) -> str:
    """An estimator by its class alone, SVC for sklearn.svm.SVC; the winner's line has its path."""
    *path, last = name.split(".")
    return last if path and all(part.isidentifier() for part in (*path, last)) else name


def _cells(params: Mapping[str, object], names: Sequence[str]) -> list[str]:
    return [_short(name, params.get(name, "")) for name in names]


def _short(name: str, value: object) -> str:
    if name == "trainer":
        return _class(str(value))
    return value_text(value, ".4g")


def _text_of(name: str, value: str, result: Result) -> str:
    """A stored text of a value: true where a switch has "True"."""
    is_switch = isinstance(result.searched.get(name), bool) and value in ("True", "False")
    return value.lower() if is_switch else _class(value)
