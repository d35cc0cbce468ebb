"""The idx file format of MNIST and its relatives.

Source: LeCun's MNIST page: two zero bytes, a type byte, a byte with the number of dimensions,
the dimensions as big-endian 32-bit numbers, the data in C order.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.base import Dataset, Examples, numbered
from hpsearch.errors import DataError

PORTION_BYTES = 1 << 20  # read at a time
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> NDArray[Any]:
    """The array in an idx file, gzipped or not.

    Raises:
        DataError: not an idx file, or shorter or longer than its header says.
    """
    try:
        with path.open("rb") as plain:
            if plain.read(2) != b"\x1f\x8b":
                plain.seek(0)
                return _read_array(plain, path)
    except OSError as error:
        raise DataError(f"{path} must be readable, got: {error.strerror}") from error
    try:
        with gzip.open(path) as unzipped:
            return _read_array(unzipped, path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} must be a whole gzip file, got {error}: fetch it again"
        ) from error


def _read_array(file: IO[bytes] | gzip.GzipFile, path: Path) -> NDArray[Any]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES:
        raise DataError(f"{path} must be an idx file, got the first bytes {head!r}")
    dtype, sizes = np.dtype(_TYPES[head[2]]), file.read(4 * head[3])
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    want, raw = math.prod(shape) * dtype.itemsize, bytearray()
    # In portions: a file read whole and unzipped whole would lie in memory several times.
    while len(raw) <= want and (portion := file.read(PORTION_BYTES)):
        raw += portion
    if len(raw) != want or len(shape) < head[3]:
        raise DataError(
            f"{path} must hold {want} bytes of data by its header, got {len(raw)}: fetch it again"
        )
    return np.frombuffer(raw, dtype).reshape(shape)


def read_labelled(images: Path, labels: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Examples (N, D) of an idx file and their labels (N,) of another.

    Raises:
        DataError: a file is damaged, or the numbers of images and labels differ.
    """
    inputs, classes = read_idx(images), read_idx(labels)
    for path, array, valid in (
        (images, inputs, inputs.ndim > 1),
        (labels, classes, classes.ndim == 1),
    ):
        if not valid or not array.size:
            shape = " x ".join(map(str, array.shape)) or "a single number"
            raise DataError(f"{path} must hold a row of images, or of labels, got {shape}")
    if len(inputs) != len(classes):
        raise DataError(
            f"{images.parent} must have as many labels as images, got {len(classes)} and "
            f"{len(inputs)}"
        )
    return inputs.reshape(len(inputs), -1), classes


class IdxFolder(Dataset):
    """A folder of four idx files named as MNIST's, gzipped or not: Fashion-MNIST, EMNIST, ...

    They are told by "train-images", "train-labels", and "t10k-" or "test-" with the same, in their
    names. Bytes are divided by 255; numbers of other types are taken as they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name, self.summary = str(folder), "a folder of idx files"

    def training(self) -> Examples:
        return self._examples("train")

    def test(self) -> Examples:
        return self._examples("t10k", "test")

    def where(self) -> str:
        return str(self.folder)

    def _examples(self, *parts: str) -> Examples:
        inputs, labels = read_labelled(self._file("images", parts), self._file("labels", parts))
        known = labels if "train" in parts else read_idx(self._file("labels", ("train",)))
        classes = tuple(map(str, np.unique(known)))
        scale = 255.0 if inputs.dtype == np.uint8 else 1.0
        numbers = numbered(labels, classes, self.folder)
        return Examples(inputs, numbers, len(classes), scale, classes)

    def _file(self, kind: str, parts: Sequence[str]) -> Path:
        names = [f"{part}-{kind}" for part in parts]
        found = {  # unzipped before gzipped
            path.name.removesuffix(".gz"): path
            for path in sorted(self.folder.iterdir(), reverse=True)
            if path.is_file() and any(name in path.name for name in names)
        }
        if len(found) != 1:
            raise DataError(
                f"{self.folder} must have one file with {' or '.join(names)} in its name, got "
                f"{', '.join(sorted(found)) or 'none'}"
            )
        return next(iter(found.values()))
