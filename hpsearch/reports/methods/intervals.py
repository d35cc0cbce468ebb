"""What the intervals of estimates are called: their kind, their level, what they are over."""

from __future__ import annotations

from collections.abc import Sequence

from hpsearch.records.result import Estimate
from hpsearch.reports.methods.passage import BY_DEFINITION, Fact, Parts, say
from hpsearch.reports.methods.places import Key, Places, same_on_all
from hpsearch.reports.methods.words import cite

LEVEL = Fact("95 %", BY_DEFINITION)
# By kind, as references.CITED has them under "interval".
KINDS = {"t": "t interval"}


def kind_of(estimate: Estimate) -> str:
    """The kind of an estimate's interval: all are t intervals over seeds."""
    return "t"


def estimate_words(places: Places, estimate: Estimate, *key: Key) -> Parts:
    """An estimate of the result: "0.953 (95 % t interval from 0.944 to 0.962, 5 seeds)".

    Args:
        key: its place in the result.
    """
    mean, *ends = places.estimate(*key)
    if not ends:
        return (mean,)
    seeds = places.n_results(*key, "values")
    if same_on_all(estimate):
        return say("{mean} (the same for all {seeds} seeds)", mean=mean, seeds=seeds)
    return say(
        "{mean} ({level} {kind} from {low} to {high}, {seeds} seeds)",
        mean=mean,
        level=LEVEL,
        kind=KINDS[kind_of(estimate)],
        low=ends[0],
        high=ends[1],
        seeds=seeds,
    )


def estimate_cell(places: Places, estimate: Estimate | None, *key: Key) -> Parts:
    """The same for a cell of a table: "0.953 (0.944 to 0.962)"; () where there is none."""
    if estimate is None:
        return ()
    mean, *ends = places.estimate(*key)
    if not ends or same_on_all(estimate):
        return (mean,)
    return say("{mean} ({low} to {high})", mean=mean, low=ends[0], high=ends[1])


def named(estimates: Sequence[Estimate]) -> Parts:
    """What a caption says of the intervals in its table; () where none has one."""
    kinds = [kind_of(one) for one in estimates if one.low is not None and not same_on_all(one)]
    different = list(dict.fromkeys(kinds))
    if not different:
        return ()
    words = " or ".join(f"{KINDS[kind]}s" for kind in different)
    return say(
        " with {level} {words}{source} over fresh seeds",
        level=LEVEL,
        words=words,
        source=cite("interval", *different),
    )
