"""How a parameter's range narrowed: a line of the audit, in decisions and results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class RangeRow:
    """How one parameter narrowed in one branch up to the end of a stage.

    Attributes:
        parameter: its name in Optuna: "learning_rate", or "learning_rate[0]" of a list of ranges.
        branch: `where` as text, "trainer=sgd, shots=5"; "" for all trials.
        declared, before, now: a range "low … high", or choices with their probabilities.
        low, high: the range now; None for choices.
        share: part of the declared (log) range, or of the choices, that is left.
        survivors: the trials that set it, best first.
        weights: the choices' probabilities now, in the declared order; None for a range.
        discarded, reopened: part of the declared (log) range, or probability, that this step took
            away, and that it gave back.
        reopened_by: survivors beyond all those of the step before, for whom it was given back.
        edges: "low", "high": declared ends that the survivors are piled up at.
        alarms: what to do about them, a line each.
        where: the compared and categorical values that the survivors share, as texts.
        key: the hyperparameter that it is a range of, where that has a list of them; else "".
        when: the values, as texts, under which this one of the list is drawn.
    """

    stage: int
    parameter: str
    branch: str
    declared: str
    before: str
    now: str
    low: float | None
    high: float | None
    share: float
    survivors: list[int]
    weights: dict[str, float] | None = None
    discarded: float = 0.0
    reopened: float = 0.0
    reopened_by: list[int] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    where: dict[str, str] = field(default_factory=dict)
    key: str = ""
    when: dict[str, list[str]] = field(default_factory=dict)

    @property
    def hyperparameter(self) -> str:
        """What a trial calls it."""
        return self.key or self.parameter

    def holds(self, params: Mapping[str, Any]) -> bool:
        """Whether a configuration with these compared and searched values lies in its branch, and
        draws its range."""
        asked = {name: [value] for name, value in self.where.items()}
        return all(
            name in params and str(params[name]) in values
            for name, values in [*asked.items(), *self.when.items()]
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `key` and `when` of a list of ranges alone."""
        row = asdict(self)
        return row if self.key else {k: v for k, v in row.items() if k not in ("key", "when")}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> RangeRow:
        """The inverse of `as_dict`; before format 1 a row had its branch as text alone."""
        return cls(**{"where": _where(row["branch"]), **row})


def branch_text(where: Mapping[str, str]) -> str:
    """A branch as tables and records name it."""
    return ", ".join(f"{name}={value}" for name, value in where.items())


def _where(branch: str) -> dict[str, str]:
    parts = (part.partition("=") for part in branch.split(", ") if part)
    return {name: value for name, _, value in parts}
