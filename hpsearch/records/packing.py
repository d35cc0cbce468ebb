"""A folder in one compressed file, and back."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hpsearch.errors import HpsearchError

GZIP, ZSTD = ".tar.gz", ".tar.zst"
PACKED = (GZIP, ZSTD)  # how the names of such files end


def is_packed(path: Path) -> bool:
    """Whether a path names such a file, by its ending."""
    return path.name.endswith(PACKED)


def pack_folder(folder: Path, file: Path) -> None:
    """Write all of a folder into a file.

    Raises:
        HpsearchError: there is no program for it.
        OSError: the file can't be written.
    """
    if file.name.endswith(GZIP):
        with tarfile.open(file, "w:gz") as archive:
            archive.add(folder, ".")
        return
    with (
        file.open("wb") as out,
        _zstd(["-q", "-T0"], out) as pipe,
        tarfile.open(fileobj=pipe, mode="w|") as archive,
    ):
        archive.add(folder, ".")


def unpack_folder(file: Path, folder: Path) -> None:
    """Write what such a file holds into a folder that is there; nothing lands outside it.

    Raises:
        HpsearchError: there is no program for it.
        OSError, tarfile.TarError, EOFError: it is no such file, or damaged.
    """
    if file.name.endswith(GZIP):
        with tarfile.open(file, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        return
    command = [_program(), "-dcq", str(file)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        archive.extractall(folder, filter="data")
    if process.returncode:
        raise EOFError(f"zstd ended with exit code {process.returncode}")


@contextmanager
def _zstd(options: list[str], out: IO[bytes]) -> Iterator[IO[bytes]]:
    """What is written to it, compressed into a file."""
    with subprocess.Popen([_program(), *options], stdin=subprocess.PIPE, stdout=out) as process:
        assert process.stdin is not None
        yield process.stdin
    if process.returncode:
        raise OSError(process.returncode, f"zstd ended with exit code {process.returncode}")


def _program() -> str:
    found = shutil.which("zstd")
    if found is None:
        raise HpsearchError(
            f"the program zstd must be on the path for {ZSTD}, got none: install it, or name a "
            f"file that ends in {GZIP}"
        )
    return found
