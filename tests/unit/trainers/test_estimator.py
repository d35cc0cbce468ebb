"""scikit-learn estimators: what an epoch is, what is scored, how one continues and what fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hpsearch.errors import StudyFileError
from hpsearch.trainers import Member, Progress, Split, TrainingData, trainer_kind
from hpsearch.trainers.estimator import EstimatorTrainer, load_estimator

FOREST = "sklearn.ensemble.RandomForestClassifier"
LOGISTIC = "sklearn.linear_model.LogisticRegression"
SGD = "sklearn.linear_model.SGDClassifier"
SVC = "sklearn.svm.SVC"
RIDGE = "sklearn.linear_model.Ridge"
SGD_REGRESSOR = "sklearn.linear_model.SGDRegressor"
# One of every curve, with something random in each where the estimator has it.
EVERY_CURVE = {
    "passes": (SGD, {"batch_size": 7, "loss": "log_loss"}),
    "passes-own-batches": (
        "sklearn.neural_network.MLPClassifier",
        {"hidden_layer_sizes": 8, "batch_size": 10},
    ),
    "growth": (FOREST, {"n_estimators": 10}),
    "growth-boosting": (
        "sklearn.ensemble.GradientBoostingClassifier",
        {"n_estimators": 6, "subsample": 0.7, "max_depth": 2},
    ),
    "growth-histogram": (
        "sklearn.ensemble.HistGradientBoostingClassifier",
        {"max_iter": 5, "min_samples_leaf": 3, "max_features": 0.5},
    ),
    "once": ("sklearn.tree.DecisionTreeClassifier", {"splitter": "random"}),
}

every_curve = pytest.mark.parametrize(
    ("path", "params"), EVERY_CURVE.values(), ids=EVERY_CURVE.keys()
)


def trainer_of(
    data: TrainingData,
    path: str,
    *,
    state: bytes | None = None,
    seed: int = 1,
    n_epochs: int = 4,
    **params: Any,
) -> EstimatorTrainer:
    member = Member({"trainer": path, **params}, (seed, 2), 0, state)
    return EstimatorTrainer([member], data, n_epochs=n_epochs)


def scores(steps: list[Progress]) -> list[dict[str, float]]:
    return [{k: float(v[0]) for k, v in step.metrics.items()} for step in steps]


def model_of(trainer: EstimatorTrainer) -> Any:
    """The fitted estimator, as its state has it."""
    import pickle

    state = trainer.state(0)
    assert state is not None
    return pickle.loads(state)["model"]


@pytest.fixture
def line() -> TrainingData:
    """60 points near y = 3 x_0 - 2 x_1 + 1, as a regression problem."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 2))
    y = x @ [3.0, -2.0] + 1 + 0.1 * rng.normal(size=60)
    return TrainingData(x, y, n_classes=0, splits=[Split(np.arange(40), np.arange(40, 60))])


def part(data: TrainingData, name: str) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
    rows = getattr(data.splits[0], name)
    return data.inputs[rows] / data.scale, data.labels[rows]


@pytest.mark.parametrize(
    ("path", "curve", "size"),
    [
        (SGD, "passes", ""),
        (SGD_REGRESSOR, "passes", ""),
        ("sklearn.neural_network.MLPRegressor", "passes", ""),
        (FOREST, "growth", "n_estimators"),
        ("sklearn.ensemble.ExtraTreesRegressor", "growth", "n_estimators"),
        ("sklearn.ensemble.GradientBoostingRegressor", "growth", "n_estimators"),
        ("sklearn.ensemble.HistGradientBoostingRegressor", "growth", "max_iter"),
        ("sklearn.naive_bayes.GaussianNB", "once", ""),
        (LOGISTIC, "once", ""),
        (SVC, "once", ""),
        ("sklearn.neighbors.KNeighborsRegressor", "once", ""),
    ],
)
def test_an_epoch_is_what_the_estimator_can_do(path: str, curve: str, size: str) -> None:
    estimator = load_estimator(path)
    assert (estimator.curve, estimator.size) == (curve, size)


@every_curve
def test_same_seed_same_scores(path: str, params: dict[str, Any], digits: TrainingData) -> None:
    first, second = (scores(list(trainer_of(digits, path, **params).run(4))) for _ in range(2))
    assert len(first) == 4
    assert first == second


@every_curve
@pytest.mark.parametrize("pause", [1, 3])
def test_a_continued_run_is_the_uninterrupted_one(
    pause: int, path: str, params: dict[str, Any], digits: TrainingData
) -> None:
    whole = scores(list(trainer_of(digits, path, **params).run(4)))
    first = trainer_of(digits, path, **params)
    begun = scores(list(first.run(pause)))
    second = trainer_of(digits, path, state=first.state(0), **params)
    assert begun + scores(list(second.run(4))) == whole


