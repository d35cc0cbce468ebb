"""The records of one run of a study on disk.

Files appear whole or not at all: temporary name, fsync, rename.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from typing import Any
from zipfile import BadZipFile

import numpy as np

from hpsearch.errors import DamagedError
from hpsearch.records.layout import Kind, RecordFiles, RunFiles
from hpsearch.records.outcome import Outcome
from hpsearch.records.rescored import Rescored, read_rescored
from hpsearch.records.sealed import digest_of, read_sealed, write_sealed
from hpsearch.records.trial_record import TrialRecord, read_record
from hpsearch.records.whole_files import read_json, storage_errors, write_json, write_whole

# Records whose programs' files are kept to look at; of the others there are many alike.
WHOLE: tuple[Kind, ...] = ("trial", "test")


class RunFolder:
    """The records of one run.

    Attributes:
        files: every path below it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = RunFiles(path)
        self._rescored_at: tuple[int, int] | None = None
        self._rescored_then: Rescored | None = None

    def earlier(self) -> list[RunFolder]:
        """The runs of the same study before this one."""
        study, mine = self.files.study, self.files.number
        return [RunFolder(study.run(n).path) for n in study.numbers() if n < mine]

    @property
    def artifacts(self) -> Path:
        """The folder of tables, figures and the study file, as logged on the parent run."""
        return self.files.artifacts

    def read(self, kind: Kind, number: int, seed_number: int = 0) -> TrialRecord | None:
        """The record, or None where none was written yet.

        Raises:
            DamagedError: it is not what was written.
        """
        record = self.as_written(kind, number, seed_number)
        rescored = None if record is None else self._rescored()
        return record if record is None or rescored is None else rescored.of(record)

    def as_written(self, kind: Kind, number: int, seed_number: int = 0) -> TrialRecord | None:
        """A record with its own scores, also where those of a later chapter's objective count."""
        return read_record(self.files.record(kind, number, seed_number).json)

    def _rescored(self) -> Rescored | None:
        """The scores that count instead of those of records; read again when they changed."""
        path = self.files.rescored
        try:
            known = path.stat()
        except FileNotFoundError:
            return None
        stamp = (known.st_mtime_ns, known.st_ino)
        if self._rescored_at != stamp:
            self._rescored_then, self._rescored_at = read_rescored(path), stamp
        return self._rescored_then

    def read_all(self, kind: Kind) -> Iterator[TrialRecord]:
        """All records of a kind, by number and seed.

        Raises:
            DamagedError: one is not what was written.
        """
        rescored = self._rescored()
        for place in self.files.records(kind):
            if (record := read_record(place.json)) is not None:
                yield record if rescored is None else rescored.of(record)

    def write(self, record: TrialRecord, states: list[bytes | None] | None = None) -> None:
        """Write a record, and the members' states if they changed.

        The state goes first under a new name and the record names it, so that a kill between the
        two leaves the old pair. A sealed record keeps no state.
        """
        assert not record.rescored, f"{record.uid}: its scores are of a later chapter"
        place = self._place(record)
        if record.sealed:
            record.state_file = record.states_digest = ""
        elif states is not None:
            epochs = sum(member.epoch for member in record.members)
            state = place.state(epochs, sum(member.diverged for member in record.members))
            packed = _pack(states)
            record.state_file, record.states_digest = state.name, digest_of(packed)
            write_whole(state, packed)
        write_whole(place.json, record.to_json(place.json))
        for old in place.states():
            if old.name != record.state_file:
                old.unlink()
        if record.sealed:  # what it left to look at stays, of those that were trained to the end
            for member in place.members():
                whole = record.outcome is Outcome.COMPLETE and record.kind in WHOLE
                rmtree(place.ours(member) if whole else member, ignore_errors=True)

    def write_file(self, record: TrialRecord, name: str, content: bytes) -> None:
        """Put a file beside a record, which names it from its next `write` on."""
        write_whole(self._place(record).file(name), content)
        if name not in record.files:
            record.files.append(name)

    def append_log(self, record: TrialRecord, text: str) -> None:
        """Add to a record's log of what was printed and raised."""
        path = self._place(record).log
        with storage_errors(path), path.open("a", encoding="utf-8") as log:
            log.write(text)
        if path.name not in record.files:
            record.files.append(path.name)

    def states(self, record: TrialRecord) -> list[bytes | None]:
        """The members' states that a record goes with.

        Raises:
            DamagedError: they are not what was written.
        """
        if not record.state_file:
            return [None] * len(record.members)
        path = self._files_of(record).file(record.state_file)
        try:
            packed = path.read_bytes()
        except OSError as error:
            raise DamagedError(path, error.strerror or str(error)) from error
        if record.states_digest not in ("", digest_of(packed)):
            raise DamagedError(path, "content that does not match the digest in its record")
        try:
            return _unpack(packed, len(record.members))
        except (ValueError, OSError, EOFError, BadZipFile) as error:  # from before digests
            raise DamagedError(path, f"no states: {error}") from error

    def _files_of(self, record: TrialRecord) -> RecordFiles:
        return self.files.record(record.kind, record.number, record.seed_number)

    def _place(self, record: TrialRecord) -> RecordFiles:
        """The folder of a record, made if it is not there."""
        place = self._files_of(record)
        with storage_errors(place.path):
            place.path.mkdir(parents=True, exist_ok=True)
        return place

    def sweep(self) -> None:
        """Delete what kills left half written; for who holds the run."""
        for path in self.files.leftovers():
            with suppress(OSError):  # a disk that can't be written is told of where it matters
                path.unlink()

    def announce(self, entry: Mapping[str, Any]) -> None:
        """Append a line to the journal, in one write."""
        _append(self.files.journal, entry)

    def note_slice(self, line: Mapping[str, Any] | None) -> None:
        """Note who trained what and when; a figure is drawn from it, nothing depends on it."""
        if line is not None:
            _append(self.files.slices, line)

    def read_slices(self) -> list[dict[str, Any]]:
        """Which worker trained what and when, {worker, began, seconds, kind, trials} each; []
        in records of older versions. Lines that a kill cut, or that are damaged, are left out."""
        path, found = self.files.slices, []
        for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def announce_record(self, record: TrialRecord) -> None:
        """Tell the projector that a record has news."""
        self.announce({"kind": record.kind, "number": record.number, "seed": record.seed_number})

    def write_json(self, path: Path, value: Any) -> None:
        """Write one of the artifacts that people read, whole."""
        write_json(path, value)

    def read_json(self, path: Path) -> Any:
        """One of them, or None where it was not written yet."""
        return read_json(path)

    def write_sealed(self, path: Path, content: Mapping[str, Any]) -> None:
        """Write one of `files`, whole, with its format and digest."""
        write_sealed(path, content)

    def read_sealed(self, path: Path, *keys: str) -> dict[str, Any] | None:
        """One of `files`, which has these keys, or None where it was not written yet.

        Raises:
            DamagedError: it is not what was written.
        """
        return read_sealed(path, *keys)

    def required(self, path: Path, *keys: str) -> dict[str, Any]:
        """One of `files` that was written, and has these keys.

        Raises:
            DamagedError: it is not what was written, or not there.
        """
        content = read_sealed(path, *keys)
        if content is None:
            raise DamagedError(path, "no file")
        return content


def _append(path: Path, line: Mapping[str, Any]) -> None:
    with storage_errors(path), path.open("ab", buffering=0) as file:
        file.write(json.dumps(line).encode() + b"\n")


def _pack(states: list[bytes | None]) -> bytes:
    file = BytesIO()
    arrays = {
        str(i): np.frombuffer(state, np.uint8)
        for i, state in enumerate(states)
        if state is not None
    }
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _unpack(packed: bytes, n: int) -> list[bytes | None]:
    with np.load(BytesIO(packed)) as saved:
        return [saved[str(i)].tobytes() if str(i) in saved else None for i in range(n)]
