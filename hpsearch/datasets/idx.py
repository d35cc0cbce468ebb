"""The idx file format of MNIST and its relatives.

Source: LeCun's MNIST page: two zero bytes, a type byte, a byte with the number of dimensions,
the dimensions as big-endian 32-bit numbers, the data in C order.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> NDArray[Any]:
    """The array in an idx file, gzipped or not.

    Raises:
        DataError: not an idx file, or shorter or longer than its header says.
    """
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                f"{path} must be a whole gzip file, got {error}: fetch it again"
            ) from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _TYPES:
        raise DataError(f"{path} must be an idx file, got the first bytes {raw[:4]!r}")
    dtype, n_dims = np.dtype(_TYPES[raw[2]]), raw[3]
    shape = tuple(int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(n_dims))
    want, got = math.prod(shape) * dtype.itemsize, len(raw) - 4 - 4 * n_dims
    if want != got:
        raise DataError(
            f"{path} must hold {want} bytes of data by its header, got {got}: fetch it again"
        )
    return np.frombuffer(raw, dtype, offset=4 + 4 * n_dims).reshape(shape)
