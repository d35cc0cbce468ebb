"""Files in which the scheduler remembers something: checked when read, set aside when damaged."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from hpsearch.errors import StorageError
from hpsearch.records.whole_files import storage_errors

Value = TypeVar("Value")


class DamagedFile(StorageError):
    """A file holds something that hpsearch has not written there; `str` names it and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} must be as hpsearch wrote it, got: {reason}")
        self.path = path


def read_state(path: Path, kind: TypeAdapter[Value]) -> Value | None:
    """A value that was written as JSON, or None where there is no file.

    Args:
        kind: what it must be.

    Raises:
        DamagedFile: it is something else.
        StorageError: the file can't be read.
    """
    if path.is_dir():
        raise DamagedFile(path, "a folder")
    with storage_errors(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        return kind.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise DamagedFile(path, f"{place}: {first['msg']}" if place else first["msg"]) from None


def set_aside(path: Path) -> Path:
    """Give a damaged file another name, under which nothing reads it; returns its new path.

    Raises:
        StorageError: the disk is read-only.
    """
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    with storage_errors(path), suppress(FileNotFoundError):
        path.rename(aside)
    return aside
