"""A batch's rounds: with fresh runs, a round is one new run of each study, over any restarts.

round.json also says in which occurrence of a schedule the last round ended, so that a scheduler
that was killed before it heard of the end does not begin another; "owed" lies beside it from when
a study runs until its summary is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from hpsearch.errors import RunningError
from hpsearch.records.layout import BatchFiles, Home
from hpsearch.records.whole_files import storage_errors, write_json, write_whole
from hpsearch.scheduler.state_file import DamagedFile, read_state, set_aside


@dataclass(frozen=True)
class Round:
    """A round of fresh runs that began and is not over.

    Attributes:
        before: each study's newest run when the round began.
        ended: studies that are finished or failed in it.
    """

    before: Mapping[str, int]
    ended: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RoundFile:
    """What round.json says; the attributes are those of `BatchState`."""

    round: Round | None = None
    last: str = ""


ROUND_FILE = TypeAdapter(RoundFile)


@dataclass
class BatchState:
    """What a home remembers of one batch.

    Attributes:
        round: under way; None: the next call begins one.
        last: the occurrence in which the last round ended.
    """

    home: Home
    files: BatchFiles
    lock: FileLock
    round: Round | None
    last: str

    @classmethod
    def open(cls, home: Home, name: str, path: Path, warn: Callable[[str], None]) -> BatchState:
        """Open it and hold its lock.

        Args:
            warn: called with a line where its file is damaged, and set aside.

        Raises:
            RunningError: another process runs this batch.
        """
        digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
        files = home.batch(name, digest)
        with storage_errors(files.path):
            files.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(files.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunningError(
                f"batch {name!r} is already running, got a second start of {path}: wait for the "
                "first, or stop it"
            ) from None
        try:
            known = read_state(files.round, ROUND_FILE) or RoundFile()
        except DamagedFile as error:
            warn(
                f"{error}; it is kept as {set_aside(error.path).name}. If studies start fresh "
                "runs at every call, a new round begins"
            )
            known = RoundFile()
        return cls(home, files, lock, known.round, known.last)

    def begin(self, studies: Iterable[str]) -> None:
        """A new round; what was left of the last one is left."""
        self.round = Round({name: self.home.study(name).newest for name in studies})
        self._write()

    def starts_fresh(self, study: str) -> bool:
        """Whether this study's run of the round has still to be made."""
        if self.round is None:
            return False
        return self.home.study(study).newest <= self.round.before.get(study, 0)

    def end(self, study: str, studies: Iterable[str], occurrence: str) -> None:
        """A study is finished or failed; after the last one the round is over."""
        if self.round is None:
            return
        if study not in self.round.ended:
            self.round.ended.append(study)
        if set(studies) <= set(self.round.ended):
            self.round, self.last = None, occurrence
        self._write()

    @property
    def owed(self) -> bool:
        """Whether studies ran that no summary has told of."""
        return self.files.owed.exists()

    def owe(self) -> None:
        """A study runs: there will be something to tell."""
        if not self.owed:
            write_whole(self.files.owed, b"")

    def pay(self) -> None:
        """The summary is sent, or nobody wants it."""
        self.files.owed.unlink(missing_ok=True)

    def _write(self) -> None:
        under_way = asdict(self.round) if self.round else None
        write_json(self.files.round, {"round": under_way, "last": self.last})

    def close(self) -> None:
        """Let others run the batch."""
        self.lock.release()
