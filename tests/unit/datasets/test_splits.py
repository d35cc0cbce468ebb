"""Splits: stratified, disjoint, complete, and the same for the same seed."""

import numpy as np
import pytest

from hpsearch.datasets.splits import Pair, digest, draw_shots, hold_out, k_fold
from hpsearch.errors import DataError

# Three classes of 7, 20 and 50 rows, shuffled.
LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [7, 20, 50]))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def counts(rows: np.ndarray) -> np.ndarray:
    return np.bincount(LABELS[rows], minlength=3)


def all_splits(seed: int = 0) -> list[Pair]:
    """The pairs of a hold-out and of a 5-fold."""
    return hold_out(LABELS, 0.2, rng=rng(seed)) + k_fold(LABELS, 5, rng=rng(seed))


def test_both_sides_together_are_every_row_once() -> None:
    for train, validation in all_splits():
        assert np.sort(np.concatenate([train, validation])).tolist() == list(range(77))


def test_rows_are_sorted() -> None:
    for rows in (rows for pair in all_splits() for rows in pair):
        assert (np.diff(rows) > 0).all()


def test_a_hold_out_takes_its_fraction_of_each_class() -> None:
    ((_, validation),) = hold_out(LABELS, 0.2, rng=rng())
    assert counts(validation).tolist() == [1, 4, 10]


@pytest.mark.parametrize(("fraction", "held"), [(0.001, [1, 1, 1]), (0.999, [6, 19, 49])])
def test_a_hold_out_leaves_a_row_of_each_class_on_both_sides(
    fraction: float, held: list[int]
) -> None:
    ((_, validation),) = hold_out(LABELS, fraction, rng=rng())
    assert counts(validation).tolist() == held


def test_a_hold_out_of_a_class_with_one_row_is_refused() -> None:
    with pytest.raises(DataError, match="at least 2 examples per class, class 4 has 1"):
        hold_out(np.array([3, 3, 4]), 0.5, rng=rng())


@pytest.mark.parametrize("folds", [2, 3, 5, 7])
def test_every_row_is_validation_in_one_fold(folds: int) -> None:
    held = np.concatenate([validation for _, validation in k_fold(LABELS, folds, rng=rng())])
    assert np.sort(held).tolist() == list(range(77))


@pytest.mark.parametrize("folds", [2, 3, 5, 7])
def test_folds_differ_by_one_row_at_most(folds: int) -> None:
    sizes = [len(validation) for _, validation in k_fold(LABELS, folds, rng=rng())]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("folds", [2, 3, 5, 7])
def test_a_class_is_spread_over_the_folds_to_one_row(folds: int) -> None:
    spread = np.stack([counts(validation) for _, validation in k_fold(LABELS, folds, rng=rng())])
    assert (np.ptp(spread, axis=0) <= 1).all()


def test_more_folds_than_images_of_a_class_are_refused() -> None:
    with pytest.raises(DataError, match="folds must be at most 7, the examples of class 0, got 8"):
        k_fold(LABELS, 8, rng=rng())


def test_random_shots_are_that_many_of_each_class() -> None:
    picked = draw_shots(LABELS, 7, rng=rng())
    assert counts(picked).tolist() == [7, 7, 7]
    assert (np.diff(picked) > 0).all()


def test_first_shots_are_the_first_in_file_order() -> None:
    picked = draw_shots(np.array([1, 0, 0, 1, 1, 0]), 2, rng=None)
    assert picked.tolist() == [0, 1, 2, 3]


def test_more_shots_than_images_of_a_class_are_refused() -> None:
    with pytest.raises(DataError, match="shots must be at most 7, the examples of class 0, got 8"):
        draw_shots(LABELS, 8, rng=rng())


def test_the_same_seed_splits_alike_and_another_does_not() -> None:
    assert digest(all_splits(1)) == digest(all_splits(1))
    for one, other in zip(all_splits(1), all_splits(2), strict=True):
        assert digest([one]) != digest([other])


def test_the_same_seed_draws_the_same_shots_and_another_does_not() -> None:
    one, again, other = (draw_shots(LABELS, 3, rng=rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_digest_tells_a_row_on_one_side_from_the_other() -> None:
    one, two = np.array([1]), np.array([2])
    both, none = np.array([1, 2]), np.array([], int)
    digests = {digest([pair]) for pair in ((one, two), (two, one), (both, none), (none, both))}
    assert len(digests) == 4
