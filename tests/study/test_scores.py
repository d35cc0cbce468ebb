"""Studies that are scored by what is predicted: computed, recorded, tested, and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from hpsearch.datasets.selection import open_pool, open_test
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.reading import read_study, refuse_unfit
from hpsearch.studyfile.stored import stored_file
from tests.harness.rare_classes import ROWS, STUDY, rare_table
from tests.harness.study import records, run
from tests.harness.study_mistakes import message, mistakes


@pytest.fixture
def rare(tmp_path: Path) -> Path:
    rare_table(np.random.default_rng(1)).to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "rare.toml"
    path.write_text(STUDY)
    return path


def expected(model: Any, x: Any, y: Any) -> dict[str, float]:
    decisions = model.decision_function(x)
    return {
        "roc_auc": metrics.roc_auc_score(y, decisions),
        "average_precision": metrics.average_precision_score(y, decisions),
        "f1": metrics.f1_score(y, model.predict(x)),
    }


def test_an_estimator_is_scored_as_scikit_learn_scores_it(rare: Path, home: Path) -> None:
    result = run(rare, home)
    assert result.direction == "maximize"
    read = read_study(rare)
    pool = open_pool(read.selection)
    for record in records(home, "rare"):
        for member, (train, held) in zip(record.members, pool.splits, strict=True):
            inputs, labels = pool.examples.inputs, pool.examples.labels
            model = LogisticRegression(C=record.params["C"]).fit(inputs[train], labels[train])
            for name, known in expected(model, inputs[held], labels[held]).items():
                assert member.history[f"validation_{name}"] == [pytest.approx(known)]
        scores = [m.history["validation_roc_auc"][0] for m in record.members]
        assert record.scores == {1: pytest.approx(np.mean(scores))}
    test = open_test(read.selection)
    ((train, held),) = test.splits
    inputs, labels = test.examples.inputs, test.examples.labels
    model = LogisticRegression(C=result.best_params["C"]).fit(inputs[train], labels[train])
    for name, known in expected(model, inputs[held], labels[held]).items():
        assert result.test[f"test_{name}"].mean == pytest.approx(known)
    confirmed = list(RunFolder(home / "studies/rare/1").read_all("confirmation"))
    assert "validation_f1" in confirmed[0].members[0].history


def test_a_network_is_scored_by_its_probabilities(rare: Path, home: Path) -> None:
    scores = "evaluation.metrics=['log_loss', 'brier', 'balanced_accuracy']"
    run(
        rare,
        home,
        "network.name=two-layer",
        "space={trainer='adam', learning_rate=0.05}",
        scores,
        "stages.0.epochs=3",
    )
    for member in records(home, "rare")[0].members:
        history = member.history
        assert history["validation_log_loss"] == pytest.approx(history["validation_loss"])
        assert all(0 < one < 0.25 for one in history["validation_brier"])
        assert history["validation_roc_auc"][-1] > 0.5


def test_a_constraint_may_look_at_training_rows(rare: Path, home: Path) -> None:
    run(rare, home, "constraints=[{metric='train_f1', at_least=0.9}]")
    assert all(r.violations[1]["train_f1 at least 0.9"] > 0 for r in records(home, "rare"))


def test_numbers_have_their_scores(rare: Path, home: Path) -> None:
    frame = pd.read_csv(rare.parent / "table.csv").drop(columns="churned")
    frame.to_csv(rare.parent / "numbers.csv", index=False)
    result = run(
        rare,
        home,
        "objective={metric='validation_pinball_0.9'}",
        "data.name=numbers.csv",
        "data.target=spent",
        "evaluation.metrics=['mae', 'rmse', 'd2_absolute_error']",
        "space={trainer='sklearn.linear_model.Ridge', alpha={low=0.1, high=10}}",
    )
    assert result.direction == "minimize"
    history = records(home, "rare")[0].members[0].history
    assert history["validation_rmse"] == [pytest.approx(history["validation_mse"][0] ** 0.5)]
    names = {"test_pinball_0.9", "test_mae", "test_rmse", "test_d2_absolute_error"}
    assert names <= {*result.test}


@pytest.mark.parametrize(
    ("goal", "direction"),
    [
        ("{metric='validation_log_loss'}", "minimize"),
        ("{metric='validation_d2_log_loss'}", "maximize"),
        ("{metric='validation_accuracy', rises_to=0.9}", "minimize"),
        ("{metric='validation_loss'}", "minimize"),
        ("{metric='validation_roc_auc', direction='minimize'}", "minimize"),
    ],
)
def test_a_known_direction_need_not_be_written(goal: str, direction: str, rare: Path) -> None:
    file = read_study(rare, [f"objective={goal}"]).file
    assert file.objective.direction == direction
    again = stored_file(file.model_dump(mode="json"), "rare")
    assert again.must_stay() == file.must_stay()


def test_a_stored_file_from_before_is_the_same_study(rare: Path) -> None:
    goal = "objective={metric='validation_accuracy', direction='maximize'}"
    file = read_study(rare, [goal, "evaluation.metrics=[]"]).file
    stored = file.model_dump(mode="json")
    del stored["evaluation"]["metrics"]
    assert stored_file(stored, "rare").must_stay() == file.must_stay()


def test_an_unknown_direction_must_be_written(rare: Path) -> None:
    (rare.parent / "mine.py").write_text(
        "def train(params, data, seed):\n    yield {'gain': 1.0}\n"
    )
    found = message(rare, "objective={metric='gain'}", "space={trainer='mine:train'}")
    assert 'objective.direction: is missing; write "maximize" or "minimize"' in found


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("objective.metric=validation_neg_log_loss", "(did you mean 'validation_log_loss'?)"),
        ("objective.metric=validation_roc_acu", "(did you mean 'validation_roc_auc'?)"),
        ("objective.metric=validation_pinball", "the number behind pinball_, its alpha, must be"),
        ("objective.metric=test_roc_auc", "must not look at the test set"),
        ("objective.metric=train_roc_auc", "must be measured on validation data"),
        ("objective.metric=validation_rmse", "objective.metric: must be one of"),
        ("evaluation.metrics=['rco_auc']", "evaluation.metrics.0: must be one of accuracy,"),
        ("evaluation.metrics=['validation_f1']", "must be only the name of a score"),
    ],
)
def test_a_name_of_no_score_is_refused(override: str, text: str, rare: Path) -> None:
    assert text in message(rare, override)


def test_a_score_of_two_classes_needs_two(study_file: Path) -> None:
    found = mistakes(study_file, "objective={metric='validation_roc_auc'}")
    rule = "must be a score of 10 classes, such as roc_auc_ovr, got 'validation_roc_auc'"
    assert f"objective.metric: {rule}" in found
    found = mistakes(study_file, "evaluation.metrics=['f1', 'top_k_accuracy_10']")
    assert "evaluation.metrics.0: must be a score of 10 classes, such as f1_macro" in found
    assert "evaluation.metrics.1: must count fewer than 10 classes" in found
    read = read_study(study_file, ["objective={metric='validation_roc_auc_ovr'}"])
    refuse_unfit(read)


def test_a_score_that_rows_leave_undefined_is_refused(rare: Path) -> None:
    frame, day = pd.read_csv(rare.parent / "table.csv"), np.arange(ROWS)
    frame["day"] = day
    in_time = "data.split={kind='time-ordered', folds=3, order='day'}"

    def churned(rows: Any) -> None:
        told = frame.assign(churned=np.where(rows, "yes", "no"))
        told.to_csv(rare.parent / "table.csv", index=False)

    churned((day < 3) | (day > 80))
    found = mistakes(rare, in_time)
    rule = "must be defined on the validation rows of every fold"
    assert f"objective.metric: {rule}, got no row of class 'yes' in fold 1 of 3" in found
    assert "such as validation_log_loss" in found
    assert f"evaluation.metrics.1: {rule}" in found
    churned((day % 5 == 0) & (day < 90))  # the last fifth is the test set
    found = mistakes(rare, in_time)
    assert "objective.metric: must be defined on the test set, got no row of class 'yes'" in found
    churned(day % 5 == 0)
    refuse_unfit(read_study(rare, [in_time]))


def test_probabilities_that_no_estimator_of_a_class_gives_are_refused(rare: Path) -> None:
    svc = "space={trainer='sklearn.svm.LinearSVC', C={low=0.1, high=1.0}}"
    found = message(rare, svc, "objective={metric='validation_log_loss'}")
    assert "objective.metric: must be a score that needs no probabilities" in found
    found = message(rare, svc, "evaluation.metrics=['brier']")
    assert "evaluation.metrics.0: must be a score that needs no probabilities" in found
    refuse_unfit(read_study(rare, [svc, "objective={metric='validation_roc_auc'}"]))


def test_probabilities_that_an_estimator_lacks_fail_its_trials_in_words(
    rare: Path, home: Path
) -> None:
    with pytest.raises(Exception, match="none did"):
        run(
            rare,
            home,
            "objective={metric='validation_log_loss'}",
            "space={trainer='sklearn.svm.SVC', C={low=0.1, high=1.0}, probability=false}",
        )
    reason = records(home, "rare")[0].reason
    assert "validation_log_loss must be computed from the probability of every class" in reason
