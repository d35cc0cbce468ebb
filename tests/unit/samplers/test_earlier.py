"""What a search learns from earlier studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from hpsearch.samplers import CoarseToFineSampler, EarlierStudy, Prior
from hpsearch.samplers.coarse_to_fine.earlier import Earlier, n_fitting
from hpsearch.samplers.coarse_to_fine.encoding import Encoding
from hpsearch.samplers.coarse_to_fine.gp import fit_kernel
from hpsearch.samplers.coarse_to_fine.model import Scores
from hpsearch.samplers.history import Observation
from hpsearch.samplers.related import Relations

SPACE = {
    "x": FloatDistribution(0.0, 1.0),
    "y": FloatDistribution(0.0, 1.0),
    "kind": CategoricalDistribution(["a", "b"]),
}
Function = Callable[[float, float], float]


def bowl(x: float, y: float) -> float:
    return (x - 0.7) ** 2 + (y - 0.2) ** 2


def slope(x: float, y: float) -> float:
    return y - x


def tried(function: Function, n: int = 40, seed: int = 0) -> EarlierStudy:
    rng = np.random.default_rng(seed)
    places = rng.random((n, 2)).round(4)
    configurations = tuple(
        {"x": x, "y": y, "kind": "ab"[i % 2]} for i, (x, y) in enumerate(places.tolist())
    )
    return EarlierStudy(configurations, tuple(function(x, y) for x, y in places.tolist()))


def searched(sampler: CoarseToFineSampler, function: Function, n: int = 30) -> optuna.Study:
    study = optuna.create_study(sampler=sampler)

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_categorical("kind", ["a", "b"])
        return function(trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1))

    study.optimize(objective, n_trials=n)
    return study


def weight_of(earlier: EarlierStudy, function: Function, n: int) -> float:
    """How much of an earlier study's predictions counts after n results: the ratio of the range
    of the trend to that with results of the study's own function."""
    encoding, rng = Encoding(SPACE, []), np.random.default_rng(5)
    seen = []
    for number, (x, y) in enumerate(rng.random((n, 2)).tolist()):
        params = {"x": x, "y": y, "kind": "a"}
        seen.append(Observation(number, params, function(x, y), {1.0: function(x, y)}))
    seen.sort(key=lambda one: one.score)
    scores = Scores(encoding, seen, rng, mixed=True)
    kernel = fit_kernel(scores.features, scores.targets, encoding.feature_dimensions())
    trend = Earlier([earlier]).trend(encoding, scores, kernel)
    assert trend is not None
    rows = encoding.rows([{"x": x, "y": y, "kind": "a"} for x, y in rng.random((50, 2)).tolist()])
    return float(np.ptp(trend(rows)))


def test_a_study_like_it_counts_and_one_that_is_contradicted_does_not() -> None:
    like, waves = tried(bowl), tried(lambda x, y: float(np.cos(9 * x) * np.cos(9 * y)))
    assert weight_of(like, bowl, 40) > 4 * weight_of(waves, bowl, 40)
    assert weight_of(tried(lambda x, y: -bowl(x, y)), bowl, 12) == 0.0


def test_with_more_results_a_useless_study_counts_less() -> None:
    rng = np.random.default_rng(1)
    noise = EarlierStudy(tried(bowl).configurations, tuple(rng.random(40).tolist()))
    few, many = (weight_of(noise, bowl, n) for n in (4, 64))
    assert many < few
    assert many < 0.5 * weight_of(tried(bowl), bowl, 64)


def test_every_third_of_the_first_trials_is_one_that_was_tried() -> None:
    earlier = tried(bowl)
    study = searched(CoarseToFineSampler(seed=0, earlier=[earlier]), bowl, 10)
    configurations = [dict(one) for one in earlier.configurations]
    known = [trial.number for trial in study.trials if trial.params in configurations]
    assert known == [1, 4, 7]
    best = sorted(earlier.scores)[:6]
    assert study.trials[1].value is not None
    assert study.trials[1].value <= best[-1]


def test_priors_draw_their_trials_beside_earlier_studies() -> None:
    priors = {"x": Prior(0.95, "high"), "y": Prior(0.95, "high")}
    sampler = CoarseToFineSampler(seed=0, priors=priors, earlier=[tried(bowl)])
    study = optuna.create_study(sampler=sampler)
    for _ in range(10):
        trial = study.ask()
        study.tell(trial, bowl(trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)))
    by_priors = [t.number for t in study.trials if min(t.params.values()) > 0.8]
    places = [{name: one[name] for name in "xy"} for one in tried(bowl).configurations]
    known = [t.number for t in study.trials if t.params in places]
    assert (by_priors, known) == ([1, 4, 7], [2, 5, 8])


def test_what_was_tried_already_is_passed_over() -> None:
    earlier = tried(bowl)
    first = searched(CoarseToFineSampler(seed=0, earlier=[earlier]), bowl, 5)
    given = optuna.create_study(sampler=CoarseToFineSampler(seed=0, earlier=[earlier]))
    given.enqueue_trial(first.trials[1].params)
    for _ in range(2):
        trial = given.ask()
        trial.suggest_categorical("kind", ["a", "b"])
        given.tell(trial, bowl(trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)))
    assert given.trials[1].params == first.trials[4].params


