"""CIFAR-10's binary version: 50,000 training and 10,000 test images of 32 x 32 in colour.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. A file is a row
of records: 1 byte of label in [0, 10), then 3,072 bytes of pixels, the 1,024 of red, of green and
of blue, each row by row. An image is so a (3, 32, 32) array in C order.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hpsearch.datasets.base import Dataset, Examples
from hpsearch.datasets.folders import cache, folders
from hpsearch.errors import DataError

TRAINING = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
RECORD = 1 + 3 * 32 * 32  # bytes
ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
CHECKSUM = "md5:c32a1d4ab5d03f1284b67883e8d87530"  # as published beside it
UNPACKED = "cifar-10-batches-bin"  # the archive's folder


class CifarFolder(Dataset):
    """The six files in a folder of the user's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name, self.summary = str(folder), "a folder in CIFAR-10's binary format"

    def training(self) -> Examples:
        return read_cifar([self.folder / name for name in TRAINING])

    def test(self) -> Examples:
        return read_cifar([self.folder / name for name in TEST])

    def where(self) -> str:
        return str(self.folder)


class Cifar10(Dataset):
    """Small photographs of ten kinds of things.

    Files are searched in $HPSEARCH_DATA/cifar10, then in the user's cache folder, there or in
    the archive's own folder below it, and then downloaded into the cache and checked against the
    archive's published MD5.
    """

    name = "cifar10"
    summary = (
        "60,000 colour images of 32 x 32, 10 classes; $HPSEARCH_DATA/cifar10, cache, or download"
    )

    def training(self) -> Examples:
        return CifarFolder(self._found() or self._download()).training()

    def test(self) -> Examples:
        return CifarFolder(self._found() or self._download()).test()

    def where(self) -> str:
        folder = self._found()
        return str(folder) if folder else "not on this machine; downloaded at first use (162 MB)"

    def _found(self) -> Path | None:
        for folder in folders(self.name):
            for place in (folder, folder / UNPACKED):
                if is_cifar(place):
                    return place
        return None

    def _download(self) -> Path:
        import pooch

        folder = cache(self.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unpack = pooch.Untar(members=[f"{UNPACKED}/{n}" for n in (*TRAINING, *TEST)])
            files = pooch.retrieve(URL, CHECKSUM, ARCHIVE, folder, processor=unpack)
            for file in map(Path, files):
                os.replace(file, folder / file.name)
            (folder / ARCHIVE).unlink()
        except Exception as error:
            tried = ", ".join(map(str, folders(self.name)))
            raise DataError(
                f"CIFAR-10 is not in {tried} and can't be downloaded ({type(error).__name__}): "
                "set HPSEARCH_DATA to the folder that holds cifar10/ with the six .bin files of "
                "its binary version"
            ) from error
        return folder


def is_cifar(folder: Path) -> bool:
    """Whether all six files are there."""
    return all((folder / name).is_file() for name in (*TRAINING, *TEST))


def read_cifar(paths: Sequence[Path]) -> Examples:
    """The images of files in CIFAR-10's binary format, (N, 3072) bytes.

    Raises:
        DataError: a file is no row of records, or has a label that there is not.
    """
    parts = []
    for path in paths:
        raw = np.fromfile(path, np.uint8)
        if not len(raw) or len(raw) % RECORD:
            raise DataError(
                f"{path} must be whole records of {RECORD} bytes, got {len(raw)} bytes: fetch it "
                "again"
            )
        records = raw.reshape(-1, RECORD)
        if (records[:, 0] >= len(CLASSES)).any():
            raise DataError(
                f"{path} must have labels below {len(CLASSES)}, got {records[:, 0].max()}: it is "
                "not in CIFAR-10's binary format"
            )
        parts.append(records)
    records = np.concatenate(parts)
    labels = records[:, 0].astype(np.int64)
    return Examples(records[:, 1:], labels, len(CLASSES), 255.0, CLASSES)
