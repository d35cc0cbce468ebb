"""The way from the defaults to the winner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from hpsearch.counts import count_of
from hpsearch.value_texts import value_text

if TYPE_CHECKING:
    from hpsearch.api.explain import Explanation


def started_text(configurations: int, trainings: int) -> str:
    """What will be run."""
    if not configurations:
        return "nothing to run: the winner is one step from the defaults"
    between = f"{count_of(configurations, 'configuration')} between the defaults and the winner"
    return f"{between}: {count_of(trainings, 'training')}"


def explained_table(found: Explanation) -> Table:
    """A row a step."""
    title = f"From the defaults to the winner of {found.study}"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("parameter", "default", "winner", found.objective, "gain (95 % interval)", ""):
        numeric = name in (found.objective, "default", "winner")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for step in found.steps:
        table.add_row(
            ", ".join(step.changed),
            ", ".join(_short(step.before.get(name, "-")) for name in step.changed),
            ", ".join(_short(value) for value in step.changed.values()),
            "" if step.score is None else f"{step.score.mean:.4f}",
            "" if step.gain is None else step.gain.signed,
            step.verdict,
            style="bold" if step.verdict == "matters" else None,
        )
    return table


def _short(value: Any) -> str:
    return value_text(value, ".4g")
