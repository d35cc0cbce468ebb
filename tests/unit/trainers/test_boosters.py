"""Boosters: how they grow, continue and repeat, what is set for them, and what is refused."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hpsearch.errors import StudyFileError
from hpsearch.trainers import Member, Progress, Split, TrainingData, trainer_kind
from hpsearch.trainers.boosters import LIBRARIES, Ensemble, library_of_file
from hpsearch.trainers.boosters.fitted import FittedBooster, load_booster, read_description
from hpsearch.trainers.estimator import EstimatorTrainer, load_estimator
from tests.harness.boosters import CLASSIFIERS, EXACT, REGRESSORS, SAMPLED, every_library, needs


def trainer_of(
    data: TrainingData,
    path: str,
    params: dict[str, Any],
    *,
    state: bytes | None = None,
    seed: int = 1,
    n_epochs: int = 4,
) -> EstimatorTrainer:
    member = Member({"trainer": path, **params}, (seed, 2), 0, state)
    return EstimatorTrainer([member], data, n_epochs=n_epochs)


def scores(steps: list[Progress]) -> list[dict[str, float]]:
    return [{k: float(v[0]) for k, v in step.metrics.items()} for step in steps]


def ensemble_of(trainer: EstimatorTrainer) -> Ensemble:
    """The ensemble, as its state has it."""
    state = trainer.state(0)
    assert state is not None
    model = pickle.loads(state)["model"]
    assert isinstance(model, Ensemble)
    return model


@pytest.fixture
def line() -> TrainingData:
    """60 points near y = 3 x_0 - 2 x_1 + 1, as a regression problem."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 2))
    y = x @ [3.0, -2.0] + 1 + 0.1 * rng.normal(size=60)
    return TrainingData(x, y, n_classes=0, splits=[Split(np.arange(40), np.arange(40, 60))])


def train_rows(data: TrainingData) -> tuple[NDArray[Any], NDArray[Any]]:
    rows = data.splits[0].train
    return data.floats(rows, data.precision), data.labels[rows]


@every_library
def test_an_ensemble_grows_by_its_share_of_trees_an_epoch(
    library: str, digits: TrainingData
) -> None:
    path, params = CLASSIFIERS[library]
    trainer = trainer_of(digits, path, params)
    assert load_estimator(path).curve == "growth"
    trees = []
    for _ in trainer.run(4):
        trees.append(ensemble_of(trainer).trees)
    assert trees == [2, 4, 6, 7]


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("cut", [1, 3])
@every_library
def test_a_continued_ensemble_is_the_uninterrupted_one(
    library: str, cut: int, sampled: bool, digits: TrainingData
) -> None:
    path, params = CLASSIFIERS[library]
    params = params | (SAMPLED[library] if sampled else {})
    whole = trainer_of(digits, path, params)
    expected = scores(list(whole.run(4)))
    first = trainer_of(digits, path, params)
    begun = scores(list(first.run(cut)))
    second = trainer_of(digits, path, params, state=first.state(0))
    assert begun + scores(list(second.run(4))) == expected
    x = digits.floats(slice(None), np.float32)
    one, other = ensemble_of(whole), ensemble_of(second)
    assert np.array_equal(one.predict_proba(x), other.predict_proba(x))


@every_library
def test_without_sampling_it_grows_to_the_one_that_is_fitted_at_once(
    library: str, line: TrainingData
) -> None:
    path, params = REGRESSORS[library]
    params = params | EXACT[library] | {"learning_rate": 0.3}
    trainer = trainer_of(line, path, params)
    list(trainer.run(4))
    x, y = train_rows(line)
    estimator = load_estimator(path)
    library_ = LIBRARIES[library]
    at_once = estimator.make(**params | library_.settings(5)).fit(x, y).predict(x)
    grown = ensemble_of(trainer).predict(x)
    if library == "catboost":  # which sums in another order
        assert grown == pytest.approx(at_once, rel=1e-12)
    else:
        assert np.array_equal(grown, at_once.astype(float))


@every_library
def test_trees_that_are_added_draw_other_rows_than_those_before(
    library: str, line: TrainingData
) -> None:
    """With one seed for all steps every epoch would repeat the draws of the first."""
    path, params = REGRESSORS[library]
    trainer = trainer_of(line, path, params | SAMPLED[library])
    seeds = set()
    for _ in trainer.run(4):
        seeds.add(ensemble_of(trainer)._next_seed())
    assert len(seeds) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)


@every_library
def test_the_seed_decides(library: str, digits: TrainingData) -> None:
    path, params = CLASSIFIERS[library]
    params = params | SAMPLED[library]
    once, again, other = (
        scores(list(trainer_of(digits, path, params, seed=seed).run(4))) for seed in (1, 1, 2)
    )
    assert once == again
    assert once != other


