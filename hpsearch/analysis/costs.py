"""What a run took: trainings, epochs, and time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.records.trial_record import TrialRecord


@dataclass(frozen=True)
class Cost:
    """What a run took, all of it: search, confirmation, refits.

    Attributes:
        trainings: of members, a fold and a seed each.
        epochs: of all of them.
        cpu_seconds: of their training.
        wall_seconds: during which at least one of them was trained; None: not known, as in
            records of older versions.
    """

    trainings: int
    epochs: int
    cpu_seconds: float
    wall_seconds: float | None


def cost_of(records: Iterable[TrialRecord], slices: Sequence[Mapping[str, Any]]) -> Cost:
    """The cost of a run.

    Args:
        records: of all kinds.
        slices: as RunFolder.read_slices gives them.
    """
    trainings = epochs = 0
    cpu = 0.0
    for record in records:
        trainings += sum(member.epoch > record.before for member in record.members)
        epochs += sum(member.epoch - record.before for member in record.members)
        cpu += record.cpu_seconds
    return Cost(trainings, epochs, cpu, busy_seconds(slices) if slices else None)


def busy_seconds(slices: Iterable[Mapping[str, Any]]) -> float:
    """How long at least one slice was trained: overlaps count once, breaks not at all."""
    spans = sorted((line["began"], line["began"] + line["seconds"]) for line in slices)
    total, until = 0.0, float("-inf")
    for began, ended in spans:
        total += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return total


def duration(seconds: float) -> str:
    """A time as people read it: "0.4 s", "80 s", "12 min", "3 h 5 min"."""
    if seconds < 120:
        return f"{seconds:.{1 if seconds < 10 else 0}f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