@every_curve
def test_another_seed_gives_other_scores(
    path: str, params: dict[str, Any], digits: TrainingData
) -> None:
    one, other = (scores(list(trainer_of(digits, path, seed=s, **params).run(1))) for s in (1, 2))
    assert one != other


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (SVC, {"C": 100.0, "gamma": 2.0}),
        (FOREST, {"n_estimators": 30, "bootstrap": False}),
        ("sklearn.neural_network.MLPClassifier", {"solver": "sgd", "learning_rate_init": 0.5}),
    ],
)
def test_learns_xor(path: str, params: dict[str, Any], xor: TrainingData) -> None:
    *_, last = trainer_of(xor, path, n_epochs=100, **params).run(100)
    assert last.metrics["validation_accuracy"] == 1


def test_a_forest_grows_to_the_one_that_is_fitted_at_once(digits: TrainingData) -> None:
    from sklearn.ensemble import RandomForestClassifier

    trainer = trainer_of(digits, FOREST, n_estimators=10)
    sizes = []
    for _ in trainer.run(4):
        sizes.append(len(model_of(trainer).estimators_))
    assert sizes == [3, 5, 8, 10]
    grown = model_of(trainer)
    whole = RandomForestClassifier(10, random_state=grown.random_state)
    x, y = part(digits, "train")
    whole.fit(x.astype(np.float32), y)
    assert np.array_equal(grown.predict_proba(x), whole.predict_proba(x))


def test_trees_fewer_than_epochs_all_grow(digits: TrainingData) -> None:
    trainer = trainer_of(digits, FOREST, n_estimators=2)
    assert len(list(trainer.run(4))) == 4
    assert len(model_of(trainer).estimators_) == 2


def test_a_pass_takes_every_training_row_once(digits: TrainingData) -> None:
    trainer = trainer_of(digits, SGD, batch_size=7)
    list(trainer.run(3))
    assert model_of(trainer).t_ == 3 * len(digits.splits[0].train) + 1  # it counts rows from 1


def test_what_is_fitted_once_repeats_its_scores(digits: TrainingData) -> None:
    first, *others = scores(list(trainer_of(digits, SVC).run(3)))
    assert others == [first, first]


@pytest.mark.parametrize("path", [LOGISTIC, "sklearn.neighbors.KNeighborsClassifier"])
def test_scores_of_a_classifier_are_those_of_scikit_learn(path: str, digits: TrainingData) -> None:
    from sklearn.metrics import accuracy_score, log_loss

    trainer = trainer_of(digits, path)
    (got,) = scores(list(trainer.run(1)))
    model = model_of(trainer)
    for name in ("train", "validation"):
        x, y = part(digits, name)
        p = model.predict_proba(x.astype(np.float32))
        assert got[f"{name}_accuracy"] == accuracy_score(y, p.argmax(axis=1))
        assert got[f"{name}_loss"] == pytest.approx(log_loss(y, p, labels=range(10)), rel=1e-6)


def test_scores_of_a_regressor_are_those_of_scikit_learn(line: TrainingData) -> None:
    from sklearn.metrics import mean_squared_error, r2_score

    trainer = trainer_of(line, RIDGE, alpha=2.0)
    (got,) = scores(list(trainer.run(1)))
    for name in ("train", "validation"):
        x, y = part(line, name)
        predicted = model_of(trainer).predict(x)
        assert got[f"{name}_mse"] == pytest.approx(mean_squared_error(y, predicted), rel=1e-12)
        assert got[f"{name}_r2"] == pytest.approx(r2_score(y, predicted), rel=1e-12)


def test_a_class_that_was_not_trained_on_costs_a_finite_loss() -> None:
    data = TrainingData(
        np.array([[0.0], [1.0], [0.1], [0.9], [0.5]]),
        np.array([0, 2, 0, 2, 3]),
        n_classes=4,
        splits=[Split(np.arange(4), np.array([2, 3, 4]))],
    )
    (got,) = scores(list(trainer_of(data, LOGISTIC).run(1)))
    assert got["validation_accuracy"] == pytest.approx(2 / 3)
    assert got["validation_loss"] > 10


def test_targets_that_are_all_equal_have_no_r2(line: TrainingData) -> None:
    data = TrainingData(line.inputs, np.ones(60), n_classes=0, splits=line.splits)
    (got,) = scores(list(trainer_of(data, RIDGE).run(1)))
    assert set(got) == {"train_mse", "validation_mse"}


