"""What the coarse-to-fine sampler promises beyond Optuna's own cases."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from hpsearch.search.samplers import CoarseToFineSampler
from hpsearch.search.samplers.history import OUTCOME, observe
from hpsearch.search.samplers.unit import from_unit, to_unit

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


def test_the_first_ten_draws_fill_ten_cells_of_the_log_range() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_float("lr", 1e-4, 1.0, log=True), n_trials=10)
    cells = [int(10 * to_unit(LR, params["lr"])) for params in drawn(study)]
    assert sorted(cells) == list(range(10))


def test_it_narrows_around_the_best_but_not_only_there() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    study.optimize(valley, n_trials=120)
    late = [math.log10(p["lr"]) for p in drawn(study)[60:]]
    near = sum(abs(x + 2) < 0.5 for x in late) / len(late)
    assert 0.5 < near < 1  # a uniform draw lands there one time in four


def test_uniform_proposal_does_not_narrow() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0, proposal="uniform"))
    study.optimize(valley, n_trials=120)
    late = [math.log10(p["lr"]) for p in drawn(study)[60:]]
    assert sum(abs(x + 2) < 0.5 for x in late) / len(late) < 0.4
    assert CoarseToFineSampler(seed=0, proposal="uniform").narrowed(study, "lr", LR, {}) is None


def test_narrowed_range_holds_the_survivors_and_shrinks() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    shares = []
    for _ in range(3):
        study.optimize(valley, n_trials=40)
        found = CoarseToFineSampler(seed=0).narrowed(study, "lr", LR, {"kind": "b"})
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

    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
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
        study, "kind", CategoricalDistribution(["a", "b"]), {}
    )
    assert found is not None
    assert found.weights is not None
    assert sum(found.weights.values()) == pytest.approx(1, abs=1e-3)
    assert found.weights["b"] > found.weights["a"] > 0
