"""Successive bests of a search, and what they score when confirmed."""

from __future__ import annotations

import pytest

from hpsearch.analysis.overtuning import incumbents
from hpsearch.records.estimate import Estimate
from tests.harness.records import ARM, TWO_ARMS, study, trial


def confirmed(*values: float) -> Estimate:
    mean = sum(values) / len(values)
    return Estimate(mean, mean - 0.1, mean + 0.1, list(values), "fresh splits")


RISING = [trial(n, {10: s}, wall_seconds=60.0) for n, s in enumerate([0.5, 0.7, 0.6, 0.8])]


def test_bests_that_rise_when_confirmed_are_told_of_without_a_warning() -> None:
    again = {1: confirmed(0.6, 0.7), 3: confirmed(0.7, 0.8), 2: confirmed(0.9, 0.9)}
    (found,) = incumbents(study(10), [ARM], RISING, again)
    assert [(one.number, one.searched, one.minutes) for one in found.found] == [
        (1, 0.7, 2.0),
        (3, 0.8, 4.0),
    ]
    assert found.gain == pytest.approx(0.1)
    assert not found.warns
    assert found.text == (
        "from trial 1 to trial 3 the best validation_accuracy of the search improved from 0.7000 "
        "to 0.8000, and the confirmed score went from 0.6500 to 0.7500 on 2 fresh splits (better "
        "on 2 of them)"
    )


def test_bests_that_do_not_rise_when_confirmed_are_warned_of() -> None:
    again = {0: confirmed(0.6, 0.7), 3: confirmed(0.5, 0.75)}
    (found,) = incumbents(study(10), [ARM], RISING, again)
    assert found.warns
    assert found.text.endswith(
        "but the confirmed score went from 0.6500 to 0.6250 on 2 fresh splits (better on 1 of "
        "them): the last gains may fit only the validation rows (overtuning)"
    )
    assert found.as_dict()["warns"] is True
    assert found.as_dict()["incumbents"][0]["confirmed"]["values"] == [0.6, 0.7]


def test_lower_is_better_of_a_loss() -> None:
    file = study(10, objective={"metric": "validation_loss", "direction": "minimize"})
    records = [trial(n, {10: s}) for n, s in enumerate([0.5, 0.4, 0.3])]
    (found,) = incumbents(file, [ARM], records, {0: confirmed(0.5), 2: confirmed(0.4)})
    assert not found.warns
    assert found.gain == pytest.approx(0.1)


def test_with_one_confirmed_best_nothing_can_be_said() -> None:
    assert [*incumbents(study(10), [ARM], RISING, {3: confirmed(0.5), 2: confirmed(0.6)})] == []


def test_each_arm_has_its_own_bests() -> None:
    again = {n: confirmed(0.5 - 0.01 * n) for n in range(4)}
    found = [*incumbents(study(10), TWO_ARMS, RISING, again)]
    assert [one.arm for one in found] == ["trainer=a", "trainer=b"]
    assert [[i.number for i in one.found] for one in found] == [[0, 2], [1, 3]]
    assert found[0].text.startswith("trainer=a: from trial 0 to trial 2")
