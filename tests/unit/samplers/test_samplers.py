"""What the coarse-to-fine sampler promises beyond Optuna's own cases."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from hpsearch.samplers import CoarseToFineSampler
from hpsearch.samplers.coarse_to_fine.encoding import ABSENT, Encoding
from hpsearch.samplers.coarse_to_fine.model import BEST_ROWS, MOST_ROWS, Scores
from hpsearch.samplers.history import OUTCOME, Observation, observe
from hpsearch.samplers.unit import from_unit, to_unit

pytestmark = pytest.mark.usefixtures("known_schema")

LR = FloatDistribution(1e-4, 1.0, log=True)
MINIMIZE = optuna.study.StudyDirection.MINIMIZE


def valley(trial: optuna.Trial) -> float:
    """Least at learning rate 0.01, and only for "b"."""
    lr = trial.suggest_float("lr", 1e-4, 1.0, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    return (math.log10(lr) + 2) ** 2 + (kind == "a")


def drawn(study: optuna.Study) -> list[dict[str, Any]]:
    return [trial.params for trial in study.trials]


def test_same_seed_same_draws_and_another_seed_others() -> None:
    studies = []
    for seed in (1, 1, 2):
        studies.append(optuna.create_study(sampler=CoarseToFineSampler(seed=seed)))
        studies[-1].optimize(valley, n_trials=30)
    assert drawn(studies[0]) == drawn(studies[1])
    assert drawn(studies[0]) != drawn(studies[2])


def test_one_sampler_serves_two_studies_alike() -> None:
    sampler = CoarseToFineSampler(seed=1)
    studies = [optuna.create_study(sampler=sampler) for _ in range(2)]
    for _ in range(15):
        studies[0].optimize(valley, n_trials=1)
        studies[1].optimize(lambda trial: -valley(trial), n_trials=1)
    assert drawn(studies[0])[:10] == drawn(studies[1])[:10]
    assert drawn(studies[0])[11:] != drawn(studies[1])[11:]


def test_a_restart_draws_what_an_undisturbed_run_draws(tmp_path: Path) -> None:
    quiet = optuna.create_study(sampler=CoarseToFineSampler(seed=3))
    quiet.optimize(valley, n_trials=24)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    for _ in range(4):
        again = optuna.create_study(
            storage=url, study_name="s", sampler=CoarseToFineSampler(seed=3), load_if_exists=True
        )
        again.optimize(valley, n_trials=6)
    assert drawn(again) == drawn(quiet)


def test_two_workers_on_one_batch_draw_what_one_does(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    first = optuna.create_study(storage=url, study_name="s", sampler=CoarseToFineSampler(seed=3))
    second = optuna.load_study(storage=url, study_name="s", sampler=CoarseToFineSampler(seed=3))
    alone = optuna.create_study(sampler=CoarseToFineSampler(seed=3))
    for _ in range(8):
        trials = [first.ask(), second.ask(), first.ask(), second.ask()]
        values = [valley(trial) for trial in reversed(trials)]  # in another order
        for trial, value in zip(reversed(trials), values, strict=True):
            first.tell(trial.number, value)
        batch = [alone.ask() for _ in range(4)]
        for trial, value in [(trial, valley(trial)) for trial in batch]:
            alone.tell(trial, value)
    assert drawn(first) == drawn(alone)


def test_the_first_ten_draws_fill_ten_cells_of_the_middle_of_the_log_range() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_float("lr", 1e-4, 1.0, log=True), n_trials=10)
    cells = [int(10 * (to_unit(LR, params["lr"]) - 0.2) / 0.6) for params in drawn(study)]
    assert sorted(cells) == list(range(10))


def test_it_narrows_around_the_best_but_not_only_there() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    study.optimize(valley, n_trials=120)
    late = [math.log10(p["lr"]) for p in drawn(study)[60:]]
    near = sum(abs(x + 2) < 0.5 for x in late) / len(late)
    assert 0.5 < near < 1  # a uniform draw lands there one time in four


@pytest.mark.parametrize("proposal", ["model-free", "gp"])
def test_every_tenth_draw_is_over_the_full_ranges(proposal: Any) -> None:
    sampler = CoarseToFineSampler(seed=0, proposal=proposal, n_startup=10)
    study = optuna.create_study(sampler=sampler)
    study.optimize(valley, n_trials=300)
    late = [(trial.number, math.log10(trial.params["lr"])) for trial in study.trials[100:]]
    tenth = [abs(x + 2) for number, x in late if number % 10 == 9]
    # Of the others every second one leaves the best where nothing more is gained.
    others = [abs(x + 2) for number, x in late if number % 10 in (1, 3, 5, 7)]
    assert len(tenth) == 20
    assert sorted(tenth)[10] > 0.5  # evenly over four decades: half of them are further
    assert sorted(others)[len(others) * 9 // 10] < 0.5


def test_uniform_proposal_does_not_narrow() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0, proposal="uniform"))
    study.optimize(valley, n_trials=120)
    late = [math.log10(p["lr"]) for p in drawn(study)[60:]]
    assert sum(abs(x + 2) < 0.5 for x in late) / len(late) < 0.4
    sampler = CoarseToFineSampler(seed=0, proposal="uniform")
    assert sampler.narrowed(study.trials, study.direction, "lr", LR, {}) is None


def test_narrowed_range_holds_the_survivors_and_shrinks() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    shares = []
    for _ in range(3):
        study.optimize(valley, n_trials=40)
        found = CoarseToFineSampler(seed=0).narrowed(
            study.trials, study.direction, "lr", LR, {"kind": "b"}
        )
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        values = [study.trials[n].params["lr"] for n in found.survivors]
        assert all(found.low <= value <= found.high for value in values)
        assert all(study.trials[n].params["kind"] == "b" for n in found.survivors)
        shares.append(found.share)
    assert shares[0] > shares[-1]


def test_one_branch_does_not_narrow_another() -> None:
    def two_valleys(trial: optuna.Trial) -> float:
        kind = trial.suggest_categorical("kind", ["low", "high"])
        lr = math.log10(trial.suggest_float("lr", 1e-4, 1.0, log=True))
        return abs(lr + (3 if kind == "low" else 1))

    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0, proposal="model-free"))
    study.optimize(two_valleys, n_trials=120)
    late = drawn(study)[60:]
    for kind, center in (("low", -3), ("high", -1)):
        places = [math.log10(p["lr"]) for p in late if p["kind"] == kind]
        assert len(places) > 5
        assert abs(sorted(places)[len(places) // 2] - center) < 0.5


def test_scores_of_shorter_training_are_shifted_by_the_paired_difference() -> None:
    def trial(number: int, curve: dict[int, float], state: TrialState) -> optuna.trial.FrozenTrial:
        value = curve[max(curve)] if state == TrialState.COMPLETE else None
        frozen = create_trial(state=state, value=value, intermediate_values=curve)
        frozen.number = number
        return frozen

    trials = [
        trial(0, {1: 0.9, 3: 0.5}, TrialState.RUNNING),
        trial(1, {1: 0.8, 3: 0.4}, TrialState.COMPLETE),
        trial(2, {1: 0.6}, TrialState.PRUNED),  # would be about 0.2 at length 3
    ]
    ranked = observe(trials, MINIMIZE)
    assert [o.number for o in ranked] == [2, 1, 0]
    assert ranked[0].score == pytest.approx(0.2)


def test_diverged_and_scoreless_trials_rank_last_and_failed_ones_are_left_out() -> None:
    trials = [
        create_trial(state=TrialState.COMPLETE, value=3.0),
        create_trial(state=TrialState.PRUNED),
        create_trial(
            state=TrialState.PRUNED, intermediate_values={1: 0.0}, user_attrs={OUTCOME: "diverged"}
        ),
        create_trial(state=TrialState.FAIL),
    ]
    for number, trial in enumerate(trials):
        trial.number = number
    ranked = observe(trials, MINIMIZE)
    assert [o.number for o in ranked] == [0, 1, 2]
    assert [o.usable for o in ranked] == [True, False, False]


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(-2.0, 3.0),
        LR,
        FloatDistribution(0.0, 0.9, step=0.3),
        IntDistribution(1, 9),
        IntDistribution(1, 512, log=True),
        IntDistribution(0, 12, step=4),
    ],
)
def test_unit_places_map_into_the_distribution_and_back(distribution: Any) -> None:
    for unit in (0.0, 0.1, 0.35, 0.5, 0.99, 1.0):
        value = from_unit(distribution, unit)
        assert distribution._contains(distribution.to_internal_repr(value))
        again = from_unit(distribution, to_unit(distribution, value))
        assert again == pytest.approx(value, rel=1e-5)


def test_suggested_floats_have_six_significant_digits() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    study.optimize(valley, n_trials=40)
    assert all(float(f"{p['lr']:.6g}") == p["lr"] for p in drawn(study))


def test_categorical_weights_sum_to_one_and_favour_the_best() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    study.optimize(valley, n_trials=60)
    found = CoarseToFineSampler(seed=0).narrowed(
        study.trials, study.direction, "kind", CategoricalDistribution(["a", "b"]), {}
    )
    assert found is not None
    assert found.weights is not None
    assert sum(found.weights.values()) == pytest.approx(1, abs=1e-3)
    assert found.weights["b"] > found.weights["a"] > 0


def in_batches(study: optuna.Study, batches: int, size: int = 4) -> optuna.Study:
    for _ in range(batches):
        for trial, value in [(t, valley(t)) for t in [study.ask() for _ in range(size)]]:
            study.tell(trial, value)
    return study


def test_a_batch_cut_short_while_it_is_drawn_is_drawn_the_same(tmp_path: Path) -> None:
    quiet = in_batches(optuna.create_study(sampler=CoarseToFineSampler(seed=5, batch=4)), 5)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    cut = optuna.create_study(
        storage=url, study_name="s", sampler=CoarseToFineSampler(seed=5, batch=4)
    )
    in_batches(cut, 4)
    valley(cut.ask())
    cut.ask().suggest_float("lr", 1e-4, 1.0, log=True)  # half of its parameters, then the kill
    again = optuna.load_study(
        storage=url, study_name="s", sampler=CoarseToFineSampler(seed=5, batch=4)
    )
    half = optuna.Trial(again, again.trials[-1]._trial_id)
    for trial in (half, again.ask(), again.ask()):
        valley(trial)
    assert drawn(again) == drawn(quiet)


def test_the_gp_proposes_nothing_twice_and_counts_running_trials_in() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    for _ in range(30):  # of 36 configurations
        trial = study.ask()
        x, kind = trial.suggest_int("x", 1, 12), trial.suggest_categorical("k", ["a", "b", "c"])
        if trial.number < 20:
            study.tell(trial, (x - 7) ** 2 + (kind != "b"))  # the others go on running
    assert len({tuple(p.items()) for p in drawn(study)}) == 30


def test_the_gp_learns_that_a_region_diverges() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    for _ in range(60):
        trial = study.ask()
        lr = trial.suggest_float("lr", 1e-4, 1.0, log=True)
        if lr > 0.1:
            trial.set_user_attr(OUTCOME, "diverged")
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, -lr)
    late = [p["lr"] for p in drawn(study)[30:]]
    assert sum(lr > 0.1 for lr in late) <= 12
    assert max(lr for lr in late if lr <= 0.1) > 0.08


def test_an_encoding_learns_which_parameters_a_category_has() -> None:
    space = {
        "trainer": CategoricalDistribution(["sgd", "momentum", "adam"]),
        "policy": CategoricalDistribution(["constant", "step"]),
        "lr": LR,
        "momentum": FloatDistribution(0.0, 1.0),
        "both": FloatDistribution(0.0, 1.0),
    }
    seen: list[dict[str, Any]] = [
        {"trainer": "sgd", "policy": "step", "lr": 0.1},
        {"trainer": "momentum", "policy": "constant", "lr": 0.1, "momentum": 0.9},
        {"trainer": "momentum", "policy": "step", "lr": 0.1, "momentum": 0.5, "both": 0.3},
        {"trainer": "sgd", "policy": "constant", "lr": 0.2},
    ]
    encoding = Encoding(space, seen)
    rows = encoding.rows(seen)
    for row, params in zip(rows, seen, strict=True):
        assert encoding.params(row) == params
    for j in range(len(encoding.names)):
        np.testing.assert_array_equal(encoding.inactive(rows, j), rows[:, j] == ABSENT)


def scores_of(seen: list[Observation]) -> Scores:
    encoding = Encoding({"lr": LR}, [o.params for o in seen])
    return Scores(encoding, seen, np.random.default_rng(0), mixed=True)


def test_scores_are_a_row_for_each_length_and_at_most_300() -> None:
    def trial(number: int, curve: dict[int, float]) -> optuna.trial.FrozenTrial:
        frozen = create_trial(
            state=TrialState.PRUNED,
            params={"lr": 10 ** (-4 * number / 500)},
            distributions={"lr": LR},
            intermediate_values=curve,
        )
        frozen.number = number
        return frozen

    few = [trial(0, {1: 0.9, 9: 0.5}), trial(1, {1: 0.8}), trial(2, {})]
    seen = observe(few, MINIMIZE)
    scores = scores_of(seen)
    assert len(scores.targets) == 4
    assert sorted(scores.features[:, -1].round(2)) == [0.32, 0.32, 1.05, 1.05]

    seen = observe([trial(n, {1: float(n)}) for n in range(500)], MINIMIZE)
    scores = scores_of(seen)
    assert len(scores.targets) == MOST_ROWS
    np.testing.assert_allclose(
        scores.features[:BEST_ROWS, 0], 1 - np.arange(BEST_ROWS) / 500, atol=1e-6
    )


def test_the_literal_rule_halves_a_box_around_the_best() -> None:
    study = optuna.create_study(
        sampler=CoarseToFineSampler(seed=0, proposal="random", n_startup=20)
    )
    study.optimize(valley, n_trials=80)
    for step, end in ((1, 40), (2, 60), (3, 80)):
        places = [to_unit(LR, p["lr"]) for p in drawn(study)[end - 20 : end]]
        assert max(places) - min(places) <= 0.5**step
        assert {p["kind"] for p in drawn(study)[end - 20 : end]} == {"b"}
    found = CoarseToFineSampler(seed=0, proposal="random", n_startup=20).narrowed(
        study.trials, study.direction, "lr", LR, {}
    )
    assert found is not None
    assert found.share <= 0.5**4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shrink": 0.0}, "shrink must be above 0 and at most 1, got 0.0"),
        ({"n_startup": 2.5}, "n_startup must be a whole number of at least 0, got 2.5"),
        (
            {"proposal": "narrow"},
            "proposal must be one of gp, model-free, random, uniform, got 'na",
        ),
        ({"batch": 0}, "batch must be a whole number of at least 1, got 0"),
        ({"narrow_every": 0}, "narrow_every must be a whole number of at least 1, got 0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CoarseToFineSampler(**options)


def test_scores_are_compared_at_the_lengths_where_most_trials_end() -> None:
    curves = [{length: float(length)} for length in (2, 2, 3, 3, 3, 5, 5, 7, 7, 1)]
    curves.append({length: length / 2 for length in (1, 2, 3, 5, 7, 13)})
    trials = []
    for number, curve in enumerate(curves):
        trials.append(create_trial(state=TrialState.PRUNED, intermediate_values=curve))
        trials[-1].number = number
    ranked = {o.number: o for o in observe(trials, MINIMIZE)}
    # At 2, 3, 5 and 7 most trials end; 13 and 1 are the longest trainings of the last two.
    assert set(ranked[10].curve) == {2.0, 3.0, 5.0, 7.0, 13.0}
    assert set(ranked[9].curve) == {1.0}
    # The last trial alone has two lengths: half an epoch's score more for each epoch more.
    assert ranked[10].score == 6.5
    assert [ranked[number].score for number in (0, 2, 5, 9)] == [2 + 5.5, 3 + 5.0, 5 + 4.0, 7.0]


def test_lengths_that_as_many_trials_have_are_taken_from_the_shortest() -> None:
    trials = []
    for number, length in enumerate((9, 7, 5, 3, 1)):
        curve = dict.fromkeys(range(1, length + 1), 0.0)
        trials.append(create_trial(state=TrialState.PRUNED, intermediate_values=curve))
        trials[-1].number = number
    ranked = {o.number: o for o in observe(trials, MINIMIZE)}
    assert set(ranked[0].curve) == {1.0, 3.0, 5.0, 7.0, 9.0}
    assert set(ranked[4].curve) == {1.0}


def test_a_maximum_is_ranked_from_above() -> None:
    maximize = optuna.study.StudyDirection.MAXIMIZE
    trials = [create_trial(value=value) for value in (1.0, 3.0, 2.0)]
    for number, trial in enumerate(trials):
        trial.number = number
    ranked = observe(trials, maximize)
    assert [(o.number, o.score) for o in ranked] == [(1, -3.0), (2, -2.0), (0, -1.0)]
