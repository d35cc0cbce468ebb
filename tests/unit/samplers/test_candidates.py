"""The candidates around elites, and configurations as rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpsearch.samplers.coarse_to_fine.encoding import ABSENT, Encoding, fits
from hpsearch.samplers.coarse_to_fine.pool import (
    Reach,
    draw_candidates,
    place_row,
    rank_weights,
    row_keys,
)
from hpsearch.samplers.unit import Floats

SPACE = {
    "trainer": CategoricalDistribution(["sgd", "momentum", "adam"]),
    "lr": FloatDistribution(1e-4, 1.0, log=True),
    "momentum": FloatDistribution(0.0, 1.0),
    "units": IntDistribution(0, 4),
}
SEEN: list[dict[str, Any]] = [
    {"trainer": "momentum", "lr": 0.01, "momentum": 0.5, "units": 2},
    {"trainer": "sgd", "lr": 0.1, "units": 3},
    {"trainer": "adam", "lr": 0.001, "units": 0},
]
N = 1200
ANYWHERE, ONE, SEVERAL = slice(0, N // 2), slice(N // 2, N * 5 // 6), slice(N * 5 // 6, N)


@pytest.fixture
def encoding() -> Encoding:
    return Encoding(SPACE, SEEN)


def candidates(encoding: Encoding, width: float, mutation: float, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return draw_candidates(encoding, encoding.rows(SEEN), N, Reach(width, mutation), rng)


def column(encoding: Encoding, rows: Floats, name: str) -> Floats:
    return rows[:, encoding.names.index(name)]


def test_the_best_weigh_most() -> None:
    np.testing.assert_allclose(rank_weights(1), [1.0])
    expected = np.log(3.5) - np.log([1, 2, 3])
    np.testing.assert_allclose(rank_weights(3), expected / expected.sum())


def test_without_reach_a_third_are_elites_and_a_sixth_recombines_them(encoding: Encoding) -> None:
    rows, elites = candidates(encoding, 0.0, 0.0), encoding.rows(SEEN)
    assert rows.shape == (N, 4)
    known = {tuple(row) for row in elites.round(9)}
    one, several = rows[ONE].round(9), rows[SEVERAL].round(9)
    assert {tuple(row) for row in one} == known
    shares = [(one == elite).all(1).mean() for elite in elites.round(9)]
    np.testing.assert_allclose(shares, rank_weights(3), atol=0.06)
    mixed = {tuple(row) for row in several}
    assert len(mixed - known) > 5
    for name in ("trainer", "lr", "units"):
        found = {*column(encoding, several, name)}
        assert found == {*column(encoding, elites.round(9), name)}


def test_half_are_evenly_anywhere(encoding: Encoding) -> None:
    rows = candidates(encoding, 0.0, 0.0)[ANYWHERE]
    for name, count in (("trainer", 3), ("units", 5)):
        found, times = np.unique(column(encoding, rows, name), return_counts=True)
        assert len(found) == count
        assert times.min() > 0.7 * len(rows) / count
    places = np.sort(column(encoding, rows, "lr"))
    np.testing.assert_allclose(places, np.linspace(0, 1, len(rows)), atol=0.07)


def test_only_momentum_has_a_momentum(encoding: Encoding) -> None:
    for rows in (candidates(encoding, 0.0, 0.0), candidates(encoding, 0.3, 0.5)):
        trainers, momenta = column(encoding, rows, "trainer"), column(encoding, rows, "momentum")
        np.testing.assert_array_equal(momenta == ABSENT, trainers != 1)
        assert (column(encoding, rows, "lr") >= 0).all()
        assert (column(encoding, rows, "lr") <= 1).all()


def test_around_an_elite_a_part_of_it_moves_by_up_to_the_width(encoding: Encoding) -> None:
    width = 0.02
    rows, elites = candidates(encoding, width, 0.0)[ONE], encoding.rows(SEEN)
    trainers = column(encoding, rows, "trainer")
    centers = {0.0: elites[1], 1.0: elites[0], 2.0: elites[2]}
    j = encoding.names.index("lr")
    moved = np.array([row[j] - centers[t][j] for row, t in zip(rows, trainers, strict=True)])
    # Probability 1, 1/2 or 1/4 to move, by a deviation of 1, 1/2 or 1/4 of the width.
    assert (np.abs(moved) > 1e-12).mean() == pytest.approx(7 / 12, abs=0.08)
    deviation = width * np.sqrt((1 + 1 / 4 + 1 / 16) / 3)
    assert moved[np.abs(moved) > 1e-12].std() == pytest.approx(deviation, rel=0.2)


def test_a_category_is_drawn_anew_with_the_probability_of_a_mutation(encoding: Encoding) -> None:
    certain = column(encoding, candidates(encoding, 0.0, 1.0)[ONE], "trainer")
    found, times = np.unique(certain, return_counts=True)
    assert list(found) == [0, 1, 2]
    assert times.min() > 0.25 * len(certain)


def test_a_place_of_the_full_ranges_as_a_row(encoding: Encoding) -> None:
    assert encoding.names == ["trainer", "lr", "momentum", "units"]
    assert encoding.params(place_row(encoding, [0.4, 0.25, 0.5, 0.99])) == {
        "trainer": "momentum",
        "lr": 0.001,
        "momentum": 0.5,
        "units": 4,
    }
    assert encoding.params(place_row(encoding, [0.0, 1.0, 0.5, 0.3])) == {
        "trainer": "sgd",
        "lr": 1.0,
        "units": 1,
    }


def test_rows_are_the_same_to_six_places_whatever_the_sign_of_zero() -> None:
    keys = row_keys(np.array([[0.0, 0.25], [-0.0, 0.2500004], [-1e-9, 0.25], [0.0, 0.250002]]))
    assert keys[0] == keys[1] == keys[2]
    assert keys[0] != keys[3]


def test_the_kernel_sees_two_categories_as_far_apart_as_the_ends_of_a_range(
    encoding: Encoding,
) -> None:
    ends = [{"trainer": "sgd", "lr": rate, "units": 2} for rate in (1e-4, 1.0)]
    other = {"trainer": "adam", "lr": 1e-4, "units": 2}
    rows = encoding.rows([*ends, other, {"lr": 1e-4, "units": 2}])
    features = encoding.features(rows, np.array([0.5, 0.5, 0.5, 2.0]))
    distances = ((features[:, None] - features[None]) ** 2).sum(-1)
    assert distances[0, 1] == pytest.approx(1.0)
    assert distances[0, 2] == pytest.approx(1.0)
    assert distances[0, 3] == pytest.approx(1.0 + 1.5**2)  # no category is another one
    momentum = features[:, list(encoding.feature_dimensions()).index(2)]
    assert list(momentum) == [0.5] * 4  # what is absent is in the middle
    assert list(encoding.feature_dimensions()) == [0, 0, 0, 0, 1, 2, 3, 4]
    assert list(features[:, -1]) == [0.5, 0.5, 0.5, 2.0]


@pytest.mark.parametrize(
    ("name", "value", "inside"),
    [
        ("trainer", "adam", True),
        ("trainer", "lion", False),
        ("lr", 1.0, True),
        ("lr", 1.1, False),
        ("lr", 1e-5, False),
        ("lr", "1.0", False),
        ("units", 0, True),
        ("units", 5, False),
    ],
)
def test_a_value_of_another_range_counts_as_absent(
    encoding: Encoding, name: str, value: object, inside: bool
) -> None:
    assert fits(SPACE[name], value) == inside
    row = encoding.rows([{name: value}])[0]
    assert (row[encoding.names.index(name)] != ABSENT) == inside
    assert (encoding.params(row) == {name: value}) == inside
