"""How much is confirmed and tested where a budget is to suffice for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets.base import Examples
from hpsearch.datasets.selection import Pool
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.confirmation.extent import Costs, Extent, more_rows
from hpsearch.studyfile.reading import read_study


def test_repeats_become_fewer_first_then_configurations_then_repeats() -> None:
    assert list(Extent(3, 5, 4).less()) == [
        (3, 5, 4),
        (3, 4, 3),
        (3, 3, 3),
        (2, 3, 3),
        (1, 3, 3),
        (1, 2, 2),
    ]
    assert list(Extent(2, 4, 1).less(kept=("top", "test_seeds"))) == [
        (2, 4, 1),
        (2, 3, 1),
        (2, 2, 1),
    ]
    assert list(Extent(1, 2, 1).less()) == [(1, 2, 1)]


def test_the_largest_that_the_limit_suffices_for_is_taken() -> None:
    costs = Costs([10.0, 20.0, 30.0], 5.0, 0.5)
    full = Extent(3, 5, 4)
    assert costs.of(full) == 5 * (60 + 5) + 0.5 * 4 * (30 + 5)
    assert costs.within(395, full) == full
    assert costs.within(394, full) == (3, 4, 3)
    assert costs.within(142.5, full) == (2, 3, 3)
    assert costs.within(142, full) == (1, 3, 3)
    assert costs.within(0, full) == (1, 2, 2)  # the least there is


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        ([], {"top", "seeds", "test_seeds"}),
        (["budget.total_seconds=60"], set()),
    ],
)
def test_numbers_of_the_file_stay_unless_it_bounds_the_time_of_all(
    study_file: Path, overrides: list[str], kept: set[str]
) -> None:
    file = read_study(study_file, overrides).file
    assert set(Extent.kept(file)) & set(Extent._fields) == kept


def test_the_model_on_all_rows_takes_a_refit_more_that_nothing_trains_beside(
    study_file: Path,
) -> None:
    full = Extent(3, 5, 4)
    assert Costs([10.0], 5.0, 0.5, 2.0).of(full) == Costs([10.0], 5.0, 0.5).of(full) + 0.5 * 20
    asked = ["confirmation.model=all-rows", "data={name='digits'}"]
    file = read_study(study_file, asked).file
    assert Costs.in_epochs(file, 1, beside=False).model == 1.0
    record = TrialRecord("u", "trial", 0, {}, [MemberRecord(0, SeedKey(0, 0, 0, 0), 4)], {})
    costs = Costs.in_seconds(
        file, [record], [record], beside=False, rows=1, more_rows=1.5, at_once=2.0
    )
    assert costs.model == 2.0


def test_the_front_of_several_objectives_stays(two: Path) -> None:
    assert "top" in Extent.kept(read_study(two, ["budget.total_seconds=60"]).file)


def test_trials_say_what_their_repeats_take(study_file: Path) -> None:
    file = read_study(study_file).file  # 3 members, 8 epochs
    members = [MemberRecord(split, SeedKey(0, 0, 0, split), epoch=4) for split in range(3)]
    half = TrialRecord("u", "trial", 0, {}, members, {}, wall_seconds=6.0)
    costs = Costs.in_seconds(file, [half], [half], beside=True, rows=1, more_rows=1.5, at_once=2.0)
    assert costs == Costs([6.0], 6.0, 0.5)
    alone = Costs.in_seconds(
        file, [half], [half], beside=False, rows=1, more_rows=1.5, at_once=1.0
    )
    assert alone == Costs([12.0], 0.0, 0.5)


def test_the_time_of_trials_on_fewer_rows_is_scaled_to_those_of_the_last_stage(
    study_file: Path,
) -> None:
    """An epoch on 100 rows takes 8 s, and the last stage has 8."""
    file = read_study(study_file).file

    def trial(rows: dict[int, int], epochs: int, seconds: float) -> TrialRecord:
        members = [
            MemberRecord(split, SeedKey(0, 0, 0, split), epoch=epochs) for split in range(3)
        ]
        return TrialRecord("u", "trial", 0, {}, members, {}, rows=rows, wall_seconds=seconds)

    first = trial({0: 25}, 1, 2.0)  # a quarter of an epoch of the last stage
    second = trial({0: 25, 1: 50}, 2, 6.0)  # a half more
    last = trial({2: 100}, 10, 64.0)  # drawn in the last stage
    costs = Costs.in_seconds(
        file, [first, second, last], [first], beside=True, rows=100, more_rows=2.0, at_once=1.0
    )
    assert costs.best == [64.0, 64.0, 64.0]
    assert costs.default == 64.0


@pytest.mark.parametrize(("rows", "expected"), [(None, 100 / 75), (90, 100 / 70), (20, 5.0)])
def test_refits_have_more_rows_than_the_last_stage(rows: int | None, expected: float) -> None:
    every = np.arange(100)
    pairs = ((every[:50], every[50:]), (every, every[:0]))
    pool = Pool(Examples(np.zeros((100, 1)), np.zeros(100, int), n_classes=2), pairs, every)
    assert more_rows(pool, rows) == pytest.approx(expected)
