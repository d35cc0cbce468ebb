"""Early stopping of ensembles: one rule for all libraries, on the member's validation rows."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpsearch.trainers import Member, Split, TrainingData
from hpsearch.trainers.boosters import LIBRARIES, Ensemble
from hpsearch.trainers.boosters.early_stopping import EarlyStopping, Watched
from hpsearch.trainers.boosters.fitted import FittedBooster, load_booster
from hpsearch.trainers.estimator import EstimatorTrainer, load_estimator
from tests.harness.boosters import CLASSIFIERS, EXACT, REGRESSORS, SAMPLED, every_library, needs

ROUNDS, TREES, RATE = 6, 200, 0.3
Scores = list[dict[str, float]]


def params_of(library: str, task: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """A class, and what it is trained with where it stops early."""
    path, params = (CLASSIFIERS if task == "classes" else REGRESSORS)[library]
    size = LIBRARIES[library].sizes[0]
    steep = {size: TREES, "learning_rate": RATE, "early_stopping_rounds": ROUNDS}
    return path, params | EXACT[library] | steep | more


def trainer_of(
    data: TrainingData,
    path: str,
    params: dict[str, Any],
    *,
    state: bytes | None = None,
    trees: int = 0,
    n_epochs: int = 5,
) -> EstimatorTrainer:
    member = Member({"trainer": path, **params}, (1, 2), 0, state, trees=trees)
    return EstimatorTrainer([member], data, n_epochs=n_epochs)


def scores(trainer: EstimatorTrainer, until: int) -> Scores:
    return [{k: float(v[0]) for k, v in step.metrics.items()} for step in trainer.run(until)]


def data_of(task: str, *, weights: bool = False) -> TrainingData:
    """80 training and 60 validation rows that a few trees learn and many learn by heart."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(140, 3))
    y: Any = x @ [2.0, -1.0, 0.0] + rng.normal(size=140)
    if task == "classes":
        y = np.digitize(y, [-1, 1])
    return TrainingData(
        x,
        y,
        n_classes=3 if task == "classes" else 0,
        splits=[Split(np.arange(80), np.arange(80, 140))],
        weights=rng.random(140) if weights else None,
    )


