"""What is said of estimates: their intervals with their kind, their level, what they are over."""

from __future__ import annotations

from collections.abc import Sequence

from hpsearch.records.result import Estimate
from hpsearch.reports.methods.passage import BY_DEFINITION, Fact, Parts, listed, say
from hpsearch.reports.methods.places import Key, Places
from hpsearch.reports.methods.words import cite

LEVEL = Fact("95 %", BY_DEFINITION)


def estimate_words(places: Places, estimate: Estimate, *key: Key) -> Parts:
    """An estimate of the result: "0.953 (95 % t interval from 0.944 to 0.962 over 5 seeds)".

    Args:
        key: its place in the result.
    """
    mean, *ends = places.estimate(*key)
    over = say("{n} {over}", n=places.n_results(*key, "values"), over=estimate.over)
    if not ends:
        return (mean,)
    if estimate.is_constant:
        return say("{mean} (the same for all {over})", mean=mean, over=over)
    rows: Parts = ()
    if estimate.rows:
        rows = say(" and {rows} test rows", rows=places.of_result(*key, "rows"))
    return say(
        "{mean} ({level} {method} from {low} to {high} over {over}{rows})",
        mean=mean,
        level=LEVEL,
        method=estimate.method,
        low=ends[0],
        high=ends[1],
        over=over,
        rows=rows,
    )


def estimate_cell(places: Places, estimate: Estimate | None, *key: Key) -> Parts:
    """The same for a cell of a table: "0.953 (0.944 to 0.962)"; () where there is none."""
    if estimate is None:
        return ()
    mean, *ends = places.estimate(*key)
    if not ends or estimate.is_constant:
        return (mean,)
    return say("{mean} ({low} to {high})", mean=mean, low=ends[0], high=ends[1])


def kinds_of(estimates: Sequence[Estimate]) -> Parts:
    """What a caption says of the intervals in its table; () where none has one."""
    kinds = {(e.method, e.over): e for e in estimates if e.low is not None and not e.is_constant}
    said = [
        say(
            "{method} over {over}{source}",
            method=method,
            over=over,
            source=cite("interval", method),
        )
        for method, over in kinds
    ]
    return (
        say(" with {level} intervals ({kinds})", level=LEVEL, kinds=listed(said)) if said else ()
    )
