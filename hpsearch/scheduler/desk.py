"""What a home keeps of its schedules, and the orders that other shells leave there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import FiniteFloat, TypeAdapter

from hpsearch.errors import RunningError
from hpsearch.records.layout import Home, ScheduleFiles
from hpsearch.records.whole_files import storage_errors, write_json
from hpsearch.scheduler.standing import Standing
from hpsearch.scheduler.state_file import DamagedFile, read_state, set_aside

Order = Literal["pause", "resume", "run-now"]
HEALTHY_SECONDS = 60.0  # age of the health file up to which the process counts as alive


@dataclass(frozen=True)
class LeftOrder:
    """An order in its file; `key` is that of the schedule."""

    order: Order
    key: str


@dataclass(frozen=True)
class Health:
    """What the process tells of itself.

    Attributes:
        time: when it did, in seconds since 1970.
        pid: its number.
        running: the name of the schedule that runs, or None.
        schedules: the names of all valid ones.
        problems: what is wrong with the others, by name.
    """

    time: FiniteFloat
    pid: int
    running: str | None
    schedules: list[str]
    problems: dict[str, str]


STANDINGS = TypeAdapter(dict[str, Standing])
ORDER = TypeAdapter(LeftOrder)
HEALTH = TypeAdapter(Health)


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
                f"the schedules of {self.files.path.parent} are already being run by another "
                "process: stop it, or name another home folder with --home"
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
        """Where every schedule stands, by path.

        Raises:
            DamagedFile: the file with them is damaged.
        """
        return read_state(self.files.standing, STANDINGS) or {}

    def recovered_standings(self, warn: Callable[[str], None]) -> dict[str, Standing]:
        """As `standings`, for the process that runs them; a damaged file is set aside.

        Args:
            warn: called with a line that says so.
        """
        try:
            return self.standings()
        except DamagedFile as error:
            warn(
                f"{error}; it is kept as {set_aside(error.path).name}. All schedules start fresh: "
                "none is paused, and no missed or unfinished run is resumed"
            )
            return {}

    def keep(self, standings: Mapping[str, Standing]) -> None:
        """Write where every schedule stands."""
        write_json(self.files.standing, {p: s.as_dict() for p, s in standings.items()})

    def leave(self, order: Order, key: str) -> None:
        """Leave an order for the process that runs the schedules, now or later."""
        name = f"{time.time_ns()}-{uuid.uuid4().hex[:6]}"
        write_json(self.files.order(name), {"order": order, "key": key})

    def orders(self, warn: Callable[[str], None]) -> Iterator[LeftOrder]:
        """The orders that were left, oldest first; each is taken away after it was carried out.

        Args:
            warn: called with a line for each that is damaged, and set aside.
        """
        for path in self.files.waiting_orders():
            try:
                order = read_state(path, ORDER)
            except DamagedFile as error:
                aside = set_aside(path).name
                warn(f"{error}; it is kept as {aside}. If it was an order, give it again")
                continue
            if order is not None:
                yield order
                path.unlink()

    def tell_health(self, health: Health) -> None:
        """Write the health file."""
        write_json(self.files.health, asdict(health))

    def health(self) -> dict[str, Any] | None:
        """What the process told last, with its `age` in seconds; None: it never ran.

        Raises:
            DamagedFile: nobody can say.
        """
        told = read_state(self.files.health, HEALTH)
        if told is None:
            return None
        # A clock that was set back since then makes it no younger.
        return {**asdict(told), "age": abs(round(time.time() - told.time, 1))}
