"""Checks of paired differences: between tuned cases, or between trials of the search.

`of` and `than` are hyperparameters with their values, e.g. {trainer = "adam"} and
{trainer = "sgd"}.

`better_tuned` is about the winners of two compared cases: repeats of the confirmation, or refits,
form the pairs, with the interval of the study's result.

All others are about trials of the search. Runs that differ only in `of` and `than` form a pair;
their random numbers are the same with `random_streams = "legacy"`, and separate for each trial
otherwise. Intervals are 95 % t intervals over seeds, of the mean of all pairs of a seed. With
fewer than 3 seeds they are taken over pairs, which then depend on one or two seeds; the detail
says so.

If a study makes several such claims, a verdict must also pass Holm's test over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # scipy.stats takes half a second to load

from hpsearch.claims.evidence import Evidence, Judgement, Verdict
from hpsearch.counts import count_of
from hpsearch.records.outcome import Outcome

Values = Mapping[str, Any]
Noun = tuple[str, str]
PAIRS: Noun = ("pair of trials", "pairs of trials")
GROUPS: Noun = ("group of pairs", "groups of pairs")
FEW_SEEDS = 3  # with fewer, an interval over seeds says nothing
HINT = (
    "this check compares search trials with otherwise equal hyperparameters; to compare the tuned "
    'cases, use check = "better_tuned"'
)
NOT_SETTINGS = ("kind", "trial", "seed", "split", "outcome", "epochs", "printed")


def better_tuned(
    evidence: Evidence, metric: str, of: Values, than: Values, where: Values | None = None
) -> Verdict:
    """Whether the tuned winner of one case is better than that of another.

    Args:
        metric: an objective, on validation data, or a metric of the test set.
        where: the values of the other compared hyperparameters.
    """
    found = evidence.tuned_difference(metric, of, than, where)
    assert evidence.tuned is not None
    one, other = (evidence.tuned.case({**(where or {}), **values}) for values in (of, than))
    said = (
        f"{metric} of the tuned {one.name} (trial {one.best_number}) minus that of "
        f"{other.name} (trial {other.best_number}): {found.text}"
    )
    judgements: Mapping[int, Judgement] = {1: "holds", -1: "does not hold", 0: "not shown"}
    return Verdict(judgements[found.judgement], said, p=found.p)


def higher(
    evidence: Evidence, metric: str, of: Values, than: Values, where: Values | None = None
) -> Verdict:
    """Whether a metric of trials is higher with one setting than with another.

    Args:
        metric: a column of Evidence.runs, e.g. "best/validation_accuracy".
        where: only runs with these hyperparameters.
    """
    pairs = _pairs(evidence, metric, of, than, where or {})
    return _with_hint(_sign(pairs, 1), pairs, evidence, of, than)


def lower(
    evidence: Evidence, metric: str, of: Values, than: Values, where: Values | None = None
) -> Verdict:
    """Whether a metric of trials is lower with one setting than with another, as `higher`."""
    pairs = _pairs(evidence, metric, of, than, where or {})
    return _with_hint(_sign(pairs, -1), pairs, evidence, of, than)


def alike(
    evidence: Evidence,
    metric: str,
    of: Values,
    than: Values,
    margin: float,
    where: Values | None = None,
) -> Verdict:
    """Whether two settings differ by less than a margin, in the metric's unit, either way."""
    pairs = _pairs(evidence, metric, of, than, where or {})
    verdict = _nothing()
    if not pairs.empty:
        mean, half, _ = _interval(pairs)
        inside = abs(mean) + half <= margin
        outside = abs(mean) - half > margin
        judgement: Judgement = "holds" if inside else "does not hold" if outside else "not shown"
        verdict = Verdict(judgement, f"{_text(pairs)}; margin {margin:g}")
    return _with_hint(verdict, pairs, evidence, of, than)


def gap(
    evidence: Evidence,
    metric: str,
    of: Values,
    than: Values,
    by: str,
    expect: Literal["grows", "shrinks"],
    where: Values | None = None,
) -> Verdict:
    """Whether the lead of one setting over another grows, or shrinks, with a third.

    The slope of the difference over the levels of `by` in their order, in every group of pairs
    that differ only in `by`.
    """
    if expect not in ("grows", "shrinks"):
        raise ValueError(f"expect must be grows or shrinks, got {expect!r}")
    pairs = _pairs(evidence, metric, of, than, where or {})
    if by not in pairs or pairs[by].nunique() < 2:
        return _with_hint(_nothing(), pairs, evidence, of, than)
    pairs = pairs.assign(level=pairs[by].rank(method="dense"))
    keys = [c for c in pairs.columns if c not in (by, "level", "difference", "a", "b")]
    rows = [
        {**dict(zip(keys, values, strict=True)), "difference": _slope(group)}
        for values, group in pairs.groupby(keys, dropna=False)
    ]
    slopes = pd.DataFrame(rows, columns=[*keys, "difference"]).dropna(subset="difference")
    if slopes.empty:
        return _nothing()
    levels = pairs.groupby(by)["difference"].mean()
    listed = ", ".join(f"{mean:+.4f} at {level}" for level, mean in levels.items())
    verdict = _sign(slopes, 1 if expect == "grows" else -1, GROUPS)
    said = f"mean lead {listed}; slope per level: {verdict.detail}"
    return _with_hint(replace(verdict, detail=said), pairs, evidence, of, than)