def own_choice(library: str, task: str, data: TrainingData) -> int:
    """The number of trees that the library's own early stopping chooses, in one fit."""
    path, params = params_of(library, task)
    (split,) = data.splits
    x, y = data.floats(slice(None), data.precision), data.labels
    w = data.weights
    (train, validation) = (split.train, split.validation)
    learned, weighed = (x[train], y[train]), None if w is None else w[train]
    watched, seen = (x[validation], y[validation]), None if w is None else w[validation]
    make, settings = load_estimator(path).make, LIBRARIES[library].settings(1)
    if library == "lightgbm":
        import lightgbm

        del params["early_stopping_rounds"]
        stop = [lightgbm.early_stopping(ROUNDS, verbose=False)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # eval_set has another name since 4.7
            made = make(**params | settings).fit(
                *learned,
                sample_weight=weighed,
                eval_set=[watched],
                eval_sample_weight=[seen],
                callbacks=stop,
            )
        return int(made.best_iteration_)
    if library == "xgboost":
        made = make(**params | settings).fit(
            *learned,
            sample_weight=weighed,
            eval_set=[watched],
            sample_weight_eval_set=[seen],
            verbose=False,
        )
        return int(made.best_iteration) + 1
    from catboost import Pool

    made = make(**params | settings)
    made.fit(*learned, sample_weight=weighed, eval_set=Pool(*watched, weight=seen))
    return int(made.best_iteration_) + 1


@pytest.mark.parametrize(
    ("losses", "best", "seen", "ended"),
    [
        ([3, 2, 1], 3, 3, False),
        ([3, 1, 2], 2, 3, False),
        ([3, 1, 2, 2], 2, 4, True),
        ([3, 1, 1, 1], 2, 4, True),  # an equal loss is no better one
        ([1, 2, 2, 0], 1, 3, True),  # what comes after the end does not count
        ([float("nan"), 2, 3], 2, 3, False),
        ([float("nan")] * 4, 1, 3, True),
        ([], 0, 0, False),
    ],
)
def test_the_growth_ends_where_so_many_trees_were_no_better(
    losses: list[float], best: int, seen: int, ended: bool
) -> None:
    early = EarlyStopping(rounds=2)
    for loss in losses:
        early.see([loss])
    assert (early.best, early.seen, early.ended) == (best, seen, ended)
    at_once = EarlyStopping(rounds=2)
    at_once.see(losses)
    assert at_once == early


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("task", ["classes", "numbers"])
@every_library
def test_it_chooses_the_trees_that_the_library_itself_would(
    library: str, task: str, weights: bool
) -> None:
    data = data_of(task, weights=weights)
    trainer = trainer_of(data, *params_of(library, task))
    *_, last = scores(trainer, 5)
    chosen = own_choice(library, task, data)
    assert 1 < chosen < 100
    assert last["trees/chosen"] == chosen
    assert last["trees/grown"] == chosen + ROUNDS


@pytest.mark.parametrize("task", ["classes", "numbers"])
@every_library
def test_what_it_stops_by_has_no_part_in_its_trees(library: str, task: str) -> None:
    """It is the ensemble that grows without early stopping, as far as that was the better."""
    data = data_of(task)
    path, params = params_of(library, task, **SAMPLED[library])
    stopped = trainer_of(data, path, params, n_epochs=20)
    *_, last = scores(stopped, 20)
    del params["early_stopping_rounds"]
    seed = int(np.random.SeedSequence((1, 2)).generate_state(1)[0])
    plain = Ensemble(LIBRARIES[library], load_estimator(path).make, params, seed=seed)
    rows = data.splits[0].train
    x = data.floats(slice(None), data.precision)
    for trees in range(10, TREES + 1, 10):  # in 20 epochs
        if plain.trees < last["trees/grown"]:
            plain.set_params(n_estimators=trees).fit(x[rows], data.labels[rows])
    fitted = stopped.fitted(0)
    assert isinstance(fitted, FittedBooster)
    cut = plain.library.first(
        plain._model, int(last["trees/chosen"]), classifies=task == "classes"
    )
    predict = plain.library.probabilities if task == "classes" else plain.library.values
    assert np.array_equal(predict(cut, x), predict(fitted.model._used, x))


@every_library
def test_it_is_scored_by_its_best_number_of_trees(library: str) -> None:
    data = data_of("classes")
    path, params = params_of(library, "classes")
    stopped, whole = trainer_of(data, path, params), trainer_of(data, path, params, trees=TREES)
    found = scores(stopped, 5)
    losses = [one["validation_loss"] for one in found]
    assert losses == sorted(losses, reverse=True)
    assert found[-1] == found[-2]
    assert losses[-1] < scores(whole, 5)[-1]["validation_loss"]
    assert stopped.ended(0) == 1
    assert whole.ended(0) == 0


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("cut", [1, 2, 4])
@every_library
def test_a_pause_changes_nothing(library: str, cut: int, sampled: bool) -> None:
    data = data_of("classes")
    more = {**(SAMPLED[library] if sampled else {}), "learning_rate": 0.1}
    path, params = params_of(library, "classes", **more)
    whole = trainer_of(data, path, params, n_epochs=20)
    expected = scores(whole, 10)
    assert whole.ended(0) > 1
    first = trainer_of(data, path, params, n_epochs=20)
    begun = scores(first, cut)
    second = trainer_of(data, path, params, state=first.state(0), n_epochs=20)
    assert begun + scores(second, 10) == expected
    assert second.ended(0) == whole.ended(0)
    x = data.floats(slice(None), data.precision)
    models = [pickle.loads(trainer.state(0) or b"")["model"] for trainer in (whole, second)]
    assert np.array_equal(*(model.predict_proba(x) for model in models))


@every_library
def test_a_model_with_a_chosen_number_of_trees_needs_no_validation_rows(
    library: str, tmp_path: Path
) -> None:
    data = data_of("numbers").as_final()
    trainer = trainer_of(data, *params_of(library, "numbers"), trees=17)
    *_, last = scores(trainer, 5)
    assert (last["trees/chosen"], last["trees/grown"]) == (17, 17)
    assert trainer.ended(0) == 0
    fitted = trainer.fitted(0)
    assert fitted is not None
    place = tmp_path / fitted.file_name
    place.write_bytes(fitted.to_bytes((), data.inputs[:2]))
    model = load_booster(LIBRARIES[library], place).model
    assert n_trees(library, model) == 17


def n_trees(library: str, model: Any) -> int:
    counts = {
        "lightgbm": lambda: model.current_iteration(),
        "xgboost": lambda: model.num_boosted_rounds(),
        "catboost": lambda: model.tree_count_,
    }
    return int(counts[library]())


@every_library
def test_the_test_set_stops_nothing(library: str) -> None:
    """Its rows are the validation side of the final test."""
    path, params = params_of(library, "numbers")
    trainer = trainer_of(data_of("numbers").as_final(), path, params)
    *_, last = scores(trainer, 5)
    assert "trees/chosen" not in last
    fitted = trainer.fitted(0)
    assert isinstance(fitted, FittedBooster)
    assert fitted.model.trees == TREES


@every_library
def test_a_file_holds_the_best_number_of_trees(library: str, tmp_path: Path) -> None:
    data = data_of("classes")
    trainer = trainer_of(data, *params_of(library, "classes"))
    *_, last = scores(trainer, 5)
    fitted = trainer.fitted(0)
    assert isinstance(fitted, FittedBooster)
    place = tmp_path / fitted.file_name
    place.write_bytes(fitted.to_bytes(("a", "b", "c"), data.inputs[:2]))
    read = load_booster(LIBRARIES[library], place)
    assert n_trees(library, read.model) == last["trees/chosen"]
    x = data.floats(slice(None), data.precision)
    assert np.array_equal(read.predict_proba(x), fitted.model.predict_proba(x))


@every_library
def test_validation_rows_of_an_unknown_class_do_not_count(library: str) -> None:
    known = data_of("classes")
    labels = known.labels.copy()
    labels[130:] = 3  # a class that no training row has
    (split,) = known.splits
    found = []
    for validation in (np.arange(80, 130), np.arange(80, 140)):
        data = TrainingData(
            known.inputs, labels, n_classes=4, splits=[replace(split, validation=validation)]
        )
        *_, last = scores(trainer_of(data, *params_of(library, "classes")), 5)
        found.append((last["trees/chosen"], last["trees/grown"]))
    assert found[0] == found[1]


@pytest.mark.parametrize("weights", [None, np.zeros(2)])
def test_rows_that_do_not_count_are_not_watched(weights: Any) -> None:
    watched = Watched(np.ones((2, 1)), np.array([5, 6]), weights)
    assert watched.of_classes(np.array([0, 1])) is None


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("lightgbm.LGBMClassifier", {"boosting_type": "dart"}),
        ("xgboost.XGBClassifier", {"booster": "dart"}),
        ("xgboost.XGBRegressor", {"booster": "gblinear"}),
    ],
)
def test_trees_that_change_later_can_not_be_taken_back(path: str, params: dict[str, Any]) -> None:
    pytest.importorskip(path.partition(".")[0], reason="an extra")
    ((name, value),) = params.items()
    with pytest.raises(ValueError, match=f"early_stopping_rounds must be left out.*{name}"):
        trainer_of(data_of("classes"), path, {**params, "early_stopping_rounds": 5})
    assert value


@needs("lightgbm")
def test_a_state_from_before_there_was_early_stopping_goes_on() -> None:
    data = data_of("numbers")
    path, params = params_of("lightgbm", "numbers")
    del params["early_stopping_rounds"]
    trainer = trainer_of(data, path, params)
    begun = scores(trainer, 2)
    state = pickle.loads(trainer.state(0) or b"")
    del state["ended"]
    for name in ("early", "_chosen", "_used"):
        del state["model"].__dict__[name]
    on = trainer_of(data, path, params, state=pickle.dumps(state))
    assert begun + scores(on, 5) == scores(trainer_of(data, path, params), 5)
