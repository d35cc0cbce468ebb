"""Whether what was read of a run is still so, told from the times of places in its folder."""

from __future__ import annotations

from pathlib import Path

from hpsearch.records.layout import RunFiles

CLOCK_TICK = 0.05  # seconds; times of files are coarser than nanoseconds
Stamp = tuple[int, ...]


def stamps_of(files: RunFiles) -> tuple[Stamp, ...]:
    """What changes whenever the records of a run do. Files are written under another name and
    renamed, which their folder's time tells of; the journal grows with every news of a record."""
    places = (files.path, files.artifacts, files.trials, files.journal)
    return tuple(map(stamp_of, places))


def stamp_of(path: Path) -> Stamp:
    """When a file or folder was changed, in nanoseconds, and its bytes; () where there is none."""
    try:
        about = path.stat()
    except OSError:
        return ()
    return about.st_mtime_ns, about.st_size


def is_young(stamps: tuple[Stamp, ...], now: float) -> bool:
    """Whether something was written so lately that the next write may bear the same time.

    Args:
        now: seconds since 1970.
    """
    newest = max((stamp[0] for stamp in stamps if stamp), default=0)
    return newest > 1e9 * (now - CLOCK_TICK)
