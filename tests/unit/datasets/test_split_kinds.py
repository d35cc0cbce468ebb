"""Every kind of split: its pairs, and a study file says no more and no less than its class."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from hpsearch.datasets.split_kinds import (
    SPLITS,
    Fixed,
    GroupKFold,
    HoldOut,
    KFold,
    RepeatedKFold,
    Split,
    TimeOrdered,
)
from hpsearch.datasets.splits import Pair, digest
from hpsearch.errors import DataError
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.data import SPLIT_TABLES, Data

ROWS = 120
LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [20, 40, 60]))
KEYS = np.random.default_rng(1).permutation(np.arange(ROWS) // 5)

# An example of each kind, and the digest of its pairs of the rows above with seed 0.
EXAMPLES: dict[str, tuple[Split, str]] = {
    "hold-out": (HoldOut(0.25), "53443e5b4583cb4e"),
    "k-fold": (KFold(4), "c8a6260792e7a290"),
    "repeated-k-fold": (RepeatedKFold(3, 2), "f4b634ed1ea39153"),
    "group-k-fold": (GroupKFold("patient", folds=3), "ba7a027389ec12b9"),
    "time-ordered": (TimeOrdered("day", folds=3), "478fc61ed431f714"),
    "fixed": (Fixed((100, 120), train=(0, 90)), "aeb03cd33012165b"),
}

every_kind = pytest.mark.parametrize("kind", SPLITS)


def example(kind: str) -> tuple[Split, str]:
    if kind not in EXAMPLES:
        pytest.fail(f"add {kind} to EXAMPLES: one of its splits and the digest of its pairs")
    return EXAMPLES[kind]


def pairs_of(split: Split) -> list[Pair]:
    rows = split.available(ROWS)
    return split.split(LABELS, rows, KEYS, rng=np.random.default_rng(0))


@every_kind
def test_pairs_are_as_many_as_said_sorted_and_without_a_common_row(kind: str) -> None:
    split, _ = example(kind)
    pairs = pairs_of(split)
    assert len(pairs) == split.n_splits
    for train, validation in pairs:
        assert len(train)
        assert len(validation)
        assert not np.intersect1d(train, validation).size
        for rows in (train, validation):
            assert (np.diff(rows) > 0).all()
            assert 0 <= rows[0] <= rows[-1] < ROWS


@every_kind
def test_pairs_are_those_that_they_always_were(kind: str) -> None:
    split, wanted = example(kind)
    assert digest(pairs_of(split)) == wanted


@every_kind
def test_it_travels_to_workers_and_is_a_key(kind: str) -> None:
    split, _ = example(kind)
    assert pickle.loads(pickle.dumps(split)) == split
    assert hash(split) == hash(dataclasses.replace(split))  # type: ignore[type-var]


@every_kind
def test_a_study_file_says_all_of_it(kind: str) -> None:
    split, _ = example(kind)
    said = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(split).items()}
    data = Data.model_validate({"name": "digits", "split": {"kind": kind, **said}})
    assert data.split.made() == split
    assert data.n_splits == split.n_splits
    assert list(data.model_dump()["split"]) == ["kind", *said]
    assert SPLIT_TABLES[kind].__doc__ == type(split).__doc__
    keys = {name for name in SPLIT_TABLES[kind].model_fields if name != "kind"}
    assert keys == {field.name for field in dataclasses.fields(split)}  # type: ignore[arg-type]


def test_the_examples_are_of_the_kinds_there_are() -> None:
    assert list(EXAMPLES) == list(SPLITS)
    assert all(EXAMPLES[kind][0].kind == kind for kind in SPLITS)


@every_kind
def test_the_fewest_shots_that_pass_are_enough(kind: str) -> None:
    split, _ = example(kind)
    assert not [*split.check(split.least_shots)]
    assert not [*split.check(None)]
    rows = np.flatnonzero(np.isin(np.arange(ROWS), split.available(ROWS)))
    few = [rows[LABELS[rows] == label][: split.least_shots] for label in range(3)]
    if split.column is None:
        split.split(LABELS, np.sort(np.concatenate(few)), None, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("split", "shots", "key"),
    [
        (HoldOut(), 1, "data.shots"),
        (KFold(5), 4, "data.split.folds"),
        (RepeatedKFold(5), 4, "data.split.folds"),
        (Fixed((5, 3)), None, "data.split.validation"),
        (Fixed((0, 5), train=(4, 9)), None, "data.split.validation"),
        (Fixed((0, 5), train=(9, 5)), None, "data.split.train"),
    ],
)
def test_what_can_not_be_is_told_without_the_data(
    split: Split, shots: int | None, key: str
) -> None:
    assert [problem.key for problem in split.check(shots)] == [key]


def test_a_kind_that_is_none_can_not_be_made() -> None:
    with pytest.raises(ValueError):
        StudyFile.model_validate({"data": {"name": "digits", "split": {"kind": "k-folds"}}})


def test_ranges_that_overlap_are_refused_when_they_are_split() -> None:
    with pytest.raises(DataError, match=r"data\.split\.validation must not overlap"):
        pairs_of(Fixed((0, 5), train=(4, 9)))
