"""A batch's rounds: with fresh runs, a round is one new run of each study, over any restarts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from hpsearch.errors import RunningError
from hpsearch.search.run import newest_run
from hpsearch.tracking.home import Home
from hpsearch.tracking.record import RunFolder, storage_errors

ROUND, SUMMARY = "round.json", "summary.json"


@dataclass(frozen=True)
class Round:
    """A round of fresh runs that began and is not over.

    Attributes:
        before: each study's newest run when the round began.
        ended: studies that are finished or failed in it.
    """

    before: Mapping[str, int]
    ended: list[str] = field(default_factory=list)


@dataclass
class BatchState:
    """What a home remembers of one batch: <home>/batches/<name>-<digest of its path>/."""

    home: Home
    folder: RunFolder
    lock: FileLock
    round: Round | None

    @classmethod
    def open(cls, home: Home, name: str, path: Path) -> BatchState:
        """Open it and hold its lock.

        Raises:
            RunningError: another process runs this batch.
        """
        digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
        top = home.path / "batches" / f"{name}-{digest}"
        with storage_errors(top):
            top.mkdir(parents=True, exist_ok=True)
        lock = FileLock(top / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunningError(
                f"batch {name!r} must be run by one process at a time, got a second start of "
                f"{path}: wait for the first, or stop it"
            ) from None
        folder = RunFolder(top)
        said = folder.read_json(ROUND)
        return cls(home, folder, lock, Round(**said) if said else None)

    def begin(self, studies: Iterable[str]) -> None:
        """A new round; what was left of the last one is left."""
        self.round = Round({name: newest_run(self.home.studies / name) for name in studies})
        self._write()

    def starts_fresh(self, study: str) -> bool:
        """Whether this study's run of the round has still to be made."""
        if self.round is None:
            return False
        return newest_run(self.home.studies / study) <= self.round.before.get(study, 0)

    def end(self, study: str, studies: Iterable[str]) -> None:
        """A study is finished or failed; after the last one the round is over."""
        if self.round is None:
            return
        if study not in self.round.ended:
            self.round.ended.append(study)
        if set(studies) <= set(self.round.ended):
            self.round = None
        self._write()

    def _write(self) -> None:
        self.folder.write_json(ROUND, asdict(self.round) if self.round else None)

    def close(self) -> None:
        """Let others run the batch."""
        self.lock.release()