@pytest.mark.parametrize(
    ("path", "params", "names"),
    [
        (SVC, {}, {"accuracy"}),
        (LOGISTIC, {}, {"accuracy", "loss"}),
        (SGD, {"loss": "hinge"}, {"accuracy"}),
        (SGD, {"loss": "log_loss"}, {"accuracy", "loss"}),
    ],
)
def test_the_loss_is_reported_where_there_are_probabilities(
    path: str, params: dict[str, Any], names: set[str], digits: TrainingData
) -> None:
    (got,) = scores(list(trainer_of(digits, path, **params).run(1)))
    assert set(got) == {f"{part}_{name}" for part in ("train", "validation") for name in names}
    assert set(got) <= set(load_estimator(path).metrics)


def test_inputs_are_scaled_and_tables_of_doubles_keep_their_precision(
    digits: TrainingData, line: TrainingData
) -> None:
    one = trainer_of(digits, "sklearn.neighbors.KNeighborsClassifier")
    list(one.run(1))
    assert model_of(one)._fit_X.dtype == np.float32
    assert model_of(one)._fit_X.max() == 1
    other = trainer_of(line, "sklearn.neighbors.KNeighborsRegressor")
    list(other.run(1))
    assert model_of(other)._fit_X.dtype == np.float64


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (SGD_REGRESSOR, {"learning_rate": "constant", "eta0": 1e300}),
        ("sklearn.neural_network.MLPRegressor", {"solver": "sgd", "learning_rate_init": 1e30}),
    ],
)
def test_weights_that_overflow_are_divergence(
    path: str, params: dict[str, Any], line: TrainingData
) -> None:
    *_, last = trainer_of(line, path, n_epochs=9, **params).run(9)
    assert last.diverged.tolist() == [True]


def test_what_an_estimator_refuses_is_an_exception_with_its_reason(digits: TrainingData) -> None:
    with pytest.raises(ValueError, match="Precomputed matrix must be a square matrix"):
        list(trainer_of(digits, SVC, kernel="precomputed").run(1))


@pytest.mark.filterwarnings("error")
def test_an_estimator_that_does_not_converge_is_silent(digits: TrainingData) -> None:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    x, y = part(digits, "train")
    with pytest.raises(ConvergenceWarning):
        LogisticRegression(max_iter=2).fit(x, y)
    list(trainer_of(digits, LOGISTIC, max_iter=2).run(1))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("sklearn.svn.SVC", "'sklearn.svn.SVC' must be importable as package.module.Class"),
        ("sklearn.svm.SVCC", r"class of sklearn.svm must be one of .* \(did you mean 'SVC'\?\)"),
        ("sklearn.svm.fit", "must be one of"),
        ("sklearn.cluster.KMeans", "must be a scikit-learn classifier or regressor"),
        ("sklearn.multiclass.OneVsRestClassifier", "made without arguments, got TypeError"),
    ],
)
def test_what_is_no_estimator_is_a_mistake_of_the_study_file(path: str, message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        load_estimator(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("threads", "must be written with a colon, as a function of your own: 'dotted:threads'"),
        (
            "thread",
            "must be a class with fit and predict, got a module without any (did you mean "
            "'threads'?); functions are written 'dotted:NAME'",
        ),
    ],
)
def test_a_function_behind_a_dot_is_told_how_it_is_written(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dotted.py").write_text("def threads(params, data, seed): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "dotted", raising=False)
    with pytest.raises(StudyFileError) as caught:
        load_estimator(f"dotted.{name}")
    assert str(caught.value) == f"trainer 'dotted.{name}' {message}"


@pytest.mark.parametrize(
    ("path", "name", "value", "problem"),
    [
        (SVC, "C", 2.0, None),
        (SVC, "C", 2, None),
        (SVC, "C", 0, "must be a float in the range (0.0, inf], got 0"),
        (SVC, "gamma", "scale", None),
        (FOREST, "n_estimators", 2.5, "must be an int in the range [1, inf), got 2.5"),
    ],
)
def test_an_estimator_judges_its_arguments(
    path: str, name: str, value: object, problem: str | None
) -> None:
    kind = trainer_kind(path)
    assert kind is not None
    assert kind.hyperparameters()[name].problem(value) == problem


def test_a_wrong_choice_has_the_nearest_valid_one() -> None:
    kind = trainer_kind(SVC)
    assert kind is not None
    assert "(did you mean 'rbf'?)" in str(kind.hyperparameters()["kernel"].problem("rbff"))


def test_hyperparameters_are_the_arguments_that_the_trainer_does_not_set() -> None:
    kind = trainer_kind(SGD)
    assert kind is not None
    names = kind.hyperparameters()
    assert {"alpha", "penalty", "batch_size"} <= set(names)
    assert not {"random_state", "warm_start", "max_iter"} & set(names)
    svc = trainer_kind(SVC)
    assert svc is not None
    assert "max_iter" in svc.hyperparameters()
    assert "batch_size" not in svc.hyperparameters()
