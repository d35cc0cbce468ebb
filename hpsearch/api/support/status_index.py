"""What was found of the runs of a home, kept beside them, so that they need not be read again."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from hpsearch.errors import StorageError
from hpsearch.records.layout import Home, RunFiles
from hpsearch.records.stamps import Stamp, is_young, stamps_of
from hpsearch.records.whole_files import write_whole

FORMAT = 1  # raised with every change of what a row says: rows of others are read anew
Row = dict[str, Any]


@dataclass
class StatusIndex:
    """The rows of runs that nobody ran when they were read, with the stamps of what was read.

    An index that is stale, damaged or can't be written costs time and nothing else.
    """

    home: Home
    _known: dict[str, tuple[list[list[int]], Row]] = field(default_factory=dict)
    _is_changed: bool = field(default=False, init=False)

    @classmethod
    def of(cls, home: Home) -> Self:
        """That of a home; an empty one where there is none that can be read."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            said = json.loads(home.status_index.read_bytes())
            if said["format"] == FORMAT:
                return cls(
                    home, {key: (stamps, row) for key, (stamps, row) in said["rows"].items()}
                )
        return cls(home)

    def row(self, files: RunFiles) -> Row | None:
        """What is known of a run; None where its records have changed since, or nothing is."""
        kept = self._known.get(_key(files))
        return kept[1] if kept and kept[0] == _listed(stamps_of(files)) else None

    def keep(self, files: RunFiles, stamps: tuple[Stamp, ...], row: Row) -> None:
        """Keep what was read of a run.

        Args:
            stamps: from before it was read.
        """
        if not is_young(stamps, time.time()):
            self._known[_key(files)] = (_listed(stamps), row)
            self._is_changed = True

    def write(self) -> None:
        """Write it where a row was kept; where that can't be, the next reader reads again."""
        if not self._is_changed:
            return
        known = {key: kept for key, kept in self._known.items() if self._is_there(key)}
        content = json.dumps({"format": FORMAT, "rows": known}).encode()
        with suppress(StorageError):
            write_whole(self.home.status_index, content)

    def _is_there(self, key: str) -> bool:
        return (self.home.studies / key).is_dir()


def _listed(stamps: tuple[Stamp, ...]) -> list[list[int]]:
    """As JSON gives them back."""
    return [list(stamp) for stamp in stamps]


def _key(files: RunFiles) -> str:
    return f"{files.path.parent.name}/{files.path.name}"
