"""Scores that count instead of those in records of earlier chapters, whose objective was another.

The records stay as they are. rescored/scores.json of a run, or of one of its chapters, has for
each of them what its curves say of the chapter's own objective.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hpsearch.records.sealed import read_sealed, write_sealed
from hpsearch.records.trial_record import TrialRecord

FIELDS = ("scores", "violations")  # numbers of epochs, which are keys, are texts in JSON


@dataclass(frozen=True)
class Rescored:
    """What counts instead.

    Attributes:
        chapter: the one whose objective it is.
        objective: its name.
        records: by uid, {scores, violations} by epochs.
    """

    chapter: int
    objective: str
    records: Mapping[str, Mapping[str, Mapping[str, Any]]]

    def of(self, record: TrialRecord) -> TrialRecord:
        """A record as it counts in the chapter; it is marked, and must not be written."""
        found = self.records.get(record.uid)
        if found is None:
            return record
        scores, violations = (
            {int(epochs): value for epochs, value in found[name].items()} for name in FIELDS
        )
        return replace(record, scores=scores, violations=violations, rescored=self.objective)

    def write(self, path: Path) -> None:
        """Keep it.

        Raises:
            StorageError: the disk is full or read-only.
        """
        write_sealed(path, vars(self))


def read_rescored(path: Path) -> Rescored | None:
    """The inverse of `Rescored.write`; None where there is no file.

    Raises:
        DamagedError: it is not what was written.
    """
    found = read_sealed(path, "chapter", "objective", "records")
    return None if found is None else Rescored(**found)
