"""Options of estimators that can't be fitted together are found before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.studyfile import estimator_fits
from hpsearch.studyfile.reading import read_text, refuse_unfit

STUDY = """
name = "fits"
data = { name = "digits" }
objective = { metric = "validation_accuracy", direction = "maximize" }
stages = [{ trials = 4, epochs = 2 }]
[space]
"""
SGD = 'trainer = "sklearn.linear_model.SGDClassifier"'
LOGISTIC = 'trainer = "sklearn.linear_model.LogisticRegression"'


def refused(space: str) -> str:
    """What a study of this space is refused with; "" where it is not."""
    read = read_text(STUDY + space, Path("study.toml"))
    try:
        refuse_unfit(read)
    except StudyFileError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("space", "key", "reason"),
    [
        (f"{SGD}\nearly_stopping = true", "space.early_stopping: ", "partial_fit"),
        (f'{SGD}\nclass_weight = "balanced"', "space.class_weight: ", "'balanced'"),
        (
            'trainer = "sklearn.neural_network.MLPClassifier"\nsolver = "lbfgs"',
            "space.solver: ",
            "partial_fit",
        ),
        (
            'trainer = "sklearn.linear_model.SGDClassifier"\n'
            "alpha = { low = 1e-5, high = 1e-2, log = true }\n"
            "early_stopping = { choices = [true, false] }",
            "space.early_stopping.choices: ",
            "got True (ValueError: early_stopping should be False with partial_fit)",
        ),
        (
            f'{SGD}\nclass_weight = {{ choices = {{ none = "none", even = "balanced" }} }}',
            "space.class_weight.choices: ",
            "got 'even' (ValueError: ",
        ),
        (
            f'{LOGISTIC}\nl1_ratio = {{ choices = [0.0, 0.5] }}\nsolver = "lbfgs"',
            "space.l1_ratio.choices: ",
            "got 0.5 (ValueError: ",
        ),
    ],
)
def test_options_that_can_not_work_are_refused(space: str, key: str, reason: str) -> None:
    said = refused(space)
    assert f"\n  {key}" in said
    assert reason in said
    assert "has 1 mistake; nothing was started" in said


@pytest.mark.parametrize(
    "space",
    [
        SGD,
        # Half of the combinations can't work; every choice does with one of the others.
        f"{LOGISTIC}\nl1_ratio = {{ choices = [0.5, 0.0] }}\n"
        'solver = { choices = ["lbfgs", "saga"] }',
        # Only one combination of three options goes with an l1 penalty.
        'trainer = "sklearn.svm.LinearSVC"\n'
        'penalty = { choices = ["l2", "l1"] }\nloss = { choices = ["hinge", "squared_hinge"] }\n'
        "dual = { choices = [true, false] }",
        # Of few rows a share of two in a hundred is less than one of each class.
        'trainer = "sklearn.ensemble.GradientBoostingClassifier"\nn_estimators = 5\n'
        "n_iter_no_change = 5\nvalidation_fraction = { low = 0.02, high = 0.2 }",
        # More neighbours than a first fit has rows.
        'trainer = "sklearn.neighbors.KNeighborsClassifier"\n'
        "n_neighbors = { choices = [200, 400] }",
    ],
)
def test_options_that_work_somewhere_are_not(space: str) -> None:
    assert refused(space) == ""


def test_one_trainer_of_several_is_named() -> None:
    space = """
    trainer = { choices = ["sklearn.linear_model.SGDClassifier", "sklearn.svm.SVC"] }
    class_weight = { choices = ["balanced"] }
    """
    said = refused(space)
    assert "sklearn.linear_model.SGDClassifier" in said
    assert "sklearn.svm.SVC" not in said


def test_what_takes_too_long_is_left_to_the_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_fits, "SECONDS", -1.0)
    assert refused(f"{SGD}\nearly_stopping = true") == ""
