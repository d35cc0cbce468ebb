"""What is known of the studies of a home, brought up to date at every look.

A look reads only what changed since the last one, the newest first, and for no longer than it is
told to: a page of 500 studies is there at once, and says of which nothing was read yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from hpsearch.pages.study_row import Link, StudyRow, study_row
from hpsearch.pages.wording import moment
from hpsearch.records.layout import Home, Kind, RunFiles
from hpsearch.records.rescored import read_rescored
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.run_lock import running
from hpsearch.records.stamps import Stamp, is_young, stamp_of, stamps_of
from hpsearch.records.trial_record import TrialRecord, read_record
from hpsearch.study.recorded import Recorded

LOOK_SECONDS = 0.3  # that a look reads for at most, where it is not told; the next one goes on
ESTIMATE_SECONDS = 15.0  # after which the time left is estimated again, though nothing changed
Seen = tuple[int, str | None, tuple[Stamp, ...]]  # runs before it, who runs it, its files
FindLinks = Callable[[RunFolder, StudyRow], Sequence[Link]]


@dataclass(frozen=True)
class Shown:
    """A row, and the revision of the board that it changed in."""

    row: StudyRow
    revision: int


@dataclass(frozen=True)
class Look:
    """The board at one moment.

    Attributes:
        revision: of the whole board; it grows with every change.
        rows: those that run first, then the newest first.
        unread: how many of them are not read yet.
    """

    revision: int
    rows: Sequence[Shown]
    unread: int


@dataclass(frozen=True)
class _Found:
    """A run that is to be shown.

    Attributes:
        earlier: how many runs of the study came before it.
        holder: who runs it; None: nobody.
    """

    files: RunFiles
    earlier: int
    holder: str | None

    @property
    def unread(self) -> StudyRow:
        """Its row as long as nothing was read."""
        changed = moment(_changed(self.files))
        name, number = self.files.study.name, self.files.number
        return StudyRow(name, number, "reading", changed, self.earlier)


@dataclass
class _Kept:
    """Of one run: what its row was made from."""

    row: StudyRow
    revision: int
    seen: Seen | None = None
    read: float = 0.0
    records: dict[Path, tuple[Stamp, TrialRecord]] = field(default_factory=dict)


class Board:
    """The studies of a home. Locks nothing there, and may be asked from several threads.

    Args:
        find_links: the ways on from a run.
    """

    def __init__(self, home: Home, find_links: FindLinks) -> None:
        self.home = home
        self._find_links = find_links
        self._kept: dict[Path, _Kept] = {}
        self._revision = 0
        self._lock = Lock()

    def look(self, study: str | None = None, *, seconds: float = LOOK_SECONDS) -> Look:
        """The newest run of every study, or all runs of one.

        Where somebody else reads at this moment, nothing is read, and what is known is given.

        Args:
            seconds: that it reads for at most; one run it reads in any case.
        """
        found = self._found(study)
        if self._lock.acquire(blocking=False):
            try:
                self._forget_deleted({one.files.path for one in found})
                self._read_changed(found, seconds)
            finally:
                self._lock.release()
        revision = self._revision  # first: what changes from here on is told of the next time
        kept = [self._kept.get(one.files.path) for one in found]
        rows = [
            Shown(known.row, known.revision) if known else Shown(one.unread, revision)
            for one, known in zip(found, kept, strict=True)
        ]
        rows.sort(key=lambda one: (one.row.study, -one.row.run))
        rows.sort(key=_newest_first)
        unread = sum(one.row.state == "reading" for one in rows)
        return Look(revision, rows, unread)

    def run(self, study: str, number: int | None = None) -> RunFolder | None:
        """The folder of a run, the newest one where no number is given; None: there is none."""
        for files in self.home.all_studies():  # the name comes from outside: no path is made of it
            if files.name == study:
                numbers = files.numbers()
                if number is None and numbers:
                    return RunFolder(files.run(numbers[-1]).path)
                return RunFolder(files.run(number).path) if number in numbers else None
        return None

    def row(self, folder: RunFolder) -> StudyRow | None:
        """The row of a run; None: there is no such run."""
        files = folder.files
        while True:  # a look reads at least one run
            rows = (one.row for one in self.look(files.study.name).rows)
            row = next((row for row in rows if row.run == files.number), None)
            if row is None or row.state != "reading":
                return row
            time.sleep(0.01)

    def _found(self, study: str | None) -> list[_Found]:
        """The runs to be shown."""
        found = []
        for files in self.home.all_studies():
            numbers = files.numbers()
            if not numbers or study not in (None, files.name):
                continue
            holder = running(files)  # only a study's newest run is ever run
            newest = _Found(files.run(numbers[-1]), len(numbers) - 1, holder)
            older = [_Found(files.run(n), i, None) for i, n in enumerate(numbers[:-1])]
            found += [newest] if study is None else [*older, newest]
        return found

    def _forget_deleted(self, found: Set[Path]) -> None:
        others = [path for path in self._kept if path not in found]
        for path in [path for path in others if not RunFiles(path).study_json.exists()]:
            del self._kept[path]
            self._revision += 1

    def _read_changed(self, found: Sequence[_Found], seconds: float) -> None:
        until, stale = time.monotonic() + seconds, []
        for one in found:
            seen = (one.earlier, one.holder, stamps_of(one.files))
            kept = self._kept.get(one.files.path)
            if kept is None:
                self._revision += 1
                kept = self._kept[one.files.path] = _Kept(one.unread, self._revision)
            old = kept.row.state == "running" and time.time() - kept.read > ESTIMATE_SECONDS
            if kept.seen != seen or old:
                stale.append((one, kept, seen))
        # What was never read goes before what is read again and again, as it is being written.
        stale.sort(
            key=lambda one: (one[1].row.state == "reading", _changed(one[0].files)), reverse=True
        )
        for one, kept, seen in stale:
            self._read(one, kept, seen)
            if time.monotonic() > until:
                return

    def _read(self, one: _Found, kept: _Kept, seen: Seen) -> None:
        files, now = one.files, time.time()
        folder = RunFolder(files.path)
        try:
            row = study_row(
                Recorded(files.study.name, files.number, folder),
                lambda kind: _records(files, kind, kept.records),
                holder=one.holder,
                changed=_changed(files),
                now=now,
            )
            row = replace(row, links=tuple(self._find_links(folder, row)))
        except Exception as error:  # whatever is wrong with one study must not hide the others
            why = f"{type(error).__name__}: {error}"
            row = replace(one.unread, state="unreadable", reason=why)
        row = replace(row, earlier=one.earlier)
        if row.state != "running":
            kept.records.clear()
        kept.seen, kept.read = None if is_young(seen[2], now) else seen, now
        if row != kept.row:
            kept.row, kept.revision = row, self._revision + 1
            self._revision += 1


def _newest_first(one: Shown) -> tuple[bool, float]:
    changed = one.row.changed
    return one.row.state != "running", -(changed.timestamp() if changed else 0.0)


def _changed(files: RunFiles) -> float:
    """When anything of a run changed last, in seconds since 1970; 0: nobody knows."""
    found = (stamp_of(path) for path in (files.journal, files.study_json))
    return max((stamp[0] / 1e9 for stamp in found if stamp), default=0.0)


def _records(
    files: RunFiles, kind: Kind, known: dict[Path, tuple[Stamp, TrialRecord]]
) -> list[TrialRecord]:
    """All records of a kind; those that did not change are not read again."""
    found, rescored = [], read_rescored(files.rescored)
    for place in files.records(kind):
        stamp = stamp_of(place.json)
        kept = known.get(place.json)
        if kept is None or kept[0] != stamp:
            record = read_record(place.json)
            if record is None:
                continue
            kept = known[place.json] = (stamp, record)
        found.append(kept[1] if rescored is None else rescored.of(kept[1]))
    return found
