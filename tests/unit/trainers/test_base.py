"""Training data: scaled inputs by mini-batch and by column, cached or not."""

import numpy as np
import pytest

from hpsearch.nn.base import Array
from hpsearch.trainers import Member, Split, TrainingData, base, trainer_kind
from hpsearch.trainers.base import Indices

LIMITS = [0, 2**20]  # every table is too large, every table fits


def table(n_images: int = 6) -> TrainingData:
    inputs = (np.arange(n_images * 3) % 256).astype(np.uint8).reshape(n_images, 3)
    labels = np.zeros(n_images, np.int64)
    split = Split(np.arange(1), np.arange(1, n_images))
    return TrainingData(inputs, labels, n_classes=1, splits=[split], scale=255.0)


def drawn(data: TrainingData, rows: Indices, dtype: str = "float32") -> Array:
    out = np.empty((*rows.shape, data.n_inputs), dtype)
    assert data.batch(rows, out) is out
    return out


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_has_the_scaled_rows_of_each_member(
    dtype: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "FLOAT_TABLE_BYTES", limit)
    data, rows = table(), np.array([[0, 5], [2, 2]])
    batch = drawn(data, rows, dtype)
    # Bytes are divided in float32 in any case: 1/255 of a float64 run is that of textbooks.
    scaled = data.inputs[rows].astype(np.float32) / np.float32(255)
    assert np.array_equal(batch, scaled.astype(dtype))


@pytest.mark.parametrize("limit", LIMITS)
def test_columns_are_all_images_in_order(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "FLOAT_TABLE_BYTES", limit)
    data = table(n_images=2345)
    chunks = list(data.columns("float32"))
    assert [chunk.shape[1] for chunk in chunks] == [1000, 1000, 345]
    assert np.array_equal(np.concatenate(chunks, axis=1).T, data.floats(slice(None), "float32"))


@pytest.mark.parametrize(("limit", "kept"), [(0, False), (2**20, True)])
def test_only_a_table_that_fits_is_kept_as_floats(
    limit: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "FLOAT_TABLE_BYTES", limit)
    data, rows = table(), np.array([[1]])
    before = drawn(data, rows)
    data.inputs[:] = 255
    assert np.array_equal(drawn(data, rows), before) == kept


def test_the_generator_of_a_member_depends_on_its_entropy_alone() -> None:
    draws = [
        Member({"trainer": trainer}, entropy, split).generator().random()
        for trainer, entropy, split in (
            ("sgd", (1, 2), 0),
            ("adam", (1, 2), 3),
            ("sgd", (2, 1), 0),
        )
    ]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_an_unknown_trainer_is_none() -> None:
    assert trainer_kind("sgdd") is None


def test_a_module_and_function_is_a_trainer_of_any_hyperparameter() -> None:
    kind = trainer_kind("mine:train")
    assert kind is not None
    assert kind.open
    assert kind.hyperparameters() == {}
