"""The digits: a test set apart, the same for ever."""

import gzip
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets import DATASETS, digits
from hpsearch.errors import DataError

DIGITS = DATASETS["digits"]


def as_rows(inputs: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in inputs}


def test_training_and_test_share_no_image() -> None:
    assert not as_rows(DIGITS.training().inputs) & as_rows(DIGITS.test().inputs)


def test_training_and_test_are_all_there_is() -> None:
    assert (len(DIGITS.training().labels), len(DIGITS.test().labels)) == (1438, 359)


def test_images_are_whole_numbers_up_to_their_scale() -> None:
    examples = DIGITS.training()
    assert examples.inputs.dtype == np.uint8
    assert examples.inputs.shape[1] == 64
    assert (examples.inputs.max(), examples.scale, examples.n_classes) == (16, 16.0, 10)


def test_a_fifth_of_each_class_is_the_test_set() -> None:
    held = np.bincount(DIGITS.test().labels)
    every = held + np.bincount(DIGITS.training().labels)
    assert np.abs(held - every / 5).max() <= 0.5


# Recorded with the first release: scores of different days are comparable only while they hold.
def test_the_test_set_is_the_same_for_ever() -> None:
    assert (DIGITS.training().digest(), DIGITS.test().digest()) == (
        "1893a046f17a63fe",
        "9d415fe903b89f63",
    )


def test_a_digest_depends_on_inputs_and_labels() -> None:
    first, second = DIGITS.test(), DIGITS.test()
    second.labels[0] += 1
    third = DIGITS.test()
    third.inputs[0, 0] += 1
    assert len({first.digest(), second.digest(), third.digest()}) == 3


def test_it_says_where_it_is() -> None:
    assert DIGITS.where() == "in scikit-learn"


@pytest.mark.parametrize(
    "content",
    [None, gzip.compress(b"1,2,3\n", mtime=0)[:-9], b"no gzip"],
    ids=["missing", "cut off", "no gzip"],
)
def test_a_missing_or_damaged_file_is_named(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "datasets" / "data" / "digits.csv.gz"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    spec = ModuleSpec("sklearn", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(digits, "find_spec", lambda name: spec)
    with pytest.raises(DataError, match=f"the digits must lie in {path}.*Install scikit-learn"):
        DIGITS.training()
