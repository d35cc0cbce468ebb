"""An error of the disk as a person reads it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hpsearch.errors import StorageError
from hpsearch.records.whole_files import read_json, storage_errors, write_json

FULL, CLOSED = "free space", "make it writable, or name another folder with --home"


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, FULL),
        (errno.EDQUOT, FULL),
        (errno.EACCES, CLOSED),
        (errno.EROFS, CLOSED),
    ],
)
def test_who_has_a_full_disk_is_told_something_else_than_who_may_not_write(
    number: int, advice: str
) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(Path("/stores/x.json")):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == (
        f"/stores/x.json must be writable, got: {os.strerror(number)}. To continue: {advice}, "
        "then run the same command again; no finished work is lost"
    )
    assert isinstance(caught.value.__cause__, OSError)


def test_what_is_no_error_of_the_disk_passes() -> None:
    with pytest.raises(KeyError), storage_errors(Path("x")):
        raise KeyError("x")


def test_json_is_written_below_folders_that_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.json"
    assert read_json(path) is None
    write_json(path, {"x": [1, None]})
    assert read_json(path) == {"x": [1, None]}
    assert [p.name for p in path.parent.iterdir()] == ["c.json"]
