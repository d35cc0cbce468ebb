"""Warnings of libraries that a user's own code calls: each once in the terminal, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hpsearch.counts import count_of
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.events import Event, LibraryWarned

WARNINGS = "warnings"  # of the file: the text of a warning -> uids of the records that have it
SHOWN = 5  # different texts; a text with a number in it differs each time
KEPT = 100  # likewise, in the file


@dataclass
class LibraryWarnings:
    """The warnings of a run. Each is in log.txt of the record in whose training it came.

    Args:
        tell: called with each that is new, as long as there are few.
    """

    folder: RunFolder
    tell: Callable[[Event], None]
    _records: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._records = {text: set(uids) for text, uids in _read(self.folder).items()}

    def take(self, record: TrialRecord, texts: Iterable[str]) -> None:
        """Count what a slice of a record warned of, and write the counts if they have changed."""
        changed = False
        for text in texts:
            if text not in self._records:
                if len(self._records) >= KEPT:
                    continue
                if len(self._records) < SHOWN:
                    log = self.folder.files.record(record.kind, record.number, record.seed_number)
                    self.tell(LibraryWarned(text, str(log.log)))
            uids = self._records.setdefault(text, set())
            changed |= record.uid not in uids
            uids.add(record.uid)
        if changed:
            content = {text: sorted(uids) for text, uids in self._records.items()}
            self.folder.write_sealed(self.folder.files.library_warnings, {WARNINGS: content})


def library_warnings(folder: RunFolder) -> list[str]:
    """What libraries warned of in a run, a line each, the most frequent first."""
    found = sorted(_read(folder).items(), key=lambda item: -len(item[1]))
    lines = [
        f"{text} (in log.txt of {count_of(len(uids), 'run')})" for text, uids in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        least = "at least " if len(found) >= KEPT else ""
        more = count_of(len(found) - SHOWN, "more warning")
        lines.append(f"{least}{more} of libraries, in log.txt of the runs")
    return lines


def _read(folder: RunFolder) -> dict[str, list[str]]:
    content = folder.read_sealed(folder.files.library_warnings, WARNINGS) or {WARNINGS: {}}
    return {text: [str(uid) for uid in uids] for text, uids in content[WARNINGS].items()}
