"""What the doctor found: a line for each kind of finding and study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpsearch.console.output import output
from hpsearch.counts import count_of

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 3  # of each kind that are named
TOGETHER = ["place", "study", "kind", "repairable", "repaired"]  # by which findings are one line


def print_findings(found: pd.DataFrame, *, every: bool = False) -> None:
    """The findings on stdout, grouped by kind and study, or every one.

    Args:
        found: as `doctor` returns it.
    """
    if every:
        for row in found.to_dict("records"):
            _put(f"{row['place']}  {row['subject']}: {row['problem']}")
            _put(f"    {_remedy(row)}")
        return
    for _, group in found.groupby(TOGETHER, sort=False):
        for line in _lines(group):
            _put(line)


def _lines(group: pd.DataFrame) -> list[str]:
    """What is said of findings of one kind."""
    rows = group.to_dict("records")
    first, n = rows[0], len(rows)
    if n == 1:
        head = f"{first['place']}  {first['subject']}: {first['problem']}"
        return [head, f"    {_remedy(first)}"]
    head = f"{first['place']}  {first['study']}".rstrip() + f": {n} times: {first['kind']}"
    more = [f"and {n - EXAMPLES} more"] if n > EXAMPLES else []
    if first["kind"] == first["problem"]:
        examples = [", ".join([*(str(row["subject"]) for row in rows[:EXAMPLES]), *more])]
    else:
        examples = [*(f"{row['subject']}: {row['problem']}" for row in rows[:EXAMPLES]), *more]
    return [head, *(f"    {line}" for line in (*examples, _remedy(first)))]


def _remedy(row: dict[Any, Any]) -> str:
    return f"repaired: {row['remedy']}" if row["repaired"] else f"remedy: {row['remedy']}"


def _put(line: str) -> None:
    output().print(line, soft_wrap=True)


def conclusion(found: pd.DataFrame, *, every: bool = False) -> str:
    """The last line: how many findings there are, and what to do."""
    if found.empty:
        return "no differences"
    left = found[~found["repaired"].astype(bool)]
    n, repaired = len(found), len(found) - len(left)
    kinds = len(found.drop_duplicates(TOGETHER))
    head = count_of(n, "finding")
    head += f" in {kinds} groups" if n > kinds > 1 else ""
    head += f", {repaired} repaired" if repaired else ""
    said = []
    by_tool = int(left["repairable"].sum())
    if by_tool:
        said.append(f"`python -m hpsearch doctor --repair` repairs {by_tool}")
    if by_tool < len(left):
        said.append(f"{len(left) - by_tool} to be done by hand, as said above")
    if n > kinds and not every:
        said.append("--all names each")
    return "; ".join([head, *said])