def test_values_between_the_steps_of_now_are_moved_to_one_and_drawn_once() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 201, 30).tolist()
    earlier = EarlierStudy(tuple({"n": n} for n in values), tuple(abs(n - 43.0) for n in values))
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0, earlier=[earlier]))
    study.optimize(lambda t: abs(t.suggest_int("n", 0, 200, step=10) - 43.0), n_trials=21)
    assert len({trial.params["n"] for trial in study.trials}) == 21


def test_scores_as_large_as_there_are_break_nothing() -> None:
    known = tried(bowl)
    scores = (1.7e308, -1.7e308, *known.scores[2:])
    sampler = CoarseToFineSampler(seed=0, earlier=[EarlierStudy(known.configurations, scores)])
    assert len(searched(sampler, bowl, 14).trials) == 14


def test_what_breaks_a_relation_is_passed_over() -> None:
    def hold(params: Mapping[str, Any]) -> bool:
        return "x" not in params or "y" not in params or params["x"] < params["y"]

    relations = Relations(
        hold,
        lambda columns: np.asarray(columns["x"] < columns["y"]),
        lambda rng, n: [{"x": 0.1, "y": 0.2, "kind": "a"}],
    )
    sampler = CoarseToFineSampler(seed=0, earlier=[tried(bowl)], relations=relations)
    study = searched(sampler, bowl, 16)
    drawn = [trial for trial in study.trials if trial.number > 0]
    assert all(trial.params["x"] < trial.params["y"] for trial in drawn)
    configurations = [dict(one) for one in tried(bowl).configurations]
    assert [study.trials[n].params in configurations for n in (1, 4, 7)] == [True] * 3


def test_the_first_ones_are_good_together_in_all_studies() -> None:
    left, right = tried(lambda x, y: x, seed=1), tried(lambda x, y: -x, seed=2)
    study = searched(CoarseToFineSampler(seed=0, earlier=[left, right]), bowl, 8)
    places = [study.trials[number].params["x"] for number in (1, 4, 7)]
    assert min(places) < 0.1
    assert max(places) > 0.9


def test_a_search_with_a_study_of_the_same_is_ahead_of_one_without() -> None:
    def regrets(*earlier: EarlierStudy) -> list[float]:
        runs = (
            searched(CoarseToFineSampler(seed=seed, earlier=earlier), bowl, 11).best_value
            for seed in range(5)
        )
        return [*runs]

    assert np.median(regrets(tried(bowl))) < 0.5 * np.median(regrets())


def test_draws_repeat_and_do_not_depend_on_the_object() -> None:
    earlier = [tried(bowl), tried(slope, seed=3)]
    whole = searched(CoarseToFineSampler(seed=3, earlier=earlier), bowl, 24)
    again = optuna.create_study()
    again.add_trials(whole.trials[:15])
    again.sampler = CoarseToFineSampler(seed=3, earlier=earlier)
    for known in whole.trials[15:]:
        trial = again.ask()
        trial.suggest_categorical("kind", ["a", "b"])
        params = {"kind": trial.params["kind"]}
        params |= {name: trial.suggest_float(name, 0, 1) for name in ("x", "y")}
        assert params == known.params
        again.tell(trial, known.value)


def test_without_earlier_studies_draws_are_what_they_were() -> None:
    one = searched(CoarseToFineSampler(seed=3), bowl, 24)
    few = EarlierStudy(tried(bowl).configurations[:4], tried(bowl).scores[:4])
    other = searched(CoarseToFineSampler(seed=3, earlier=[few]), bowl, 24)
    assert [t.params for t in one.trials] == [t.params for t in other.trials]


def test_trials_outside_the_space_are_left_out_and_other_parameters_ignored() -> None:
    study = EarlierStudy(
        (
            {"x": 0.5, "more": 3},
            {"x": 2.0, "y": 0.5},
            {"kind": "c", "x": 0.5},
            {"more": 1},
        ),
        (1.0, 2.0, 3.0, 4.0),
    )
    assert n_fitting(SPACE, study) == 1


def test_a_study_of_optuna_gives_its_complete_trials_lower_is_better() -> None:
    study = optuna.create_study(direction="maximize")
    for value in (1.0, 3.0, 2.0):
        study.add_trial(
            optuna.trial.create_trial(
                params={"x": value / 3}, distributions={"x": SPACE["x"]}, value=value
            )
        )
    study.ask()
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    taken = EarlierStudy.of(study)
    assert taken.scores == (-1.0, -3.0, -2.0)
    assert all(a["x"] != b["x"] for a, b in pairwise(taken.configurations))


def test_what_is_no_earlier_study_is_said() -> None:
    with pytest.raises(ValueError, match="a score a trial, got 1 for 2"):
        EarlierStudy(({"x": 1}, {"x": 2}), (1.0,))
    with pytest.raises(ValueError, match="must be finite"):
        EarlierStudy(({"x": 1},), (float("inf"),))
    with pytest.raises(ValueError, match="must have one objective"):
        EarlierStudy.of(optuna.create_study(directions=["minimize", "maximize"]))
    with pytest.raises(ValueError, match="earlier must be left out beside proposal"):
        CoarseToFineSampler(earlier=[tried(bowl)], proposal="uniform")
