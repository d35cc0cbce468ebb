"""Small data sets on disk. NumPy loads late: its threads are set by then."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.data import WriteMnist, idx_bytes


@pytest.fixture
def write_mnist() -> WriteMnist:
    """Writes the four files of a tiny MNIST, whose pixels all have the value `grey`."""
    import numpy as np

    def write(folder: Path, *, grey: int = 0, zipped: bool = True) -> Path:
        folder.mkdir(parents=True)
        for part, n in (("train", 30), ("t10k", 10)):
            files = {
                f"{part}-images-idx3-ubyte": np.full((n, 28, 28), grey, np.uint8),
                f"{part}-labels-idx1-ubyte": (np.arange(n) % 10).astype(np.uint8),
            }
            for name, array in files.items():
                if zipped:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array)))
                else:
                    (folder / name).write_bytes(idx_bytes(array))
        return folder

    return write


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's user has a cache; nothing is there, and HPSEARCH_DATA is not set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HPSEARCH_DATA", raising=False)
    return tmp_path / "cache" / "hpsearch" / "mnist"


@pytest.fixture
def forget_pools() -> Iterator[None]:
    """Data opened by other tests is opened again."""
    from hpsearch.datasets.opened import forget_opened

    forget_opened()
    yield
    forget_opened()
