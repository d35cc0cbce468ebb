"""Small data sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

WriteMnist = Callable[..., Path]


def idx_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """A uint8 array in the idx format."""
    dims = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + dims + array.tobytes()
