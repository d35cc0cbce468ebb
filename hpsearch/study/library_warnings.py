"""Warnings of libraries that a user's own code calls: each once in the terminal, then counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.events import Event, LibraryWarned

WARNINGS = "warnings"  # of the file: text -> {"times": n, "records": uids}
SHOWN = 5  # different ones; a text with a number in it differs each time
KEPT = 100


@dataclass
class LibraryWarnings:
    """The warnings of a run. Each stands whole in log.txt of the record in whose training it was.

    Args:
        tell: called with each that is new, as long as there are few.
    """

    folder: RunFolder
    tell: Callable[[Event], None]
    _times: dict[str, int] = field(default_factory=dict)
    _records: dict[str, set[str]] = field(default_factory=dict)
    _unsaved: bool = False

    def __post_init__(self) -> None:
        for text, times, records in _read(self.folder):
            self._times[text], self._records[text] = times, set(records)

    def take(self, record: TrialRecord, texts: Iterable[str]) -> None:
        """Count what a slice of a record warned of."""
        for text in texts:
            if text not in self._times:
                if len(self._times) >= KEPT:
                    continue
                if len(self._times) < SHOWN:
                    self.tell(LibraryWarned(text, record.number))
            self._times[text] = self._times.get(text, 0) + 1
            self._records.setdefault(text, set()).add(record.uid)
            self._unsaved = True

    def keep(self) -> None:
        """Write the counts, if there are new ones."""
        if self._unsaved:
            told = {
                text: {"times": times, "records": sorted(self._records[text])}
                for text, times in self._times.items()
            }
            self.folder.write_sealed(self.folder.files.library_warnings, {WARNINGS: told})
            self._unsaved = False


def library_warnings(folder: RunFolder) -> list[str]:
    """What libraries warned of in a run, a line each, the most frequent first."""
    counted = sorted(_read(folder), key=lambda one: -one[1])
    lines = [f"{text} ({_often(times, len(records))})" for text, times, records in counted[:SHOWN]]
    left = len(counted) - len(lines)
    return lines + (
        [f"and {left} more warnings of libraries, in log.txt of each trial"] * (left > 0)
    )


def _often(times: int, n_records: int) -> str:
    where = "its log.txt" if n_records == 1 else f"log.txt of {n_records} runs"
    return f"once, in {where}" if times == 1 else f"{times:,} times, in {where}"


def _read(folder: RunFolder) -> Iterator[tuple[str, int, list[str]]]:
    kept = folder.read_sealed(folder.files.library_warnings, WARNINGS)
    for text, one in (kept[WARNINGS] if kept else {}).items():
        yield text, int(one["times"]), [str(uid) for uid in one["records"]]
