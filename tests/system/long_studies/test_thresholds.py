"""Studies whose threshold is tuned: found on validation rows, recorded, applied to the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from hpsearch.api.verify import verify_study
from hpsearch.datasets.selection import open_pool, open_test
from hpsearch.execution.scoring.thresholds import decided
from hpsearch.metrics import THRESHOLD
from hpsearch.nn.fitted import SavedNetwork
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.reading import read_study
from hpsearch.trainers.answers import GivenAnswers
from hpsearch.trainers.fitted_estimator import EstimatorFile
from tests.harness.rare_classes import STUDY, rare_table
from tests.harness.study import records, run
from tests.harness.study_mistakes import message, mistakes

TUNED = ["objective={metric='validation_f1'}", "evaluation.threshold=tune"]


@pytest.fixture
def rare(tmp_path: Path) -> Path:
    rare_table(np.random.default_rng(1)).to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "rare.toml"
    path.write_text(STUDY)
    return path


def refits(home: Path) -> list[TrialRecord]:
    return list(RunFolder(home / "studies/rare/1").read_all("test"))


def taken(model: Any, x: Any, threshold: Any) -> Any:
    return model.predict_proba(x)[:, 1] >= threshold


def test_a_tuned_threshold_is_recorded_and_applied_to_the_test(rare: Path, home: Path) -> None:
    beside = "evaluation.metrics=['precision', 'accuracy', 'roc_auc']"
    result = run(rare, home, *TUNED, beside, "evaluation.per_class=true", "stages.0.trials=2")
    read = read_study(rare)
    pool, plain = open_pool(read.selection), []
    for record in records(home, "rare"):
        for member in record.members:
            train, held = pool.splits[member.split]
            x, y = pool.examples.inputs, pool.examples.labels
            model = LogisticRegression(C=record.params["C"]).fit(x[train], y[train])
            (threshold,) = member.history[THRESHOLD]
            chosen = taken(model, x[held], threshold)
            known = {
                "f1": metrics.f1_score(y[held], chosen),
                "precision": metrics.precision_score(y[held], chosen, zero_division=0),
                "accuracy": np.mean(y[held] == chosen),
            }
            for name, value in known.items():
                assert member.history[f"validation_{name}"] == [pytest.approx(value)]
            recall = member.history["validation_accuracy/class_yes"]
            assert recall == [pytest.approx(metrics.recall_score(y[held], chosen))]
            plain.append(metrics.f1_score(y[held], model.predict(x[held])))
            assert known["f1"] >= plain[-1]
    winner = records(home, "rare")[result.best_number]
    mean = np.mean([member.history[THRESHOLD][0] for member in winner.members])
    test = open_test(read.selection)
    ((train, held),) = test.splits
    x, y = test.examples.inputs, test.examples.labels
    model = LogisticRegression(C=result.best_params["C"]).fit(x[train], y[train])
    chosen = taken(model, x[held], mean)
    assert result.test["test_f1"].mean == pytest.approx(metrics.f1_score(y[held], chosen))
    for record in refits(home):
        assert record.threshold == pytest.approx(mean)
        assert record.members[0].history[THRESHOLD] == [record.threshold]
        assert record.members[0].predicted == chosen.astype(int).tolist()
    assert verify_study("rare", home=home, trials=1).problems == []


@pytest.mark.parametrize("trainer", ["estimator", "network"])
def test_the_model_that_is_served_decides_by_it(trainer: str, rare: Path, home: Path) -> None:
    network = ["network.name=two-layer", "space={trainer='adam', learning_rate=0.02}"]
    run(rare, home, *TUNED, *(network if trainer == "network" else []))
    record = refits(home)[0]
    test = open_test(read_study(rare).selection)
    x = test.examples.inputs[test.splits[0][1]]
    folder = home / "studies/rare/1/test"
    if trainer == "network":
        saved = SavedNetwork.load(str(next(folder.rglob("weights.npz"))))
        assert (saved.network.threshold, saved.network.positive) == (record.threshold, 1)
        answers = GivenAnswers.of_outputs(saved.network.logits(x), softmax=True)
        assert record.threshold is not None
        found = decided(answers, record.threshold, 1).predicted
        assert found.tolist() == record.members[0].predicted
        return
    file = EstimatorFile.read(str(next(folder.rglob("estimator.skops"))))
    assert (file.threshold, file.positive) == (record.threshold, 1)


def test_a_threshold_may_be_given(rare: Path, home: Path) -> None:
    run(rare, home, TUNED[0], "evaluation.threshold=0.2", "stages.0.trials=1")
    pool = open_pool(read_study(rare).selection)
    record = records(home, "rare")[0]
    (train, held), x, y = pool.splits[0], pool.examples.inputs, pool.examples.labels
    model = LogisticRegression(C=record.params["C"]).fit(x[train], y[train])
    known = metrics.f1_score(y[held], taken(model, x[held], 0.2))
    assert record.members[0].history["validation_f1"] == [pytest.approx(known)]
    assert [r.threshold for r in refits(home)] == [None]
    assert refits(home)[0].members[0].history[THRESHOLD] == [0.2]


def test_a_function_that_gives_probabilities_has_a_threshold_too(
    rare: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(rare.parent)
    (rare.parent / "thresholds_of_mine.py").write_text(
        "import numpy as np\n"
        "def train(params, data, seed):\n"
        "    while True:\n"
        "        yield lambda x, y: {'probabilities': 0.3 / (1 + np.exp(-x[:, 0]))}\n"
    )
    space = "space={trainer='thresholds_of_mine:train'}"
    run(rare, home, *TUNED, space, "stages.0.trials=1", "evaluation.metrics=[]")
    (record,) = records(home, "rare")
    thresholds = [m.history[THRESHOLD][0] for m in record.members]
    assert all(0 < t < 0.3 for t in thresholds)
    assert all(m.history["validation_f1"][0] > 0.3 for m in record.members)
    assert refits(home)[0].threshold == pytest.approx(np.mean(thresholds))


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["evaluation.threshold=best"], "evaluation.threshold: must be"),
        (["evaluation.threshold=1.5"], "evaluation.threshold: must be"),
        (
            ["evaluation.threshold=tune", "evaluation.metrics=[]"],
            "evaluation.threshold: must go with a score of predicted classes",
        ),
        (
            ["evaluation.threshold=tune", "space={trainer='sklearn.svm.LinearSVC'}"],
            "must be left out for a trainer that gives no probabilities, got sklearn.svm.Lin",
        ),
    ],
)
def test_a_threshold_that_can_not_be_is_refused(
    overrides: list[str], text: str, rare: Path
) -> None:
    assert text in message(rare, *overrides)


def test_a_threshold_is_of_two_classes(study_file: Path) -> None:
    found = mistakes(study_file, "evaluation.threshold=tune", "evaluation.metrics=['f1_macro']")
    rule = "must be left out: it is for two classes, but there are 10 classes"
    assert f"evaluation.threshold: {rule}, got 'tune'" in found
