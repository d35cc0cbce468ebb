"""Functions of one's own that make an estimator: how they are told apart, set up and trained."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from hpsearch.errors import StudyFileError
from hpsearch.trainers import (
    Member,
    TrainingData,
    forget_changed_code,
    is_training_function,
    makes_estimator,
    takes_data,
    takes_final,
    takes_state,
    trainer_kind,
)
from hpsearch.trainers.estimator import EstimatorTrainer, find_estimator
from hpsearch.trainers.fitted_estimator import FittedEstimator, load_model
from hpsearch.trainers.function import FunctionTrainer
from tests.harness.boosters import needs

Write = Callable[[str], None]
PIPELINE = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

def make(params):
    kind = params.get("kind", "logistic")
    last = {
        "logistic": LogisticRegression, "svm": LinearSVC, "forest": RandomForestClassifier
    }[kind]()
    steps = [("scale", StandardScaler()), ("pca", PCA(params.get("parts", 5))), ("clf", last)]
    return Pipeline(steps)

def train(params, data, seed):
    yield {"validation_accuracy": 0.5}

def alone(params, seed):
    yield {"validation_accuracy": 0.5}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the module pipes."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(text: str) -> None:
        (tmp_path / "pipes.py").write_text(dedent(text))
        sys.modules.pop("pipes", None)
        forget_changed_code()

    return written


def trainer_of(
    data: TrainingData, *, state: bytes | None = None, seed: int = 1, **params: Any
) -> EstimatorTrainer:
    member = Member({"trainer": "pipes:make", **params}, (seed, 2), 0, state)
    return EstimatorTrainer([member], data, n_epochs=4)


def model_of(trainer: EstimatorTrainer) -> Any:
    state = trainer.state(0)
    assert state is not None
    return pickle.loads(state)["model"]


def test_a_function_of_params_alone_makes_an_estimator_and_others_train(write: Write) -> None:
    write(PIPELINE)
    assert makes_estimator("pipes:make")
    kind = trainer_kind("pipes:make")
    assert kind is not None
    assert (kind.trainer, kind.task, kind.open) == (EstimatorTrainer, "classification", True)
    assert "validation_loss" in kind.metrics
    for name in ("pipes:train", "pipes:alone", "pipes:nothing"):
        assert is_training_function(name)
        kind = trainer_kind(name)
        assert kind is not None
        assert kind.trainer is FunctionTrainer
    assert takes_data("pipes:make")
    assert not takes_state("pipes:make")
    assert not takes_final("pipes:make")


@pytest.mark.parametrize(
    ("arguments", "makes"),
    [
        ("params", True),
        ("config", True),
        ("params, *, loud=False", True),
        ("params, data", False),
        ("params, seed", False),
        ("params, data, seed", False),
        ("*all", False),
        ("", False),
        ("*, params", False),
    ],
)
def test_the_signature_decides(arguments: str, makes: bool, write: Write) -> None:
    write(f"def make({arguments}):\n    return None")
    assert makes_estimator("pipes:make") is makes


def test_what_yields_is_no_function_that_makes_an_estimator(write: Write) -> None:
    write("def make(params):\n    yield {}")
    assert not makes_estimator("pipes:make")


def test_names_with_two_underscores_are_set_inside(write: Write, digits: TrainingData) -> None:
    write(PIPELINE)
    trainer = trainer_of(digits, parts=7, clf__C=0.25, pca__whiten=True)
    list(trainer.run(1))
    model = model_of(trainer)
    assert model.named_steps["clf"].C == 0.25
    assert model.named_steps["pca"].n_components == 7
    assert model.named_steps["pca"].whiten is True


def test_every_step_has_a_seed_of_its_own_and_one_thread(
    write: Write, digits: TrainingData
) -> None:
    write(PIPELINE)
    model = model_of(trainer_of(digits, kind="forest"))
    seeds = {model.get_params()[f"{step}__random_state"] for step in ("pca", "clf")}
    assert len(seeds) == 2
    assert model.get_params()["clf__n_jobs"] == 1
    again = model_of(trainer_of(digits, kind="forest")).get_params()
    other = model_of(trainer_of(digits, kind="forest", seed=2)).get_params()
    assert {again["clf__random_state"], again["pca__random_state"]} == seeds
    assert other["clf__random_state"] not in seeds


def test_a_forest_at_its_end_grows_with_the_epochs(write: Write, digits: TrainingData) -> None:
    from sklearn.base import clone

    write(PIPELINE)
    trainer = trainer_of(digits, kind="forest", clf__n_estimators=10)
    sizes, scores = [], []
    for step in trainer.run(4):
        sizes.append(len(model_of(trainer).named_steps["clf"].estimators_))
        scores.append(step.metrics["validation_accuracy"][0])
    assert sizes == [3, 5, 8, 10]
    first = trainer_of(digits, kind="forest", clf__n_estimators=10)
    begun = [s.metrics["validation_accuracy"][0] for s in first.run(2)]
    second = trainer_of(digits, state=first.state(0), kind="forest", clf__n_estimators=10)
    assert begun + [s.metrics["validation_accuracy"][0] for s in second.run(4)] == scores
    grown = model_of(trainer)
    rows = digits.splits[0].train
    x, y = digits.floats(rows, np.float32), digits.labels[rows]
    whole = clone(grown).set_params(clf__warm_start=False).fit(x, y)
    assert np.array_equal(whole.predict_proba(x), grown.predict_proba(x))


def test_all_others_are_fitted_whole(write: Write, digits: TrainingData) -> None:
    write(PIPELINE)
    first, *others = (dict(step.metrics) for step in trainer_of(digits).run(3))
    assert others == [first, first]


def test_its_file_has_no_pickle_and_predicts_the_same(
    write: Write, digits: TrainingData, tmp_path: Path
) -> None:
    write(PIPELINE)
    trainer = trainer_of(digits)
    list(trainer.run(1))
    fitted = trainer.fitted(0)
    assert isinstance(fitted, FittedEstimator)
    (tmp_path / "model.skops").write_bytes(fitted.to_bytes((), digits.inputs[:2]))
    model = load_model(str(tmp_path / "model.skops"))
    x = digits.floats(slice(None), np.float32)
    assert np.array_equal(model.predict_proba(x), fitted.model.predict_proba(x))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("clf__C", -1.0, "must be a float in the range (0.0, inf], got -1.0"),
        ("clf__C", 1.0, None),
        ("pca__svd_solver", "ful", "must be a str among"),
    ],
)
def test_a_step_judges_its_own_arguments(
    name: str, value: object, problem: str | None, write: Write
) -> None:
    write(PIPELINE)
    found = find_estimator("pipes:make").hyperparameters()[name].problem(value)
    assert found is None if problem is None else problem in str(found)


def test_a_random_state_inside_is_refused(write: Write) -> None:
    write(PIPELINE)
    kind = trainer_kind("pipes:make")
    assert kind is not None
    assert kind.refused["clf__random_state"] == "must be left out: it is the trial's own seed"
    assert "clf__random_state" not in kind.hyperparameters()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 3", "must return an estimator with fit, predict, get_params and set_params"),
        ("return params['C']", r"KeyError: 'C'. Write params.get\(\"C\", 1.0\)"),
        ("from sklearn.cluster import KMeans; return KMeans()", "KMeans, which is neither"),
    ],
)
def test_what_makes_no_estimator_is_a_mistake_of_the_study_file(
    body: str, message: str, write: Write
) -> None:
    write(f"def make(params):\n    {body}")
    with pytest.raises(StudyFileError, match=message):
        trainer_kind("pipes:make")


def test_a_name_that_nothing_inside_has_is_said(write: Write, digits: TrainingData) -> None:
    write(PIPELINE)
    with pytest.raises(ValueError, match=r"clf__CC must be .* \(did you mean 'clf__C'\?\)"):
        trainer_of(digits, clf__CC=1.0)


def test_another_task_for_other_params_is_refused(write: Write, digits: TrainingData) -> None:
    write("""
    from sklearn.linear_model import LogisticRegression, Ridge

    def make(params):
        return Ridge() if params.get("ridge") else LogisticRegression()
    """)
    with pytest.raises(ValueError, match="an estimator for classification whatever its params"):
        trainer_of(digits, ridge=True)


def test_changed_code_is_another_estimator(write: Write) -> None:
    write(PIPELINE)
    assert "clf__C" in find_estimator("pipes:make").arguments
    write(PIPELINE.replace('("clf", last)', '("last", last)'))
    assert "last__C" in find_estimator("pipes:make").arguments


@needs("lightgbm")
def test_a_booster_inside_has_one_thread_and_no_voice(
    write: Write, digits: TrainingData, capfd: pytest.CaptureFixture[str]
) -> None:
    write("""
    from lightgbm import LGBMClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def make(params):
        return make_pipeline(StandardScaler(), LGBMClassifier(n_estimators=3))
    """)
    trainer = trainer_of(digits, lgbmclassifier__num_leaves=4)
    list(trainer.run(1))
    known = model_of(trainer).get_params()
    assert known["lgbmclassifier__n_jobs"] == 1
    assert 0 <= known["lgbmclassifier__random_state"] < 2**31
    assert capfd.readouterr() == ("", "")
    problem = find_estimator("pipes:make").hyperparameters()["lgbmclassifier__num_leaves"].problem
    assert problem(1) == "must be above 1, got 1"


@pytest.mark.parametrize("path", ["sklearn.pipeline.Pipeline", "sklearn.pipeline.make_pipeline"])
def test_a_pipeline_by_its_path_is_told_to_be_made(path: str) -> None:
    with pytest.raises(StudyFileError, match=r"def make\(params\) in own.py returns it"):
        trainer_kind(path)
