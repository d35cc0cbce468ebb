"""What a home keeps of its schedules, and the orders that other shells leave there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from filelock import FileLock, Timeout

from hpsearch.errors import RunningError
from hpsearch.records.layout import Home, ScheduleFiles
from hpsearch.records.whole_files import read_json, storage_errors, write_json
from hpsearch.scheduler.standing import Standing

Order = Literal["pause", "resume", "run-now"]
HEALTHY_SECONDS = 60.0  # age of the health file up to which the process counts as alive


@dataclass(frozen=True)
class Desk:
    """The schedule's folder in a home."""

    files: ScheduleFiles

    @classmethod
    def of(cls, home: Home) -> Desk:
        """The desk of a home; nothing is made."""
        return cls(home.schedule)

    def take(self) -> FileLock:
        """Make the folder and hold its lock.

        Raises:
            RunningError: another process runs the schedules of this home.
        """
        with storage_errors(self.files.path):
            self.files.orders.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.files.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunningError(
                f"the schedules of {self.files.path.parent} must be run by one process at a "
                "time, got a second start: stop the first, or name another home with --home"
            ) from None
        return lock

    @property
    def taken(self) -> bool:
        """Whether a process runs the schedules now."""
        if not self.files.lock.exists():
            return False
        try:
            with FileLock(self.files.lock).acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # read-only: nobody can run them here
            return False

    def standings(self) -> dict[str, Standing]:
        """Where every schedule stands, by path."""
        said = read_json(self.files.standing) or {}
        return {path: Standing.from_dict(one) for path, one in said.items()}

    def keep(self, standings: Mapping[str, Standing]) -> None:
        """Write where every schedule stands."""
        write_json(self.files.standing, {p: s.as_dict() for p, s in standings.items()})

    def leave(self, order: Order, key: str) -> None:
        """Leave an order for the process that runs the schedules, now or later."""
        name = f"{time.time_ns()}-{uuid.uuid4().hex[:6]}"
        write_json(self.files.order(name), {"order": order, "key": key})

    def orders(self) -> Iterator[tuple[Order, str]]:
        """The orders that were left, oldest first; each is taken away after it was carried out."""
        for path in self.files.waiting_orders():
            said = read_json(path)
            yield said["order"], said["key"]
            path.unlink()

    def tell_health(self, **what: Any) -> None:
        """Write the health file."""
        write_json(self.files.health, {"time": time.time(), **what})

    def health(self) -> dict[str, Any] | None:
        """What the process told last, with its `age` in seconds; None: it never ran."""
        said = read_json(self.files.health)
        return said and {**said, "age": max(0.0, round(time.time() - said["time"], 1))}
