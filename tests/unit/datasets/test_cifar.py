"""CIFAR-10's binary format, on small files in that format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets import DATASETS, cifar
from hpsearch.datasets.selection import Selection, open_pool
from hpsearch.errors import DataError
from tests.harness.data import write_cifar

CIFAR10 = DATASETS["cifar10"]
CLOSED = "http://127.0.0.1:9/"  # the discard port: nothing listens there


@pytest.mark.parametrize("below", ["", "cifar-10-batches-bin"])
def test_images_and_labels_are_where_the_format_has_them(cache: Path, below: str) -> None:
    folder = write_cifar(cache.parent / "cifar10" / below)
    assert CIFAR10.where() == str(folder)
    train, test = CIFAR10.training(), CIFAR10.test()
    assert (train.inputs.shape, test.inputs.shape) == ((100, 3072), (20, 3072))
    assert train.inputs.dtype == np.uint8
    assert (train.scale, train.n_classes) == (255.0, 10)
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] * 10
    images = train.inputs.reshape(-1, 3, 32, 32)
    assert (images[:, 0] == np.repeat([10, 20, 30, 40, 50], 20)[:, None, None]).all()
    assert (images[:, 1] == 1).all()
    assert (images[:, 2] == train.labels[:, None, None]).all()
    assert (test.inputs.reshape(-1, 3, 32, 32)[:, 0] == 60).all()


def test_files_in_hpsearch_data_come_before_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cifar(cache.parent / "cifar10")
    named = write_cifar(tmp_path / "named" / "cifar10")
    monkeypatch.setenv("HPSEARCH_DATA", str(named.parent))
    assert CIFAR10.where() == str(named)


def test_a_folder_by_path_is_a_data_set(tmp_path: Path) -> None:
    folder = write_cifar(tmp_path / "mine")
    pool = open_pool(Selection(str(folder), shots=3))
    assert np.bincount(pool.examples.labels).tolist() == [3] * 10
    assert pool.examples.classes[0] == "airplane"


def test_without_files_and_network_the_error_names_what_to_set(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar, "URL", CLOSED)
    assert "not on this machine" in CIFAR10.where()
    assert not cache.exists()
    with pytest.raises(DataError, match="set HPSEARCH_DATA to the folder that holds cifar10/"):
        CIFAR10.training()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0" * 3072, "test_batch.bin must be whole records of 3073 bytes, got 3072 bytes"),
        (b"", "must be whole records of 3073 bytes, got 0 bytes"),
        (b"\x0a" + b"\0" * 3072, "must have labels below 10, got 10"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    folder = write_cifar(tmp_path / "mine")
    (folder / "test_batch.bin").write_bytes(content)
    data = Selection(str(folder)).dataset()
    data.training()
    with pytest.raises(DataError, match=message):
        data.test()
