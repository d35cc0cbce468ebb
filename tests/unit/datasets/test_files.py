"""Folders of idx files, and which data set a path is."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets.files import dataset_at
from hpsearch.datasets.idx import IdxFolder
from hpsearch.datasets.table import TableFile, TableOptions
from hpsearch.errors import DataError
from tests.harness.data import idx_bytes


def write_folder(folder: Path, *, test: str = "t10k", first: int = 0, zipped: bool = True) -> Path:
    """Four files with 12 training and 6 test images of 2 x 3, in three classes from `first`."""
    folder.mkdir()
    for part, n in (("train", 12), (test, 6)):
        labels = (first + np.arange(n) % 3).astype(np.uint8)
        images = np.full((n, 2, 3), n, np.uint8)
        for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", labels)):
            content, ending = idx_bytes(array), "-ubyte"
            if zipped:
                content, ending = gzip.compress(content), "-ubyte.gz"
            (folder / f"{name}{ending}").write_bytes(content)
    return folder


@pytest.mark.parametrize("test", ["t10k", "test"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_folder_of_idx_files_is_a_data_set(tmp_path: Path, test: str, zipped: bool) -> None:
    data = dataset_at(write_folder(tmp_path / "mine", test=test, zipped=zipped))
    assert isinstance(data, IdxFolder)
    train, held = data.training(), data.test()
    assert (train.inputs.shape, held.inputs.shape) == ((12, 6), (6, 6))
    assert (train.inputs.max(), held.inputs.max(), train.scale) == (12, 6, 255.0)
    assert train.labels.tolist() == [0, 1, 2] * 4


def test_labels_that_do_not_start_at_0_are_numbered(tmp_path: Path) -> None:
    data = dataset_at(write_folder(tmp_path / "letters", first=8))
    assert data.training().classes == ("8", "9", "10")
    assert data.training().labels.tolist() == [0, 1, 2] * 4
    assert data.test().labels.tolist() == [0, 1, 2] * 2


def test_a_test_label_that_was_never_trained_on_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", zipped=False)
    strange = idx_bytes(np.array([0, 1, 2, 0, 1, 7], np.uint8))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(strange)
    with pytest.raises(DataError, match="must hold classes of the training data, got '7'"):
        dataset_at(folder).test()


def test_a_missing_file_is_named_by_what_it_holds(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine")
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="one file with train-labels in its name, got none"):
        dataset_at(folder).training()


def test_two_files_of_one_kind_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine")
    (folder / "letters-train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="must have one file with train-images in its name, got"):
        dataset_at(folder).training()


def test_an_unzipped_file_comes_before_its_zip(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine")
    brighter = idx_bytes(np.full((12, 2, 3), 200, np.uint8))
    (folder / "train-images-idx3-ubyte").write_bytes(brighter)
    assert dataset_at(folder).training().inputs.max() == 200


def test_images_in_place_of_labels_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", zipped=False)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros((12, 2), np.uint8)))
    with pytest.raises(DataError, match="must hold a row of images, or of labels, got 12 x 2"):
        dataset_at(folder).training()


def test_a_file_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    assert isinstance(dataset_at(tmp_path / "a.csv", TableOptions("y")), TableFile)


def test_a_folder_has_no_target(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.target must be left out"):
        dataset_at(write_folder(tmp_path / "mine"), TableOptions("y"))


def test_a_path_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.name must be a file or a folder, got"):
        dataset_at(tmp_path / "none")