def _pairs(
    evidence: Evidence, metric: str, of: Values, than: Values, where: Values
) -> pd.DataFrame:
    """A row per pair: what its runs share, seed, and `difference` of the metric."""
    runs = evidence.runs
    for name in (metric, *of, *than, *where):
        if name not in runs:
            raise ValueError(f"{name} must be a metric or hyperparameter of the runs, is none")
    runs = runs[(runs["kind"] == "trial") & (runs["outcome"] == Outcome.COMPLETE)]
    runs = _having(runs, where).dropna(subset=metric)
    settings = [c for c in runs.columns if c not in NOT_SETTINGS]
    scores = set(evidence.curves.columns) | {f"best/{c}" for c in evidence.curves.columns}
    apart = {*of, *than}
    shared = [c for c in settings if c not in scores and c not in apart]
    # Columns that only one side has, e.g. the settings of one trainer, can't be shared.
    first, second = _having(runs, of), _having(runs, than)
    shared = [c for c in shared if first[c].notna().any() and second[c].notna().any()]
    keys = ["seed", "split", *shared]
    both = first[[*keys, metric]].merge(second[[*keys, metric]], on=keys, suffixes=("_a", "_b"))
    pairs = both.rename(columns={f"{metric}_a": "a", f"{metric}_b": "b"})
    return pairs.assign(difference=pairs["a"] - pairs["b"])


def _having(runs: pd.DataFrame, values: Values) -> pd.DataFrame:
    for name, value in values.items():
        wanted = value if isinstance(value, list) else [value]
        runs = runs[runs[name].isin(wanted)] if name in runs else runs.iloc[:0]
    return runs


def _with_hint(
    verdict: Verdict, pairs: pd.DataFrame, evidence: Evidence, of: Values, than: Values
) -> Verdict:
    """A verdict on what the study compares: that its pairs are not the tuned cases, where they
    are not of several seeds."""
    compared = evidence.tuned.compared if evidence.tuned else ()
    about_cases = any(name in compared for name in (*of, *than))
    few = pairs.empty or pairs["seed"].nunique() < FEW_SEEDS
    return replace(verdict, hint=HINT) if about_cases and few else verdict


def _interval(pairs: pd.DataFrame, each: Noun = PAIRS) -> tuple[float, float, str]:
    """Mean difference, half of its 95 % interval, and what the interval is over.

    Args:
        each: what a row is, in the singular and the plural.
    """
    values, n_seeds = _values(pairs), pairs["seed"].nunique()
    over = count_of(n_seeds, "seed")
    if n_seeds < FEW_SEEDS:
        over = f"{count_of(len(values), *each)} with {over}"
    if len(values) < 2:
        return float(values.mean()), np.inf, over
    half = stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(half), over


def _values(pairs: pd.DataFrame) -> NDArray[np.float64]:
    """A mean difference per seed; with few seeds, a difference per pair."""
    seeds = pairs.groupby("seed")["difference"].mean()
    of_seeds = len(seeds) >= FEW_SEEDS
    values: NDArray[np.float64] = (seeds if of_seeds else pairs["difference"]).to_numpy()
    return values


def _text(pairs: pd.DataFrame, each: Noun = PAIRS) -> str:
    mean, half, over = _interval(pairs, each)
    d = pairs["difference"].to_numpy()
    counts = f"{(d > 0).sum()} higher, {(d == 0).sum()} equal, {(d < 0).sum()} lower"
    return f"mean difference {mean:+.5f} ± {half:.5f} (95 %, over {over}); {counts}"


def _sign(pairs: pd.DataFrame, wanted: int, each: Noun = PAIRS) -> Verdict:
    if pairs.empty:
        return _nothing()
    mean, half, _ = _interval(pairs)
    p = _p_value(pairs)
    if wanted * mean - half > 0:
        return Verdict("holds", _text(pairs, each), p=p)
    opposite = wanted * mean + half < 0
    return Verdict("does not hold" if opposite else "not shown", _text(pairs, each), p=p)


def _p_value(pairs: pd.DataFrame) -> float | None:
    """The p-value of a two-sided t test on the interval's values; None for a single value."""
    values = _values(pairs)
    if len(values) < 2:
        return None
    error = values.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        return 1.0 if values.mean() == 0 else 0.0
    return float(2 * stdtr(len(values) - 1, -abs(values.mean()) / error))


def _nothing() -> Verdict:
    return Verdict("not shown", "no runs to compare")


def _slope(pairs: pd.DataFrame) -> float:
    """Of the differences over the levels; nan of a single one."""
    if len(pairs) < 2:
        return math.nan
    return float(np.polyfit(pairs["level"], pairs["difference"], 1)[0])
