"""The best score by what was spent: the estimator by enumeration, the curves by hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from hpsearch.analysis.best_curves import BestCurve, band, best_curves, expected_best
from hpsearch.analysis.best_order import leaders, overlap, texts
from hpsearch.records.outcome import Outcome
from tests.harness.records import ARM, TWO_ARMS, study, trial


def curve(arm: str, best: list[float], minutes: list[float], averaged: int = 0) -> BestCurve:
    n = len(best)
    trials = [*range(1, n + 1)]
    low, high = [b - 0.1 for b in best[:averaged]], [b + 0.1 for b in best[:averaged]]
    return BestCurve(arm, 5, averaged, trials, list(map(float, trials)), minutes, best, low, high)


def test_the_expected_best_is_the_mean_over_all_orders() -> None:
    values = np.array([0.3, 0.9, 0.1, 0.5, 0.5, 0.7])
    by_hand = [np.mean([max(chosen) for chosen in combinations(values, n)]) for n in range(1, 7)]
    assert expected_best(values) == pytest.approx(by_hand)
    assert expected_best(values)[0] == pytest.approx(values.mean())
    assert expected_best(values)[-1] == pytest.approx(0.9)


def test_the_expected_best_of_many_trials_keeps_its_digits() -> None:
    values = np.linspace(0, 1, 2000)
    found = expected_best(values)
    assert found[-1] == pytest.approx(1)
    assert (np.diff(found) >= -1e-9).all()
    # Of n draws from an even spread the best is at n / (n + 1).
    assert found[8] == pytest.approx(0.9, abs=0.001)


def test_the_band_covers_what_is_expected_of_new_draws() -> None:
    rng = np.random.default_rng(0)
    n, inside = 5, 0
    for _ in range(200):
        low, high = band(rng.random(40), rng)
        inside += bool(low[n - 1] <= n / (n + 1) <= high[n - 1])
    assert 0.9 <= inside / 200 <= 0.99


def test_draws_that_ignore_results_are_averaged_over_their_orders() -> None:
    scores = [0.2, 0.8, 0.5, 0.4]
    records = [trial(n, {10: s}, wall_seconds=60.0 * (n + 1)) for n, s in enumerate(scores)]
    (found,) = best_curves(study(10), [ARM], records)
    assert (found.averaged, found.trials) == (4, [1, 2, 3, 4])
    assert found.best == pytest.approx([0.475, 0.6333333, 0.725, 0.8])
    assert found.trainings == pytest.approx([1, 2, 3, 4])
    assert found.minutes == pytest.approx([2.5, 5, 7.5, 10])  # of every order the mean
    assert all(a <= b <= c for a, b, c in zip(found.low, found.best, found.high, strict=True))
    assert best_curves(study(10), [ARM], records) == [found]  # it repeats


def test_lower_is_better_of_a_loss() -> None:
    file = study(10, objective={"metric": "validation_loss", "direction": "minimize"})
    records = [trial(n, {10: s}) for n, s in enumerate([0.8, 0.2, 0.5, 0.6])]
    (found,) = best_curves(file, [ARM], records)
    assert found.best == pytest.approx([0.525, 0.3666667, 0.275, 0.2])
    assert all(a <= b <= c for a, b, c in zip(found.low, found.best, found.high, strict=True))


def test_what_diverged_or_failed_counts_as_the_worst() -> None:
    records = [trial(n, {10: s}) for n, s in enumerate([0.2, 0.8, 0.5])]
    records.append(trial(3, {}, epoch=4, outcome=Outcome.DIVERGED))
    records.append(trial(4, {10: 0.99}, outcome=Outcome.FAILED))
    (found,) = best_curves(study(10), [ARM], records)
    assert found.best == pytest.approx(expected_best(np.array([0.2, 0.8, 0.5, 0.2, 0.2])))
    # The diverged one cost 4 of 10 epochs.
    assert found.trainings[-1] == pytest.approx(4.4)


def test_a_search_that_narrows_is_averaged_as_long_as_it_has_not_begun_to() -> None:
    file = study(10, trials=12, sampler={"name": "coarse-to-fine"})
    scores = [0.1, 0.5, 0.3, 0.2, 0.4, 0.6, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9]
    (found,) = best_curves(file, [ARM], [trial(n, {10: s}) for n, s in enumerate(scores)])
    assert found.averaged == 10
    assert found.best[0] == pytest.approx(np.mean(scores[:10]))
    assert found.best[9:] == pytest.approx([0.6, 0.6, 0.9])
    assert len(found.low) == 10


@pytest.mark.parametrize(
    "said",
    [
        {"sampler": {"name": "tpe"}},
        {"sampler": {"name": "mine:Sampler"}},  # which is not loaded for it
        {"pruner": {"name": "median", "rungs": [5]}},
        {"enqueue": [{"learning_rate": 0.1}]},
    ],
)
def test_other_draws_have_the_order_that_happened(said: dict[str, Any]) -> None:
    records = [trial(n, {10: s}) for n, s in enumerate([0.2, 0.8, 0.5, 0.9])]
    (found,) = best_curves(study(10, **said), [ARM], records)
    assert (found.averaged, found.low, found.high) == (0, [], [])
    assert found.best == [0.2, 0.8, 0.8, 0.9]
    assert found.trainings == [1, 2, 3, 4]


def test_stages_have_a_curve_at_the_full_length_and_one_at_the_first() -> None:
    # Trials 0 to 3 train for 2 epochs; 1 and 3 go on to 8, beside the new ones 4 and 5.
    records = [
        trial(0, {2: 0.1}, outcome=Outcome.PRUNED, wall_seconds=60.0),
        trial(1, {2: 0.5, 8: 0.6}, members=2, wall_seconds=60.0),
        trial(2, {2: 0.2}, outcome=Outcome.PRUNED, wall_seconds=60.0),
        trial(3, {2: 0.7, 8: 0.8}, members=2, wall_seconds=120.0),
        trial(4, {8: 0.9}, members=2, stage=1, wall_seconds=60.0),
        trial(5, {8: 0.7}, members=2, stage=1, wall_seconds=60.0),
    ]
    for record in (records[0], records[2]):
        record.members = [*record.members, *trial(9, {2: 0.0}).members]
    full, first = best_curves(study(2, 8, evaluation={"seeds": 2}), [ARM], records)
    assert (full.epochs, full.averaged) == (8, 0)
    # The best of the first stage goes on first, then the others, then what is new.
    assert full.best == [0.8, 0.8, 0.9, 0.9]
    assert full.trials == [4, 4, 5, 6]
    # 4 trials x 2 epochs, then 6 more of each promoted, then 8 of each new one; of 8 each.
    assert full.trainings == pytest.approx([14 / 8, 20 / 8, 28 / 8, 36 / 8])
    # A quarter of the promoted ones' time is the first stage's.
    assert full.minutes == pytest.approx([2.75 + 1.5, 5.0, 6.0, 7.0])
    assert (first.epochs, first.averaged, first.trials) == (2, 4, [1, 2, 3, 4])
    assert first.best[-1] == pytest.approx(0.7)
    assert first.trainings[-1] == pytest.approx(1)


def test_there_is_no_curve_of_too_few_trials_or_of_several_objectives() -> None:
    records = [trial(n, {10: 0.5}) for n in range(2)]
    assert best_curves(study(10), [ARM], records) == []
    goals = [
        {"metric": "validation_accuracy", "direction": "maximize"},
        {"metric": "validation_loss", "direction": "minimize"},
    ]
    several = study(10, objective=goals[0], objectives=goals)
    assert best_curves(several, [ARM], [trial(n, {10: 0.5}) for n in range(9)]) == []


def test_each_arm_has_its_own_trials() -> None:
    records = [trial(n, {10: 0.1 * n}) for n in range(8)]
    a, b = best_curves(study(10), TWO_ARMS, records)
    assert (a.arm, b.arm) == ("trainer=a", "trainer=b")
    assert a.best == pytest.approx(expected_best(np.array([0, 0.2, 0.4, 0.6])))
    assert b.best == pytest.approx(expected_best(np.array([0.1, 0.3, 0.5, 0.7])))


def test_the_arm_that_is_first_is_told_each_time_that_it_is_another() -> None:
    a, b = curve("a", [0.5, 0.55, 0.6], [1, 2, 3]), curve("b", [0.4, 0.6, 0.7], [2, 4, 6])
    found = [(change.amount, change.arm) for change in leaders([a, b], "trials", "maximize")]
    assert found == [(1, "a"), (2, "b")]
    # By minutes b is first once its second trial is over, which is after a's last.
    assert [c.arm for c in leaders([a, b], "minutes", "maximize")] == ["a"]
    assert [c.arm for c in leaders([a, b], "trials", "minimize")] == ["b", "a"]


def test_a_mean_over_orders_is_read_between_its_points_and_what_happened_in_steps() -> None:
    mean, steps = curve("a", [0.2, 0.4], [1, 2], averaged=2), curve("b", [0.2, 0.4], [1, 2])
    assert mean.at("minutes", 1.5) == pytest.approx(0.3)
    assert steps.at("minutes", 1.5) == 0.2
    assert (mean.at("minutes", 0.5), mean.at("minutes", 9)) == (None, 0.4)


def test_bands_overlap_or_not_where_both_are_known() -> None:
    a, b = curve("a", [0.2, 0.8], [1, 2], averaged=2), curve("b", [0.3, 0.4], [1, 2], averaged=2)
    assert overlap(a, b, "trials", 1) is True
    assert overlap(a, b, "trials", 2) is False
    assert overlap(a, curve("b", [0.3, 0.4], [1, 2]), "trials", 1) is None


def test_sentences_say_what_a_curve_is_of() -> None:
    blind = curve("", [0.5, 0.7, 0.8], [1, 2, 3], averaged=3)
    happened = curve("", [0.5, 0.8, 0.8, 0.8], [1, 2, 3, 4])
    mixed = curve("", [0.5, 0.7, 0.8, 0.9], [1, 2, 3, 4], averaged=3)
    assert texts([blind], "accuracy", "maximize") == [
        "best accuracy after 5 epochs, averaged over all orders of the 3 draws, which ignore "
        "results: 0.5000 (0.4000 … 0.6000) with 1 trial, 0.7000 (0.6000 … 0.8000) with 2 trials, "
        "0.8000 (0.7000 … 0.9000) with 3 trials"
    ]
    assert texts([happened], "accuracy", "maximize") == [
        "best accuracy after 5 epochs, in the actual order of this one search: 0.8000 at the end, "
        "after the epochs of 4.0 full trainings; first reached after 2.0 of them"
    ]
    assert texts([mixed], "accuracy", "maximize")[0].endswith(
        "; then in the actual order, 0.9000 with 4 trials"
    )


def test_sentences_say_when_the_order_of_arms_changes() -> None:
    a, b = curve("a", [0.5, 0.55, 0.6], [1, 2, 3]), curve("b", [0.4, 0.6, 0.7], [1, 2, 3])
    *_, trials, minutes = texts([a, b], "accuracy", "maximize")
    assert trials == (
        "by trials (scores after 5 epochs) the lead changes: a leads, from 2 on b; the bands "
        "overlap or are unknown there, so this may be chance"
    )
    assert minutes.startswith(
        "by minutes (scores after 5 epochs) the lead changes: a leads, from 2 minutes on b"
    )
    same = texts([a, curve("b", [0.1, 0.2, 0.3], [1, 2, 3])], "accuracy", "maximize")
    assert same[2] == "by trials (scores after 5 epochs) a leads from the start to the end"
