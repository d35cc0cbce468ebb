"""What a home keeps of its schedules, and the orders that other shells leave there.

<home>/schedule/
    lock            held by the process that runs the schedules
    standing.json   {path: Standing}, written whole at every change
    health.json     written every few seconds while the process lives
    orders/         one file an order, e.g. pause; taken away when it is carried out
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from hpsearch.errors import RunningError
from hpsearch.records.home import Home
from hpsearch.records.trial_record import RunFolder
from hpsearch.records.whole_files import storage_errors
from hpsearch.scheduler.standing import Standing

Order = Literal["pause", "resume", "run-now"]
STANDING, HEALTH = "standing.json", "health.json"
HEALTHY_SECONDS = 60.0  # age of the health file up to which the process counts as alive


@dataclass(frozen=True)
class Desk:
    """The schedule's folder in a home."""

    folder: RunFolder

    @classmethod
    def of(cls, home: Home) -> Desk:
        """The desk of a home; nothing is made."""
        return cls(RunFolder(home.path / "schedule"))

    @property
    def _orders(self) -> Path:
        return self.folder.path / "orders"

    def take(self) -> FileLock:
        """Make the folder and hold its lock.

        Raises:
            RunningError: another process runs the schedules of this home.
        """
        with storage_errors(self.folder.path):
            self._orders.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder.path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunningError(
                f"the schedules of {self.folder.path.parent} must be run by one process at a "
                "time, got a second start: stop the first, or name another home with --home"
            ) from None
        return lock

    @property
    def taken(self) -> bool:
        """Whether a process runs the schedules now."""
        if not (self.folder.path / "lock").exists():
            return False
        try:
            with FileLock(self.folder.path / "lock").acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # read-only: nobody can run them here
            return False

    def standings(self) -> dict[str, Standing]:
        """Where every schedule stands, by path."""
        said = self.folder.read_json(STANDING) or {}
        return {path: Standing.from_dict(one) for path, one in said.items()}

    def keep(self, standings: Mapping[str, Standing]) -> None:
        """Write where every schedule stands."""
        self.folder.write_json(STANDING, {p: s.as_dict() for p, s in standings.items()})

    def leave(self, order: Order, key: str) -> None:
        """Leave an order for the process that runs the schedules, now or later."""
        name = f"orders/{time.time_ns()}-{uuid.uuid4().hex[:6]}.json"
        self.folder.write_json(name, {"order": order, "key": key})

    def orders(self) -> Iterator[tuple[Order, str]]:
        """The orders that were left, oldest first; each is taken away after it was carried out."""
        for path in sorted(self._orders.glob("[0-9]*.json")):
            said = json.loads(path.read_text())
            yield said["order"], said["key"]
            path.unlink()

    def tell_health(self, **what: Any) -> None:
        """Write the health file."""
        self.folder.write_json(HEALTH, {"time": time.time(), **what})

    def health(self) -> dict[str, Any] | None:
        """What the process told last, with its `age` in seconds; None: it never ran."""
        said = self.folder.read_json(HEALTH)
        return said and {**said, "age": max(0.0, round(time.time() - said["time"], 1))}
