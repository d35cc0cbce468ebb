"""Files that appear whole or not at all, and what to do where none can be written."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from hpsearch.errors import StorageError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a restart, sees the old content or all of the new.

    Raises:
        StorageError: the disk is full or read-only.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with storage_errors(path):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:  # the disk is full, and half a file would make it fuller
            with suppress(OSError):
                temporary.unlink()
            raise


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole; folders are made.

    Raises:
        StorageError: the disk is full or read-only.
    """
    write_below(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """A value as `write_json` writes it."""
    return json.dumps(value, indent=1).encode()


def write_below(path: Path, content: bytes) -> None:
    """As `write_whole`; folders are made."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def write_changed(path: Path, content: bytes) -> None:
    """As `write_below`; a file that has this content stays as it is, with its time."""
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    write_below(path, content)


def read_json(path: Path) -> Any:
    """A value that was written, or None where there is no file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


class storage_errors:
    """Turns an OSError of the block into a StorageError that says what to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            advice = (
                "free space" if full else "make it writable, or name another folder with --home"
            )
            raise StorageError(
                f"{self._path} must be writable, got: {error.strerror}. To continue: {advice}, "
                "then run the same command again; no finished work is lost"
            ) from error
