"""The schedules of a folder: files with a [schedule], read again when they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hpsearch.errors import DataError, StudyFileError, unknown
from hpsearch.scheduler.batch_reading import irregular, load_file, read_batch
from hpsearch.scheduler.notification import unset
from hpsearch.studyfile.tables.schedule import Schedule

Stamp = tuple[int, int]  # time of change in ns, and size


@dataclass(frozen=True)
class Scheduled:
    """A file that runs by itself.

    Attributes:
        name: its path in the folder, without ".toml"; what commands call it.
        n_studies: of the batch, or 1.
    """

    name: str
    path: Path
    schedule: Schedule
    n_studies: int

    @property
    def key(self) -> str:
        """What its standing is kept under."""
        return str(self.path)


@dataclass(frozen=True)
class FileNews:
    """What became of a file, in a message that follows its name."""

    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


@dataclass
class ScheduleFolder:
    """The study and batch files of a folder and its subfolders that have a [schedule].

    Attributes:
        found: the valid ones by name.
        problems: what is wrong with the others, by name; they don't run until it is corrected.
    """

    folder: Path
    found: dict[str, Scheduled] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    _stamps: dict[Path, Stamp] = field(default_factory=dict)

    def reload(self) -> list[FileNews]:
        """Read new and changed files, forget deleted ones; tell of each that made news.

        Raises:
            StudyFileError: there is no such folder.
        """
        if not self.folder.is_dir():
            raise StudyFileError(f"the folder of schedules must exist, got {self.folder}")
        stamps = dict(self._stamped())
        changed = [path for path in stamps if self._stamps.get(path) != stamps[path]]
        gone = [path for path in self._stamps if path not in stamps]
        self._stamps = stamps
        told = ((self._name(path), self._take(path)) for path in sorted(changed + gone))
        return [FileNews(name, message) for name, message in told if message]

    def named(self, name: str) -> Scheduled:
        """The schedule of this name.

        Raises:
            StudyFileError: there is none.
        """
        plain = name.removesuffix(".toml")
        if plain in self.problems:
            raise StudyFileError(self.problems[plain])
        if plain not in self.found:
            raise StudyFileError(f"a schedule of {self.folder} {unknown(name, self.found)}")
        return self.found[plain]

    def _stamped(self) -> Iterator[tuple[Path, Stamp]]:
        for path in sorted(self.folder.rglob("*.toml")):
            try:
                about = path.stat()
            except OSError:
                continue  # it went away in this moment
            yield path, (about.st_mtime_ns, about.st_size)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.folder).with_suffix(""))

    def _take(self, path: Path) -> str:
        name = self._name(path)
        known = self.found.pop(name, None) is not None
        known |= self.problems.pop(name, None) is not None
        if not path.exists():
            return "the file is gone" if known else ""
        if kind := irregular(path):
            self.problems[name] = f"{path} must be a file to be read for a [schedule], got {kind}"
            return f"is not read: {self.problems[name]}"
        try:
            if "schedule" not in load_file(path):
                return "has no [schedule] any more" if known else ""
            read = read_batch(path)
        except (StudyFileError, DataError) as error:
            self.problems[name] = str(error)
            return f"is not scheduled until it is corrected: {error}"
        schedule = read.file.schedule
        self.found[name] = Scheduled(name, path.resolve(), schedule, len(read.studies))
        told = f"{'changed' if known else 'scheduled'}, {described(schedule)}"
        return "; ".join(filter(None, (told, unset(read.file))))


def described(schedule: Schedule) -> str:
    """A schedule in one line."""
    parts = [f"cron {schedule.cron}" if schedule.cron else "when asked"]
    parts += [f"window {schedule.window}"] if schedule.window else []
    parts += [schedule.timezone] if schedule.timezone else []
    return ", ".join(parts)
