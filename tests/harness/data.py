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


def write_cifar(folder: Path, n: int = 20) -> Path:
    """CIFAR-10's six files of `n` images: red 10 x the file's number, green 1, blue the label."""
    import numpy as np

    from hpsearch.datasets.cifar import TEST, TRAINING

    folder.mkdir(parents=True)
    for number, name in enumerate((*TRAINING, *TEST), start=1):
        labels = (np.arange(n) % 10).astype(np.uint8)
        images = np.empty((n, 3, 32, 32), np.uint8)
        images[:, 0], images[:, 1], images[:, 2] = 10 * number, 1, labels[:, None, None]
        records = b"".join(
            bytes([label]) + image.tobytes() for label, image in zip(labels, images, strict=True)
        )
        (folder / name).write_bytes(records)
    return folder
