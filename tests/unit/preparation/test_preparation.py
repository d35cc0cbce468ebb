"""Preparation: fitted to training rows alone, by each setting, and safe for targets."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from hpsearch.datasets.table_columns import UNKNOWN, TableColumn
from hpsearch.preparation.fitted import fit_preparation
from hpsearch.preparation.settings import (
    Preparation,
    TableNeeds,
    preparation_hyperparameters,
    preparation_of,
)
from hpsearch.trainers import Member, Split, TrainingData, trainer_kind
from hpsearch.trainers.estimator import EstimatorTrainer
from hpsearch.trainers.live_inputs import live_inputs
from hpsearch.trainers.tables import prepared as tables
from hpsearch.trainers.tables.prepared import prepared

COLUMNS = (
    TableColumn("size", "number"),
    TableColumn("sold", "boolean", ("no", "yes")),
    TableColumn("colour", "category", ("blue", "green", "red")),
    TableColumn("day", "date", date_format="ISO8601"),
    TableColumn("note", "text"),
)
N, TRAIN = 60, 40
LINEAR = "sklearn.linear_model.LogisticRegression"


def table(seed: int = 0) -> tuple[NDArray[np.float64], dict[int, NDArray[Any]], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    inputs = np.column_stack(
        [
            rng.normal(size=N),
            rng.integers(0, 2, N),
            rng.integers(0, 3, N),
            rng.integers(0, 10**9, N),
            np.full(N, 5.0),
        ]
    ).astype(np.float64)
    inputs[::7, 0], inputs[::11, 2], inputs[::13, 3] = np.nan, np.nan, np.nan
    notes = np.array([" ".join(rng.choice(["slow", "fast", "bill"], 2)) for _ in range(N)], object)
    return inputs, {4: notes}, rng.integers(0, 2, N)


def data(inputs: NDArray[np.float64], texts: dict[int, Any], labels: Any) -> TrainingData:
    rows = np.arange(N)
    return TrainingData(
        inputs,
        labels,
        n_classes=2,
        splits=[Split(rows[:TRAIN], rows[TRAIN:])],
        table_columns=COLUMNS,
        texts=texts,
    )


def member(**settings: Any) -> Member:
    return Member({"trainer": "adam"} | {f"prepare.{k}": v for k, v in settings.items()}, (0,), 0)


SETTINGS: list[dict[str, Any]] = [
    {},
    {"scale": "robust", "missing": "mean", "dates": "parts"},
    {"scale": "quantile", "categories": "target", "text": "hashed", "text_features": 8},
    {"scale": "none", "missing": "keep", "categories": "ordinal", "dates": "elapsed"},
    {"missing": "constant", "missing_constant": -9.0, "missing_indicator": False, "clip": 2.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_rows_outside_the_training_rows_move_nothing_of_it(settings: dict[str, Any]) -> None:
    """Statistics, categories, words and the order of columns come from training rows alone."""
    inputs, texts, labels = table()
    other, more, marks = inputs.copy(), {4: texts[4].copy()}, labels.copy()
    other[TRAIN:, 0] = 1e6
    other[TRAIN:, 2] = UNKNOWN
    other[TRAIN:, 3] = np.nan
    more[4][TRAIN:] = "never seen before"
    marks[TRAIN:] = 1 - marks[TRAIN:]
    one = prepared(data(inputs, texts, labels), member(**settings)).inputs
    two = prepared(data(other, more, marks), member(**settings)).inputs
    assert np.array_equal(one[:TRAIN], two[:TRAIN], equal_nan=True)
    assert one.shape == two.shape
    assert not np.array_equal(one[TRAIN:], two[TRAIN:], equal_nan=True)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_gaps_are_filled_unless_they_are_kept(settings: dict[str, Any]) -> None:
    got = prepared(data(*table()), member(**settings)).inputs
    assert np.isnan(got).any() == (settings.get("missing") == "keep")


def test_a_table_is_prepared_once_for_all_members_of_a_split() -> None:
    whole = data(*table())
    assert prepared(whole, member()) is prepared(whole, member(scale="standard"))
    assert prepared(whole, member()) is not prepared(whole, member(scale="none"))


def estimator(table: TrainingData, path: str, **params: Any) -> EstimatorTrainer:
    given = Member({"trainer": path, **params}, (0,), 0)
    trainer = EstimatorTrainer([given], prepared(table, given), n_epochs=1)
    assert len(list(trainer.run(1))) == 1
    return trainer


def learned(trainer: EstimatorTrainer) -> NDArray[Any]:
    return trainer._learned[0]


def test_estimators_share_the_rows_that_they_are_trained_and_scored_on() -> None:
    """No trial makes a copy of the table."""
    whole = data(*table())
    one, two = (estimator(whole, LINEAR, C=c) for c in (0.5, 5.0))
    assert np.shares_memory(learned(one), learned(two))
    assert np.shares_memory(one._parts["validation"][0], two._parts["validation"][0])


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("sklearn.linear_model.RidgeClassifier", {"copy_X": False}),  # which may write to them
        ("tests.unit.preparation.test_preparation.Writing", {}),
    ],
)
def test_an_estimator_that_may_write_to_its_rows_has_them_for_itself(
    path: str, params: dict[str, Any]
) -> None:
    whole = data(*table())
    before = estimator(whole, LINEAR)
    rows = learned(before).copy()
    writing = estimator(whole, path, **params)
    assert not np.shares_memory(learned(writing), learned(before))
    assert np.array_equal(learned(before), rows)


class Writing(LogisticRegression):  # type: ignore[misc]
    """One of one's own, which changes what it is given."""

    def fit(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        super().fit(x, y, sample_weight)
        x[:] = 0
        return self


def test_of_large_tables_the_newest_alone_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = data(*table())
    monkeypatch.setattr(tables, "KEPT_BYTES", 2**20)
    first, second = prepared(whole, member()), prepared(whole, member(scale="robust"))
    assert prepared(whole, member()) is first
    assert prepared(whole, member(scale="robust")) is second
    monkeypatch.setattr(tables, "KEPT_BYTES", 0)
    third = prepared(whole, member(scale="quantile"))
    assert prepared(whole, member(scale="quantile")) is third
    gone = weakref.ref(second)
    del second
    assert gone() is None
    final = data(*table(1))  # other data's go first
    prepared(final, member())
    gone = weakref.ref(third)
    del third
    assert gone() is None


@pytest.mark.parametrize("trainer", ["adam", "sklearn.tree.DecisionTreeClassifier"])
def test_a_table_that_nobody_uses_any_more_is_forgotten(trainer: str) -> None:
    inputs = np.random.default_rng(0).normal(size=(N, 1))
    split = Split(np.arange(TRAIN), np.arange(TRAIN, N))
    numbers = (TableColumn("x", "number"),)
    whole = TrainingData(
        inputs, np.arange(N) % 2, n_classes=2, splits=[split], table_columns=numbers
    )
    given = Member({"trainer": trainer, **preparation_params(trainer)}, (0,), 0)
    table = prepared(whole, given)
    assert (table is whole) == (trainer != "adam")
    assert live_inputs(table).tolist() == [0]
    there = weakref.ref(whole), weakref.ref(table)
    del whole, table
    gc.collect()
    assert [one() for one in there] == [None, None]


def preparation_params(trainer: str) -> dict[str, Any]:
    kind = trainer_kind(trainer)
    assert kind is not None
    return {name: h.default for name, h in kind.of_tables().items()}


def test_numbers_are_scaled_by_the_training_rows() -> None:
    inputs = np.arange(10.0)[:, None]
    columns = [TableColumn("x", "number")]
    train = inputs[:6]
    settings = Preparation(missing_indicator=False)
    fitted, learned = fit_preparation(
        settings, columns, train, {}, np.zeros(6), n_classes=0, seed=0
    )
    wanted = (inputs - train.mean()) / train.std()
    assert np.allclose(learned, wanted[:6])
    assert np.allclose(fitted(inputs, {}), wanted)


def test_a_target_encoded_random_identifier_says_nothing_of_held_out_rows() -> None:
    """The mean of the target of a category with one row is its own target: cross-fitting."""
    rng = np.random.default_rng(1)
    n = 400
    inputs = np.arange(n, dtype=np.float64)[:, None]
    labels = rng.integers(0, 2, n)
    columns = [TableColumn("code", "category", tuple(f"{i:04d}" for i in range(n)))]
    settings = Preparation(categories="target")
    fitted, learned = fit_preparation(
        settings, columns, inputs[:300], {}, labels[:300], n_classes=2, seed=3
    )
    # Without cross-fitting the encoding of a training row would be its own target.
    assert abs(np.corrcoef(learned[:, 0], labels[:300])[0, 1]) < 0.25
    assert np.ptp(fitted(inputs[300:], {})[:, 0]) == 0  # unknown to it, all alike


def test_rare_categories_share_a_column() -> None:
    codes = np.array([0.0] * 50 + [1.0] * 48 + [2.0, 3.0])[:, None]
    columns = [TableColumn("city", "category", ("a", "b", "c", "d"))]
    for share, width in ((0.0, 4), (0.05, 3)):
        _, learned = fit_preparation(
            Preparation(min_frequency=share),
            columns,
            codes,
            {},
            np.zeros(100),
            n_classes=0,
            seed=0,
        )
        assert learned.shape[1] == width


def test_defaults_follow_what_a_trainer_needs() -> None:
    scaled = preparation_hyperparameters(TableNeeds())
    trees = preparation_hyperparameters(TableNeeds(by_order=True, takes_gaps=True))
    assert scaled["prepare.scale"].default == "standard"
    assert scaled["prepare.categories"].default == "one-hot"
    assert trees["prepare.scale"].default == "none"
    assert trees["prepare.missing"].default == "keep"
    assert trees["prepare.categories"].default == "ordinal"
    assert preparation_of({"prepare.scale": "robust", "alpha": 1}).scale == "robust"


def test_a_side_may_lack_a_class_or_all_words() -> None:
    rng = np.random.default_rng(0)
    inputs = np.stack([rng.integers(0, 3, 40).astype(float), np.zeros(40)], axis=1)
    columns = [TableColumn("colour", "category", ("a", "b", "c")), TableColumn("note", "text")]
    none = {1: np.array([""] * 40, object)}
    fitted, learned = fit_preparation(
        Preparation(categories="target", text_features=4),
        columns,
        inputs,
        none,
        np.arange(40) % 2,  # of three classes
        n_classes=3,
        seed=0,
    )
    some = {1: np.array(["a word"] * 40, object)}
    assert fitted(inputs, some).shape == learned.shape
