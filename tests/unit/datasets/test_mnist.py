"""MNIST: where it is searched for, what is said when it is nowhere, and the real files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets import DATASETS, mnist
from hpsearch.errors import DataError

MNIST = DATASETS["mnist"]
CLOSED = "http://127.0.0.1:9/"  # the discard port: nothing listens there


def test_files_in_hpsearch_data_come_before_the_cache(
    cache: Path, tmp_path: Path, write_mnist: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(cache, grey=1)
    named = write_mnist(tmp_path / "named" / "mnist", grey=2)
    monkeypatch.setenv("HPSEARCH_DATA", str(named.parent))
    assert MNIST.where() == str(named)
    assert (MNIST.training().inputs == 2).all()


def test_files_in_the_cache_are_found(cache: Path, write_mnist: Callable[..., Path]) -> None:
    write_mnist(cache, grey=1)
    assert MNIST.where() == str(cache)
    assert (MNIST.test().inputs == 1).all()


def test_an_incomplete_folder_is_passed_over(
    cache: Path, tmp_path: Path, write_mnist: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(cache, grey=1)
    named = write_mnist(tmp_path / "named" / "mnist", grey=2)
    (named / "t10k-labels-idx1-ubyte.gz").unlink()
    monkeypatch.setenv("HPSEARCH_DATA", str(named.parent))
    assert MNIST.where() == str(cache)


def test_unzipped_files_are_read_too(cache: Path, write_mnist: Callable[..., Path]) -> None:
    write_mnist(cache, grey=3, zipped=False)
    assert MNIST.training().inputs.shape == (30, 784)


def test_without_files_and_network_the_error_names_what_to_set(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "URL", CLOSED)
    with pytest.raises(DataError, match=r"set HPSEARCH_DATA to the folder that holds mnist/"):
        MNIST.training()


def test_a_cache_that_cannot_be_made_is_a_data_error(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "URL", CLOSED)
    cache.parent.parent.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="HPSEARCH_DATA"):
        MNIST.training()


def test_where_says_that_nothing_is_there_and_makes_nothing(cache: Path) -> None:
    assert "not on this machine" in MNIST.where()
    assert not cache.exists()


def test_images_and_labels_of_different_number_are_refused(
    cache: Path, write_mnist: Callable[..., Path]
) -> None:
    write_mnist(cache)
    shutil.copy(cache / "t10k-labels-idx1-ubyte.gz", cache / "train-labels-idx1-ubyte.gz")
    with pytest.raises(DataError, match="must have as many labels as images, got 10 and 30"):
        MNIST.training()


def test_a_damaged_file_is_named(cache: Path, write_mnist: Callable[..., Path]) -> None:
    damaged = write_mnist(cache) / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz must be a whole gzip file"):
        MNIST.training()


# The counts per class that are commonly published of the data set.
@pytest.mark.mnist
@pytest.mark.usefixtures("real_mnist")
@pytest.mark.parametrize(
    ("part", "per_class"),
    [
        ("training", [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("test", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_real_mnist_has_its_known_counts_per_class(part: str, per_class: list[int]) -> None:
    examples = getattr(MNIST, part)()
    assert np.bincount(examples.labels).tolist() == per_class


@pytest.mark.mnist
@pytest.mark.usefixtures("real_mnist")
@pytest.mark.parametrize(("part", "n"), [("training", 60_000), ("test", 10_000)])
def test_real_mnist_has_its_known_shapes(part: str, n: int) -> None:
    examples = getattr(MNIST, part)()
    assert (examples.inputs.shape, examples.inputs.dtype) == ((n, 784), np.uint8)
    assert (examples.labels.shape, examples.labels.dtype) == ((n,), np.int64)
    assert (examples.n_classes, examples.scale, examples.inputs.max()) == (10, 255.0, 255)