@every_library
def test_scores_are_those_of_the_librarys_own_predictions(
    library: str, digits: TrainingData
) -> None:
    from sklearn.metrics import accuracy_score, log_loss

    path, params = CLASSIFIERS[library]
    trainer = trainer_of(digits, path, params | EXACT[library] | {"learning_rate": 0.3})
    *_, last = scores(list(trainer.run(4)))
    x, y = train_rows(digits)
    own = load_estimator(path).make(
        **params | EXACT[library] | {"learning_rate": 0.3} | LIBRARIES[library].settings(5)
    )
    own.fit(x, y)
    rows = digits.splits[0].validation
    v, y = digits.floats(rows, np.float32), digits.labels[rows]
    assert last["validation_accuracy"] == accuracy_score(y, own.predict(v).ravel())
    expected = log_loss(y, own.predict_proba(v), labels=range(10))
    assert last["validation_loss"] == pytest.approx(expected, rel=1e-5)


@every_library
def test_a_class_that_a_fold_lacks_is_no_obstacle(library: str) -> None:
    x = np.linspace(0, 1, 40)[:, None]
    y = np.repeat([0, 2, 3, 1], 10)
    data = TrainingData(x, y, n_classes=4, splits=[Split(np.arange(30), np.arange(25, 40))])
    path, params = CLASSIFIERS[library]
    trainer = trainer_of(data, path, params)
    *_, last = scores(list(trainer.run(4)))
    assert set(ensemble_of(trainer).predict(x)) <= {0, 2, 3}
    assert last["validation_accuracy"] <= 5 / 15
    assert np.isfinite(last["validation_loss"])


@every_library
def test_gaps_are_taken_as_they_are(library: str, line: TrainingData) -> None:
    x = line.inputs.copy()
    x[::3, 1] = np.nan
    data = TrainingData(x, line.labels, n_classes=0, splits=line.splits)
    path, params = REGRESSORS[library]
    *_, last = (
        scores(list(trainer_of(data, path, params | {"n_estimators": 40}).run(4)))
        if (library != "catboost")
        else scores(list(trainer_of(data, path, params | {"iterations": 40}).run(4)))
    )
    assert last["train_r2"] > 0.2


@every_library
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_its_file_is_the_librarys_own_and_predicts_what_the_trainer_does(
    library: str, kind: str, digits: TrainingData, line: TrainingData, tmp_path: Path
) -> None:
    data, (path, params) = (
        (digits, CLASSIFIERS[library]) if kind == "classes" else (line, REGRESSORS[library])
    )
    trainer = trainer_of(data, path, params)
    list(trainer.run(4))
    fitted = trainer.fitted(0)
    assert isinstance(fitted, FittedBooster)
    classes = tuple(f"{k} = é" for k in range(data.n_classes))
    place = tmp_path / fitted.file_name
    place.write_bytes(fitted.to_bytes(classes, data.inputs[:2]))
    found = library_of_file(place)
    assert found is LIBRARIES[library]
    said = read_description(found, place)
    assert (said.n_inputs, said.n_classes) == (data.n_inputs, data.n_classes)
    assert (said.classes, said.probabilities) == (classes, kind == "classes")
    assert said.example.dtype == data.inputs.dtype
    assert np.array_equal(said.example, data.inputs[:2])
    assert set(said.versions) <= {library, f"{library}-cpu"}
    x = said.inputs(data.inputs)
    model, grown = load_booster(found, place), fitted.model
    assert np.array_equal(model.predict(x), grown.predict(x))
    if kind == "classes":
        assert np.array_equal(model.predict_proba(x), grown.predict_proba(x))
    assert b"pickle" not in place.read_bytes()
    _read_by_the_library(library, place)


def _read_by_the_library(library: str, place: Path) -> None:
    """Without us."""
    if library == "lightgbm":
        import lightgbm

        assert lightgbm.Booster(model_file=str(place)).num_trees() >= 7
    elif library == "xgboost":
        import xgboost

        assert xgboost.Booster(model_file=str(place)).num_boosted_rounds() == 7
    else:
        import catboost

        assert catboost.CatBoost().load_model(str(place)).tree_count_ == 7


@needs("xgboost")
def test_a_forest_of_xgboost_is_fitted_whole(digits: TrainingData) -> None:
    path = "xgboost.XGBRFClassifier"
    assert load_estimator(path).curve == "once"
    trainer = trainer_of(digits, path, {"n_estimators": 5})
    first, *others = scores(list(trainer.run(3)))
    assert others == [first, first]
    assert first["train_accuracy"] > 0.5


