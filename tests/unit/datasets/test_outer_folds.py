"""Nested selections: every outer fold's rows are sealed from its own pool, and from it alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from hpsearch.datasets import DATASETS
from hpsearch.datasets.base import Examples
from hpsearch.datasets.selection import (
    OuterFold,
    Pool,
    Selection,
    open_fresh,
    open_pool,
    open_test,
)
from hpsearch.datasets.split_kinds import (
    Fixed,
    GroupKFold,
    HoldOut,
    KFold,
    RepeatedKFold,
    Split,
    TimeOrdered,
)
from hpsearch.datasets.table import TableOptions
from hpsearch.errors import DataError

WHOLE = DATASETS["digits"].training()
NESTED = {
    "k-fold": Selection("digits", split=KFold(3), outer=OuterFold(KFold(4), 0)),
    "repeated": Selection("digits", outer=OuterFold(RepeatedKFold(2, 2), 0)),
    "hold-out": Selection("digits", split=KFold(2), outer=OuterFold(HoldOut(0.3), 0)),
    "shots": Selection("digits", shots=12, split=KFold(2), outer=OuterFold(KFold(3), 0)),
    "fixed": Selection("digits", shots=9, outer=OuterFold(Fixed((1000, 1100)), 0)),
}


def arms(selection: Selection) -> list[Selection]:
    assert selection.outer is not None
    outer = selection.outer
    return [replace(selection, outer=replace(outer, fold=k)) for k in range(outer.split.n_splits)]


def as_rows(examples: Examples, rows: NDArray[np.intp] | slice = slice(None)) -> list[bytes]:
    images = np.column_stack([examples.inputs[rows], examples.labels[rows]])
    return [image.tobytes() for image in images]


def sealed(selection: Selection) -> list[bytes]:
    final = open_test(selection)
    return as_rows(final.examples, final.splits[0][1])


def seen(pool: Pool) -> list[bytes]:
    return as_rows(pool.examples)


@pytest.mark.parametrize("selection", NESTED.values(), ids=NESTED)
def test_a_search_sees_no_row_of_its_outer_fold(selection: Selection) -> None:
    unique = len(set(as_rows(WHOLE))) == len(WHOLE.labels)
    assert unique  # so that rows can be told apart by what they hold
    for arm in arms(selection):
        pool, held = open_pool(arm), set(sealed(arm))
        assert held
        assert not held & set(seen(pool))
        used = np.concatenate([rows for pair in pool.splits for rows in pair])
        assert sorted(set(used.tolist())) == [*range(len(pool.examples.labels))]
        final = open_test(arm)
        assert as_rows(final.examples, final.splits[0][0]) == seen(pool)  # what refits learn from
        for train, validation in open_fresh(replace(arm, fresh=2)).splits:
            assert max(*train, *validation) < len(pool.examples.labels)


@pytest.mark.parametrize("name", ["k-fold", "shots"])
def test_every_row_is_an_outer_test_row_exactly_once(name: str) -> None:
    folds = arms(NESTED[name])
    held = [row for arm in folds for row in sealed(arm)]
    assert len(held) == len(set(held))
    without = replace(NESTED[name], outer=None)  # of the search on all rows
    assert set(held) == set(seen(open_pool(without)))
    for arm in folds:
        assert set(sealed(arm)) | set(seen(open_pool(arm))) == set(held)


def test_the_data_set_s_own_test_set_is_no_part_of_an_outer_fold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def opened(self: object) -> Examples:
        raise AssertionError("the test set was opened")

    monkeypatch.setattr(type(DATASETS["digits"]), "test", opened)
    selection = replace(NESTED["k-fold"], seed=99)  # that no other test opened
    assert set(sealed(selection)) <= set(as_rows(WHOLE))


def test_another_seed_deals_other_outer_folds() -> None:
    first, other = NESTED["k-fold"], replace(NESTED["k-fold"], seed=1)
    assert set(sealed(first)) != set(sealed(other))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Rows of 12 groups, one day after the other."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=72), "kind": ["a", "b"] * 36})
    frame["patient"] = np.arange(72) // 6
    frame["day"] = np.arange(72)
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def of_table(path: Path, split: Split, outer: Split, drop: str) -> Selection:
    options = TableOptions(target="kind", drop=(drop,))
    return Selection(str(path), split=split, table=options, outer=OuterFold(outer, 0))


def keys(examples: Examples) -> set[str]:
    assert examples.keys is not None
    return {str(key) for key in examples.keys}


def test_no_group_is_on_both_sides_of_an_outer_fold(table: Path) -> None:
    group = GroupKFold("patient", folds=3)
    whole = of_table(table, group, group, "day")
    held: list[bytes] = []
    for arm in arms(whole):
        pool, inside = open_pool(arm), sealed(arm)
        held += inside
        groups = keys(pool.examples)
        full = replace(arm, outer=None).dataset().training()
        assert full.keys is not None
        mine = {str(k) for k, row in zip(full.keys, as_rows(full), strict=True) if row in inside}
        assert mine
        assert not groups & mine
    assert len(held) == len(set(held))


def test_an_outer_fold_in_time_is_after_all_that_its_search_sees(table: Path) -> None:
    order = TimeOrdered("day", folds=2)
    for arm in arms(of_table(table, order, TimeOrdered("day", folds=3), "patient")):
        full = replace(arm, outer=None).dataset().training()
        assert full.keys is not None
        days = dict(zip(as_rows(full), full.keys, strict=True))
        pool = open_pool(arm)
        assert pool.examples.keys is not None
        assert max(pool.examples.keys) < min(days[row] for row in sealed(arm))


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (
            Selection("digits", shots=4, split=KFold(2), outer=OuterFold(KFold(5), 0)),
            "validation.outer.folds must be at most 4, the examples of class 0, got 5",
        ),
        (
            Selection("digits", shots=4, split=KFold(4), outer=OuterFold(KFold(4), 1)),
            "data.split.folds must be at most 3, the examples of class 0, got 4 among the rows "
            "outside outer fold 2 of 4",
        ),
        (
            Selection("digits", shots=2, split=HoldOut(), outer=OuterFold(KFold(2), 0)),
            "a hold-out split must have at least 2 examples per class, class 0 has 1, among the "
            "rows outside outer fold 1 of 2",
        ),
    ],
)
def test_too_few_rows_are_said_with_the_split_that_lacks_them(
    selection: Selection, said: str
) -> None:
    with pytest.raises(DataError) as raised:
        open_pool(selection)
    assert str(raised.value) == said
