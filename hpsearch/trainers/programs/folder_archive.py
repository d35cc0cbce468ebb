"""A folder as bytes, to go on with it on another machine."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

MB = 1e6


class TooLarge(ValueError):
    """A folder has more in it than it may.

    Attributes:
        megabytes: that it has.
    """

    def __init__(self, megabytes: float) -> None:
        super().__init__(megabytes)
        self.megabytes = megabytes


def packed(folder: Path, most_mb: float) -> bytes:
    """All files of a folder, as a tar archive that is not compressed; links are left out.

    Raises:
        TooLarge: there is more in it.
    """
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > most_mb * MB:
        raise TooLarge(size / MB)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name, filter=_plain)
    return content.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return member if member.isfile() or member.isdir() else None


def unpack(content: bytes, folder: Path) -> None:
    """Put what `packed` made into a folder; nothing gets outside of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
