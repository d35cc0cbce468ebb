"""What a study sees of a data set: never the test set, and never validation rows to learn from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets import DATASETS
from hpsearch.datasets.opened import forget_opened
from hpsearch.datasets.selection import (
    Pool,
    Selection,
    give,
    open_beside_test,
    open_fresh,
    open_pool,
    open_test,
)
from hpsearch.datasets.split_kinds import SPLITS, Fixed, KFold, RepeatedKFold
from hpsearch.datasets.splits import digest
from hpsearch.errors import DataError

FULL = DATASETS["digits"].training()
KINDS = {
    "hold-out": Selection("digits"),
    "k-fold": Selection("digits", split=KFold(3)),
    "repeated-k-fold": Selection("digits", split=RepeatedKFold(3, 2)),
    "fixed": Selection("digits", split=Fixed((1000, 1200))),
    "fixed-both": Selection("digits", split=Fixed((1000, 1200), train=(0, 300))),
    "few-hold-out": Selection("digits", shots=6),
    "few-k-fold": Selection("digits", shots=6, split=KFold(3)),
    "few-fixed": Selection("digits", shots=6, split=Fixed((1000, 1200))),
}

every_kind = pytest.mark.parametrize("selection", KINDS.values(), ids=KINDS)


def images(pool: Pool, rows: np.ndarray) -> np.ndarray:
    """Inputs and labels of these rows side by side."""
    return np.column_stack([pool.examples.inputs[rows], pool.examples.labels[rows]])


def full_images(rows: np.ndarray | slice) -> np.ndarray:
    return np.column_stack([FULL.inputs[rows], FULL.labels[rows]])


def as_set(rows: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in rows}


@every_kind
def test_training_and_validation_rows_are_never_the_same(selection: Selection) -> None:
    for train, validation in open_pool(selection).splits:
        assert len(train)
        assert len(validation)
        assert not np.intersect1d(train, validation).size


@every_kind
def test_every_image_of_the_pool_is_used_and_is_one_of_the_data_set(selection: Selection) -> None:
    pool = open_pool(selection)
    used = np.unique(np.concatenate([rows for pair in pool.splits for rows in pair]))
    assert used.tolist() == list(range(len(pool.examples.labels)))
    assert as_set(images(pool, used)) <= as_set(full_images(slice(None)))


@every_kind
def test_the_final_test_learns_from_the_learning_rows_alone(selection: Selection) -> None:
    pool, final = open_pool(selection), open_test(selection)
    ((train, held),) = final.splits
    test = DATASETS["digits"].test()
    assert np.array_equal(images(final, train), images(pool, pool.learning))
    assert np.array_equal(images(final, held), np.column_stack([test.inputs, test.labels]))
    assert len(final.examples.labels) == len(train) + len(held)


@every_kind
def test_no_test_image_is_in_the_pool(selection: Selection) -> None:
    seen = as_set(open_pool(selection).examples.inputs)
    assert not seen & as_set(DATASETS["digits"].test().inputs)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "few-fixed"])
def test_after_the_search_every_row_may_be_learned_from(kind: str) -> None:
    pool = open_pool(KINDS[kind])
    assert pool.learning.tolist() == list(range(len(pool.examples.labels)))


def test_few_shots_stay_few_beside_a_fixed_validation_range() -> None:
    pool = open_pool(KINDS["few-fixed"])
    ((train, validation),) = pool.splits
    assert np.array_equal(pool.learning, train)
    assert np.bincount(pool.examples.labels[train]).tolist() == [6] * 10
    assert np.array_equal(images(pool, validation), full_images(slice(1000, 1200)))


def test_a_fixed_range_keeps_its_rows_through_compaction() -> None:
    selection = Selection("digits", split=Fixed((20, 30), train=(900, 950)))
    pool = open_pool(selection)
    ((train, validation),) = pool.splits
    assert len(pool.examples.labels) == 60
    assert np.array_equal(images(pool, train), full_images(slice(900, 950)))
    assert np.array_equal(images(pool, validation), full_images(slice(20, 30)))


def test_without_a_train_range_all_other_rows_are_trained_on() -> None:
    ((train, validation),) = open_pool(KINDS["fixed"]).splits
    assert validation.tolist() == list(range(1000, 1200))
    assert len(train) == len(FULL.labels) - 200


def test_first_shots_are_the_first_of_each_class_within_the_range() -> None:
    selection = Selection("digits", shots=2, draw="first", split=Fixed((0, 50), train=(100, 400)))
    pool = open_pool(selection)
    rows = [100 + np.flatnonzero(FULL.labels[100:400] == label)[:2] for label in range(10)]
    wanted = full_images(np.sort(np.concatenate(rows)))
    assert np.array_equal(images(pool, pool.learning), wanted)


def test_first_shots_are_the_same_for_every_seed() -> None:
    one, other = (open_pool(Selection("digits", shots=3, draw="first", seed=s)) for s in (1, 2))
    assert one.examples.digest() == other.examples.digest()


def test_random_shots_and_splits_follow_the_seed() -> None:
    opened = []
    for seed in (1, 1, 2):
        forget_opened()
        pool = open_pool(Selection("digits", shots=3, seed=seed))
        opened.append((pool.examples.digest(), digest(pool.splits)))
    assert opened[0] == opened[1]
    assert opened[0][0] != opened[2][0]
    assert opened[0][1] != opened[2][1]


def test_repeats_are_different_folds_of_the_same_rows() -> None:
    splits = open_pool(KINDS["repeated-k-fold"]).splits
    assert len(splits) == 6
    first, second = ([s[1] for s in splits[:3]], [s[1] for s in splits[3:]])
    assert all(not np.array_equal(a, b) for a in first for b in second)


@pytest.mark.parametrize(
    ("train", "validation"), [((0, 100), (99, 200)), ((50, 60), (0, 100)), ((0, 100), (0, 100))]
)
def test_ranges_that_overlap_are_refused(
    train: tuple[int, int], validation: tuple[int, int]
) -> None:
    with pytest.raises(DataError, match=r"data.split.validation must not overlap train"):
        open_pool(Selection("digits", split=Fixed(validation, train=train)))


@pytest.mark.parametrize("bounds", [(0, 1439), (-1, 5), (5, 5), (9, 5), (2000, 3000)])
@pytest.mark.parametrize("side", ["train", "validation"])
def test_a_range_outside_the_images_is_refused(side: str, bounds: tuple[int, int]) -> None:
    ranges = {"train": (0, 10), "validation": (10, 20)} | {side: bounds}
    message = rf"data.split.{side} must be \[first, last\) within 0 and 1438"
    with pytest.raises(DataError, match=message):
        open_pool(Selection("digits", split=Fixed(**ranges)))


def test_more_shots_than_there_are_images_are_refused() -> None:
    with pytest.raises(DataError, match=r"data\.shots must be at most"):
        open_pool(Selection("digits", shots=500))


@pytest.mark.usefixtures("forget_pools")
def test_the_test_files_are_not_opened_before_the_final_test(
    cache: Path, write_mnist: Callable[..., Path]
) -> None:
    write_mnist(cache)
    for part in ("images-idx3", "labels-idx1"):
        (cache / f"t10k-{part}-ubyte.gz").write_bytes(b"sealed")
    selection = Selection("mnist")
    assert len(open_pool(selection).examples.labels) == 30
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz must be an idx file"):
        open_test(selection)


def test_given_examples_answer_for_what_they_were_given_for_alone() -> None:
    """A pool with the test set in it is never taken for the one to select by."""
    nowhere, here = Selection("/nowhere"), Selection("digits", shots=2)
    both = open_beside_test(here)
    give(nowhere, both, "both")
    assert open_beside_test(nowhere) is both
    for other in (open_pool, open_test):
        with pytest.raises(DataError):
            other(nowhere)
    give(nowhere, open_pool(here), "validation")
    assert open_pool(nowhere) is open_pool(here)


DRAWN = {k: replace(s, fresh=3) for k, s in KINDS.items() if s.split.drawn}


@pytest.mark.parametrize("selection", DRAWN.values(), ids=DRAWN)
def test_fresh_splits_are_other_draws_of_the_same_rows(selection: Selection) -> None:
    pool, fresh = open_pool(selection), open_fresh(selection)
    n = len(pool.splits)
    assert fresh.examples is pool.examples
    assert len(fresh.splits) == 3 * n
    draws = [fresh.splits[i * n : (i + 1) * n] for i in range(3)]
    assert len({digest(pairs) for pairs in (pool.splits, *draws)}) == 4
    for (train, held), (_, known) in zip(draws[0], pool.splits, strict=True):
        assert not np.intersect1d(train, held).size
        assert len(held) == len(known)
    both = np.unique(np.concatenate([rows for pair in fresh.splits for rows in pair]))
    assert both.tolist() == list(range(len(pool.examples.labels)))


def test_a_fresh_split_is_the_same_however_many_there_are() -> None:
    few, many = (replace(KINDS["k-fold"], fresh=n) for n in (2, 5))
    assert digest(open_fresh(many).splits[:6]) == digest(open_fresh(few).splits)
    other = replace(few, seed=1)
    assert digest(open_fresh(other).splits) != digest(open_fresh(few).splits)


def test_a_time_ordered_or_fixed_split_has_no_other_draw() -> None:
    assert [name for name, split in SPLITS.items() if not split.drawn] == ["time-ordered", "fixed"]