@pytest.mark.parametrize(
    ("path", "name", "value", "rule"),
    [
        ("lightgbm.LGBMClassifier", "num_leaves", 1, "must be above 1, got 1"),
        ("lightgbm.LGBMClassifier", "num_leaves", 31.5, "must be a whole number, got 31.5"),
        ("lightgbm.LGBMClassifier", "subsample", 1.5, "must be at most 1.0, got 1.5"),
        ("lightgbm.LGBMClassifier", "learning_rate", "a", "must be a number, got 'a'"),
        ("lightgbm.LGBMClassifier", "extra_trees", 3, "must be true or false, got 3"),
        ("lightgbm.LGBMClassifier", "path_smooth", -1, "must be at least  0.0, got -1"),
        ("lightgbm.LGBMClassifier", "n_estimators", 0, "must be a whole number of at least 1"),
        ("lightgbm.LGBMRegressor", "boosting_type", "rf", "RandomForestRegressor"),
        ("lightgbm.LGBMRegressor", "boosting_type", "dart", None),
        ("lightgbm.LGBMRegressor", "learning_rate", 0.1, None),
        ("lightgbm.LGBMRegressor", "n_estimators", 10**6, None),
        ("xgboost.XGBClassifier", "max_depth", -1, "must be at least 0, got -1"),
        ("xgboost.XGBClassifier", "max_depth", 2.5, "must be a whole number, got 2.5"),
        ("xgboost.XGBRegressor", "subsample", 1.5, "must be in [0,1], got 1.5"),
        ("xgboost.XGBRegressor", "learning_rate", "a", "must be a number, got 'a'"),
        ("xgboost.XGBRegressor", "grow_policy", "x", "must be one of 'depthwise', 'lossguide'"),
        ("xgboost.XGBRegressor", "max_depth", None, None),
        ("catboost.CatBoostClassifier", "depth", 17, "must be at most 16, got 17"),
        ("catboost.CatBoostClassifier", "depth", 2.5, "must be a value that CatBoost reads as"),
        ("catboost.CatBoostClassifier", "subsample", 1.5, "must be in (0,1], got 1.5"),
        ("catboost.CatBoostClassifier", "l2_leaf_reg", -1, "must be >= 0, got -1"),
        ("catboost.CatBoostClassifier", "boosting_type", "x", "must be one of 'Ordered', 'Plain'"),
        ("catboost.CatBoostClassifier", "min_data_in_leaf", 1.5, "must be a whole number"),
        # Which go with a value of another alone.
        ("catboost.CatBoostClassifier", "max_leaves", 8, None),
        ("catboost.CatBoostClassifier", "iterations", 5, None),
    ],
)
def test_a_value_is_judged_by_the_library(
    path: str, name: str, value: object, rule: str | None
) -> None:
    pytest.importorskip(path.partition(".")[0], reason="an extra")
    problem = load_estimator(path).hyperparameters()[name].problem(value)
    if rule is None:
        assert problem is None
    else:
        assert problem is not None
        assert " ".join(rule.split()) in " ".join(problem.split())


@every_library
def test_a_value_that_is_refused_prints_nothing(
    library: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path, _ = CLASSIFIERS[library]
    found = load_estimator(path).hyperparameters()["learning_rate"]
    assert found.problem("much") is not None
    assert capfd.readouterr() == ("", "")


@every_library
def test_what_is_ours_is_refused_with_the_reason(library: str) -> None:
    kind = trainer_kind(CLASSIFIERS[library][0])
    assert kind is not None
    assert "one thread" in kind.refused["thread_count" if library == "catboost" else "n_jobs"]
    assert not set(kind.refused) & set(kind.hyperparameters())


@every_library
def test_one_thread_the_members_seed_and_silence_are_set(
    library: str, digits: TrainingData, capfd: pytest.CaptureFixture[str]
) -> None:
    path, params = CLASSIFIERS[library]
    given = []

    class Watched(load_estimator(path).make):  # type: ignore[misc]
        def fit(self, x: Any, y: Any, **more: Any) -> Any:
            given.append(self.get_params())
            return super().fit(x, y, **more)

    Watched.__module__ = f"{library}.watched"
    ensemble = Ensemble(LIBRARIES[library], Watched, params, seed=6)
    ensemble.fit(*train_rows(digits))
    (params,) = given
    threads, seed = (
        ("thread_count", "random_seed") if library == "catboost" else ("n_jobs", "random_state")
    )
    assert params[threads] == 1
    assert params[seed] == 3
    assert capfd.readouterr() == ("", "")


@every_library
def test_a_ranker_is_refused_as_there_are_no_queries(library: str) -> None:
    path = CLASSIFIERS[library][0].replace("Classifier", "Ranker")
    with pytest.raises(StudyFileError, match=r"got a ranker.*take \w+\.\w+Regressor on"):
        load_estimator(path)


@pytest.mark.parametrize("library", CLASSIFIERS)
def test_a_library_that_is_not_installed_names_its_extra(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    for name in [n for n in sys.modules if n.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    load_estimator.cache_clear()
    with pytest.raises(StudyFileError) as caught:
        load_estimator(CLASSIFIERS[library][0])
    assert str(caught.value) == (
        f"trainer '{CLASSIFIERS[library][0]}' needs the package {library}, which is not installed "
        f"here: pip install 'hpsearch[{library}]'"
    )


@every_library
def test_what_the_library_refuses_is_said_without_its_source(
    library: str, line: TrainingData
) -> None:
    path, _ = REGRESSORS[library]
    name = "loss_function" if library == "catboost" else "objective"
    with pytest.raises(ValueError, match="foo") as caught:
        list(trainer_of(line, path, {name: "foo"}).run(1))
    assert not any(part in str(caught.value) for part in (".cc", ".cpp", "Stack trace"))
