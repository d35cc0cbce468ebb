"""A data set that isn't here is fetched, checked and kept."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from hpsearch.datasets import DATASETS, cifar
from tests.harness.data import write_cifar
from tests.harness.servers import served


def test_an_archive_is_unpacked_into_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cifar(tmp_path / "cifar-10-batches-bin")
    archive = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "cifar-10-batches-bin", "cifar-10-batches-bin")
    checksum = hashlib.md5(archive.read_bytes()).hexdigest()
    cached = tmp_path / "cache" / "hpsearch" / "cifar10"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HPSEARCH_DATA", raising=False)
    monkeypatch.setattr(cifar, "CHECKSUM", f"md5:{checksum}")
    with served(tmp_path) as url:
        monkeypatch.setattr(cifar, "URL", f"{url}/{archive.name}")
        assert len(DATASETS["cifar10"].training().labels) == 100
    assert DATASETS["cifar10"].where() == str(cached)
    assert not (cached / archive.name).exists()
    assert len(DATASETS["cifar10"].test().labels) == 20
