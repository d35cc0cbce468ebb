"""What is said of estimates: their intervals with their kind, their level, what they are over."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hpsearch.records.estimate import Estimate
from hpsearch.reports.methods.passage import BY_DEFINITION, Fact, Parts, listed, say
from hpsearch.reports.methods.places import SCORE, Branch
from hpsearch.reports.methods.words import cite, counted

LEVEL = Fact("95 %", BY_DEFINITION)


def estimate_words(estimate: Estimate, at: Branch) -> Parts:
    """An estimate: "0.953 (95 % t interval from 0.944 to 0.962 over 5 seeds)".

    Args:
        at: its place.
    """
    if estimate.low is None:
        return (at.fact("mean", form=SCORE),)
    over = counted(at.how_many("values"), estimate.over.removesuffix("s"), estimate.over)
    if estimate.is_constant:
        return say("{mean} (the same for all {over})", mean=at.fact("mean", form=SCORE), over=over)
    rows = say(" and {rows}", rows=counted(at.fact("rows"), "test row")) if estimate.rows else ()
    return say(
        "{mean} ({level} {method} from {low} to {high}{cut} over {over}{rows})",
        level=LEVEL,
        method=estimate.method,
        cut="" if estimate.half is None else ", cut to the metric's range,",
        over=over,
        rows=rows,
        mean=at.fact("mean", form=SCORE),
        **_ends(estimate, at),
    )


def estimate_cell(estimate: Estimate | None, at: Branch) -> Parts:
    """The same for a cell of a table: "0.953 (0.944 to 0.962)"; () where there is none."""
    if estimate is None:
        return ()
    mean = at.fact("mean", form=SCORE)
    if estimate.low is None or estimate.is_constant:
        return (mean,)
    return say("{mean} ({low} to {high})", mean=mean, **_ends(estimate, at))


def _ends(estimate: Estimate, at: Branch) -> dict[str, Fact]:
    """The ends of an interval by name; the end of a metric's range is in no older record."""
    found = {name: at.fact(name, form=SCORE) for name in ("low", "high")}
    for name, end in (("low", estimate.low), ("high", estimate.high)):
        if estimate.half is None or end is None:
            continue
        if not math.isclose(abs(end - estimate.mean), estimate.half):
            found[name] = Fact(found[name].text, BY_DEFINITION)
    return found


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
