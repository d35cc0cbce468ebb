"""Rows and classes that count differently: in fits, in losses, in scores, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.utils.class_weight import compute_sample_weight

from hpsearch.datasets.selection import Pool, open_pool, open_test
from hpsearch.errors import StudyFileError
from hpsearch.execution.examples import training_data
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.reading import read_study, refuse_unfit
from tests.harness.rare_classes import STUDY, rare_table
from tests.harness.study import records, run
from tests.harness.study_mistakes import message, mistakes

LOGISTIC = "sklearn.linear_model.LogisticRegression"
WEIGHTED = STUDY.replace('target = "churned"', 'target = "churned"\nweight = "w"')
NETWORK = ["network.name=two-layer", "space={trainer='sgd', learning_rate=0.5}"]
ADAM = ["network.name=two-layer", "space={trainer='adam', learning_rate=0.05}"]


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return rare_table(rng).assign(w=rng.integers(0, 4, 120).astype(float))


@pytest.fixture
def path(tmp_path: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "rare.toml"
    path.write_text(WEIGHTED)
    return path


def learned(pool: Pool, split: int = 0) -> tuple[Any, Any, Any]:
    """Inputs, labels and weights that are trained on: those that count."""
    rows = pool.splits[split][0]
    assert pool.examples.weights is not None
    rows = rows[pool.examples.weights[rows] > 0]
    return pool.examples.inputs[rows], pool.examples.labels[rows], pool.examples.weights[rows]


def scored(pool: Pool, split: int = 0) -> tuple[Any, Any, Any]:
    rows = pool.splits[split][1]
    assert pool.examples.weights is not None
    return pool.examples.inputs[rows], pool.examples.labels[rows], pool.examples.weights[rows]


def test_weights_move_a_fit_as_sample_weight_does(path: Path, home: Path) -> None:
    result = run(path, home)
    read = read_study(path)
    pool, test = open_pool(read.selection), open_test(read.selection)
    assert pool.examples.inputs.shape[1] == 3  # the weights are no input
    for record in records(home, "rare"):
        for member in record.members:
            x, y, w = learned(pool, member.split)
            model = LogisticRegression(C=record.params["C"]).fit(x, y, sample_weight=w)
            x, y, w = scored(pool, member.split)
            assert member.history["validation_accuracy"] == [
                pytest.approx(model.score(x, y, sample_weight=w))
            ]
            loss = metrics.log_loss(y, model.predict_proba(x), sample_weight=w)
            assert member.history["validation_loss"] == [pytest.approx(loss)]
            decisions = model.decision_function(x)
            area = metrics.roc_auc_score(y, decisions, sample_weight=w)
            assert member.history["validation_roc_auc"] == [pytest.approx(area)]
    x, y, w = learned(test)
    model = LogisticRegression(C=result.best_params["C"]).fit(x, y, sample_weight=w)
    x, y, w = scored(test)
    area = metrics.roc_auc_score(y, model.decision_function(x), sample_weight=w)
    assert result.test["test_roc_auc"].mean == pytest.approx(area)


def test_numbers_are_weighed_too(path: Path, home: Path) -> None:
    space = "space={trainer='sklearn.linear_model.Ridge', alpha=2.0}"
    numbers = ["data.target=spent", "objective={metric='validation_r2'}", space]
    frame = pd.read_csv(path.parent / "table.csv")
    frame["churned"] = (frame["churned"] == "yes").astype(int)
    frame.to_csv(path.parent / "table.csv", index=False)
    run(path, home, *numbers, "evaluation.metrics=['mae']", "stages.0.trials=1")
    pool = open_pool(read_study(path, [*numbers, "evaluation.metrics=[]"]).selection)
    for member in records(home, "rare")[0].members:
        x, y, w = learned(pool, member.split)
        model = Ridge(alpha=2.0).fit(x, y, sample_weight=w)
        x, y, w = scored(pool, member.split)
        given = (y, model.predict(x))
        known = {
            "mse": metrics.mean_squared_error(*given, sample_weight=w),
            "mae": metrics.mean_absolute_error(*given, sample_weight=w),
            "r2": metrics.r2_score(*given, sample_weight=w),
        }
        for name, value in known.items():
            assert member.history[f"validation_{name}"] == [pytest.approx(value)]


def test_passes_are_weighed_batch_by_batch(path: Path, home: Path) -> None:
    overrides = [
        "space={trainer='sklearn.linear_model.SGDClassifier', loss='log_loss', batch_size=500}",
        "stages.0.trials=1",
    ]
    run(path, home, *overrides)
    (record,) = records(home, "rare")
    pool = open_pool(read_study(path).selection)
    x, y, w = learned(pool)
    seed = int(np.random.SeedSequence(record.members[0].entropy).generate_state(1)[0])
    order = np.random.default_rng(np.random.SeedSequence(record.members[0].entropy)).permutation(
        len(y)
    )
    model = SGDClassifier(loss="log_loss", random_state=seed)
    model.partial_fit(x[order], y[order], classes=[0, 1], sample_weight=w[order])
    x, y, w = scored(pool)
    expected = pytest.approx(model.score(x, y, sample_weight=w))
    assert record.members[0].history["validation_accuracy"] == [expected]


@pytest.mark.parametrize(
    "overrides",
    [
        ["space={trainer='sklearn.linear_model.LogisticRegression', C=1.0}"],
        ["space={trainer='sklearn.tree.DecisionTreeClassifier', max_depth=3}"],
        ["space={trainer='sklearn.ensemble.HistGradientBoostingClassifier', max_iter=5}"],
        [*NETWORK, "stages.0.epochs=4"],
        [*ADAM, "stages.0.epochs=4", "data.class_weight=balanced"],
    ],
    ids=["logistic", "tree", "boosting", "sgd", "adam-balanced"],
)
def test_a_zero_weight_is_a_dropped_row(
    overrides: list[str], path: Path, frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame["w"] = np.where(np.arange(120) % 4 == 3, 0.0, 1.0 + np.arange(120) % 2)
    frame = frame.sort_values("w", kind="stable", ascending=False).iloc[::-1]  # zeros come first
    zeros = int((frame["w"] == 0).sum())
    frame.iloc[90:].to_csv(tmp_path / "test.csv", index=False)
    found: list[TrialRecord] = []
    for start, train in ((0, 60), (zeros, 60 - zeros)):
        frame.iloc[start:90].to_csv(tmp_path / "table.csv", index=False)
        fixed = f"{{kind='fixed', train=[0, {train}], validation=[{train}, {90 - start}]}}"
        home = tmp_path / f"home-{start}"
        split = [f"data.split={fixed}", "data.test=test.csv", "stages.0.trials=1"]
        run(path, home, *overrides, *split)
        found += records(home, "rare")
    one, other = (record.members[0].history for record in found)
    assert one.keys() == other.keys()
    for name in (n for n in one if n.startswith("validation")):
        assert one[name] == pytest.approx(other[name], rel=1e-5), name


def test_a_weight_of_two_is_a_row_that_is_there_twice(
    path: Path, frame: pd.DataFrame, tmp_path: Path
) -> None:
    """For networks too, where all rows are one mini-batch."""
    frame["w"] = 1.0 + (np.arange(120) < 30)
    frame.iloc[90:].to_csv(tmp_path / "test.csv", index=False)
    twice = pd.concat([frame.iloc[:30], frame.iloc[:90]]).assign(w=1.0)
    found: list[TrialRecord] = []
    for place, (rows, train) in enumerate(((frame.iloc[:90], 60), (twice, 90))):
        rows.to_csv(tmp_path / "table.csv", index=False)
        fixed = f"{{kind='fixed', train=[0, {train}], validation=[{train}, {len(rows)}]}}"
        home = tmp_path / f"home-{place}"
        split = [f"data.split={fixed}", "data.test=test.csv", "stages={trials=1, epochs=6}"]
        one_batch = "space={trainer='sgd', learning_rate=0.3, batch_size=500, dtype='float64'}"
        run(
            path, home, NETWORK[0], one_batch, *split[:2], "stages.0.trials=1", "stages.0.epochs=6"
        )
        found += records(home, "rare")
    one, other = (record.members[0].history for record in found)
    assert one["validation_loss"] == pytest.approx(other["validation_loss"], rel=1e-9)


def test_balanced_classes_count_alike(path: Path, home: Path) -> None:
    run(path, home, "data.class_weight=balanced", "space.C=1.0", "stages.0.trials=1")
    pool = open_pool(read_study(path).selection)
    (record,) = records(home, "rare")
    x, y, w = learned(pool)
    even = w / np.where(y == 1, w[y == 1].sum(), w[y == 0].sum()) * w.sum() / 2
    model = LogisticRegression().fit(x, y, sample_weight=even)
    x, y, w = scored(pool)
    known = metrics.log_loss(y, model.predict_proba(x), sample_weight=w)
    assert record.members[0].history["validation_loss"] == [pytest.approx(known)]


def test_without_weights_balanced_is_what_scikit_learn_calls_so(path: Path, home: Path) -> None:
    path.write_text(STUDY)
    run(path, home, "data.class_weight=balanced", "space.C=1.0", "stages.0.trials=1")
    pool = open_pool(read_study(path).selection)
    train, held = pool.splits[0]
    x, y = pool.examples.inputs, pool.examples.labels
    even = compute_sample_weight("balanced", y[train])
    model = LogisticRegression().fit(x[train], y[train], sample_weight=even)
    loss = metrics.log_loss(y[held], model.predict_proba(x[held]))
    history = records(home, "rare")[0].members[0].history
    assert history["validation_loss"] == [pytest.approx(loss)]


def test_a_function_is_given_the_weights(
    path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(path.parent)
    (path.parent / "weighing.py").write_text(
        "def train(params, data, seed):\n"
        "    w, v = data.weights_train, data.weights_validation\n"
        "    assert len(w) == len(data.y_train) and (w > 0).all()\n"
        "    assert len(v) == len(data.y_validation)\n"
        "    p = 0 * data.x_validation[:, 0] + (data.y_train * w).sum() / w.sum()\n"
        "    while True:\n"
        "        yield {'probabilities': p, 'validation_a': float(v.sum())}\n"
    )
    run(
        path,
        home,
        "space={trainer='weighing:train'}",
        "objective={metric='validation_log_loss'}",
        "evaluation.metrics=[]",
        "stages.0.trials=1",
    )
    pool = open_pool(read_study(path).selection)
    for member in records(home, "rare")[0].members:
        _, y, w = learned(pool, member.split)
        share = np.full(len(pool.splits[member.split][1]), np.average(y, weights=w))
        _, y, w = scored(pool, member.split)
        known = metrics.log_loss(y, share, sample_weight=w)
        assert member.history["validation_log_loss"] == [pytest.approx(known)]


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("data.weight=v", "data.weight: must be one of a, b, spent, w, got 'v'"),
        ("data.weight=churned", "data.weight: must be one of a, b, spent, w"),
        ("data.weight=a", "data.weight: must name a column of numbers that are 0 or more, got -"),
        (
            "space={trainer='sklearn.neighbors.KNeighborsClassifier'}",
            "data.weight: must be left out: a trainer takes no weights, got "
            "sklearn.neighbors.KNeighborsClassifier",
        ),
        ("data.positive=maybe", "data.positive: must be one of no, yes, got 'maybe'"),
    ],
)
def test_what_can_not_be_weighed_is_refused(override: str, text: str, path: Path) -> None:
    assert text in message(path, override)


def test_trainers_that_compare_plain_losses_take_no_weights(path: Path) -> None:
    for trainer in ("proposal-search", "alternating-gradient"):
        found = message(path, "network.name=two-layer", f"space={{trainer='{trainer}'}}")
        assert f"data.weight: must be left out: a trainer takes no weights, got {trainer}" in found


def test_weights_that_leave_nothing_are_refused(path: Path, frame: pd.DataFrame) -> None:
    frame["w"] = (frame["churned"] == "no").astype(float)
    frame.to_csv(path.parent / "table.csv", index=False)
    found = mistakes(path)
    rule = "data.weight: must be above 0 for some rows of every class to train on"
    assert f"{rule}, got only 0 for class 'yes' in fold 1" in found


def test_first_rows_that_count_nothing_are_no_reason_to_refuse(
    path: Path, frame: pd.DataFrame
) -> None:
    """Estimators are fitted to the first rows of each class before anything runs."""
    many = pd.concat([frame] * 20)
    many["w"] = (np.arange(2400) > 1800).astype(float)
    many["churned"] = np.where(np.arange(2400) % 2 == 0, "yes", "no")
    many.to_csv(path.parent / "table.csv", index=False)
    svc = "space={trainer='sklearn.svm.SVC', C=1.0}"
    refuse_unfit(read_study(path, ["evaluation.metrics=[]", svc]))


def test_a_score_that_takes_no_weights_is_refused(path: Path) -> None:
    found = mistakes(path, "evaluation.metrics=['rand']")
    assert "evaluation.metrics.0: must be a score that takes weights, because data.weight" in found


def test_the_positive_class_may_be_named(path: Path, home: Path) -> None:
    path.write_text(STUDY)
    run(path, home, "data.positive=no", "evaluation.metrics=['f1']", "stages.0.trials=1")
    refuse_unfit(read_study(path, ["data.positive=no"]))
    pool = open_pool(read_study(path).selection)
    record = records(home, "rare")[0]
    (train, held), x, y = pool.splits[0], pool.examples.inputs, pool.examples.labels
    model = LogisticRegression(C=record.params["C"]).fit(x[train], y[train])
    known = metrics.f1_score(y[held], model.predict(x[held]), pos_label=0)
    assert record.members[0].history["validation_f1"] == [pytest.approx(known)]


def test_stages_on_fewer_rows_leave_out_what_weighs_nothing(path: Path, home: Path) -> None:
    stages = "stages=[{trials=2, epochs=1, rows=20}, {trials=2, epochs=1}]"
    read = read_study(path, [stages])
    run(path, home, stages)
    pool = open_pool(read.selection)
    n_all = max(len(learned(pool, split)[0]) for split in range(len(pool.splits)))
    assert n_all < max(len(train) for train, _ in pool.splits)
    last = [record.rows for record in records(home, read.file.name) if 2 in record.scores]
    assert last
    assert all(rows[1] == n_all for rows in last)
    data = training_data(read.selection, "validation", 20)
    assert data.weights is not None
    assert all(np.all(data.weights[split.train] > 0) for split in data.splits)
    with pytest.raises(StudyFileError, match=rf"must be below {n_all}"):
        refuse_unfit(read_study(path, [stages.replace("20", str(n_all))]))
