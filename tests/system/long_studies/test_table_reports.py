"""The report of a study on a table: what refits predict of test rows, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from hpsearch.datasets.card import table_card
from hpsearch.datasets.selection import open_test
from hpsearch.records.layout import ARCHIVED, Artifact
from hpsearch.records.refit_answers import FILE, RefitAnswers
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.artifacts import write_artifacts
from hpsearch.reports.study_report import write_report
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run
from tests.harness.tables import ONE_TRAINER, ROWS, customers

NUMBERS = """\
name = "customers"
objective = { metric = "validation_mse" }

[data]
name = "customers.csv"
target = "amount"
weight = "count"

[space]
trainer = "sklearn.linear_model.Ridge"
alpha = { choices = [0.1, 1.0] }

[[stages]]
trials = 2
epochs = 1

[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    customers().to_csv(tmp_path / "customers.csv", index=False)
    path = tmp_path / "customers.toml"
    path.write_text(ONE_TRAINER)
    return path


def refits(home: Path, name: str = "customers") -> list[tuple[TrialRecord, RefitAnswers]]:
    folder, found = RunFolder(home / "studies" / name / "1"), []
    for record in folder.read_all("test"):
        assert FILE in record.files
        place = folder.files.record("test", record.number, record.seed_number)
        answers = RefitAnswers.read(place.file(FILE))
        assert answers is not None
        found.append((record, answers))
    return found


def test_refits_leave_what_they_predict_of_the_test_rows(study: Path, home: Path) -> None:
    result = run(study, home, "evaluation.metrics=['roc_auc', 'log_loss']")
    test = open_test(read_study(study).selection)
    ((_, rows),) = test.splits
    found = refits(home)
    assert len(found) == 2
    for place, (record, answers) in enumerate(found):
        assert answers.classes == ("no", "yes")
        assert answers.labels.tolist() == test.examples.labels[rows].tolist()
        assert answers.predicted.tolist() == record.members[0].predicted
        assert (answers.weights, answers.threshold) == (None, None)
        order = answers.of_class(1)
        assert order is not None
        known = {
            "test_roc_auc": metrics.roc_auc_score(answers.labels, order),
            "test_log_loss": metrics.log_loss(answers.labels, answers.probabilities),
            "test_accuracy": np.mean(answers.labels == answers.predicted),
        }
        for name, value in known.items():
            assert result.test[name].values[place] == pytest.approx(value)
    folder = RunFolder(home / "studies/customers/1")
    page = write_report(folder, result).read_text()
    area = result.test["test_roc_auc"].mean
    assert f"ROC: area {area:.3f}" in page
    assert folder.files.figure("test_curves").exists()
    # Records of older versions have none.
    for place_of in folder.files.records("test"):
        place_of.file(FILE).unlink()
    folder.files.figure("test_curves").unlink()
    assert "ROC: area" not in write_report(folder, result).read_text()
    assert not folder.files.figure("test_curves").exists()


def test_the_table_has_a_card_among_the_artifacts_and_in_the_report(
    study: Path, home: Path
) -> None:
    customers().assign(same=1).to_csv(study.parent / "customers.csv", index=False)
    result = run(study, home, "confirmation.test_seeds=1")
    folder = RunFolder(home / "studies/customers/1")
    write_artifacts(read_study(study), folder, result)
    card = folder.read_json(folder.files.artifact(Artifact.TABLE_JSON))
    assert (card["rows"], card["test_rows"]) == (120, 30)
    columns = pd.read_csv(folder.files.artifact(Artifact.TABLE)).set_index("column")
    kinds = {"id": "identifier", "age": "number", "since": "date", "note": "text"}
    assert columns.kind[[*kinds]].to_dict() == kinds
    seen = table_card(read_study(study).selection.dataset())  # type: ignore[arg-type]
    assert columns.missing.tolist() == [column.missing for column in seen.columns]
    page = folder.files.artifact(Artifact.REPORT).read_text()
    assert "customers.csv: 120 rows to learn from, 30 set aside as the test set" in page
    assert "Likely mistakes in the table" in page
    assert "is the same in every row" in page
    # Drawn anew from the records, without the file.
    (study.parent / "customers.csv").unlink()
    assert "customers.csv: 120 rows" in write_report(folder, result).read_text()
    assert all(ARCHIVED.fullmatch(f"artifacts/{name}") for name in ("table.csv", "table.json"))


@pytest.mark.parametrize(
    ("metric", "change"),
    [("validation_roc_auc", "drop of roc_auc"), ("validation_loss", "rise of log_loss")],
)
def test_a_column_that_gives_the_target_away_stands_out(
    study: Path, home: Path, metric: str, change: str
) -> None:
    leaky = customers().assign(refund=lambda table: (table["left"] == "yes") * 3.5)
    leaky.loc[::9, "refund"] = 1.0
    leaky.to_csv(study.parent / "customers.csv", index=False)
    overrides = [f"objective={{metric={metric!r}}}", "confirmation.test_seeds=1"]
    result = run(study, home, *overrides)
    folder, read = RunFolder(home / "studies/customers/1"), read_study(study, overrides)
    write_artifacts(read, folder, result)
    path = folder.files.artifact(Artifact.IMPORTANCE)
    table = pd.read_csv(path)
    assert {*table.column} == {"age", "plan", "paid", "since", "note", "refund"}
    assert table.column[0] == "refund"
    assert table.low[0] > 3 * table.importance[1:].max()
    assert (table.low <= table.importance).all()
    assert (table.repeats == 5).all()
    assert folder.files.figure("column_importance").exists()
    page = folder.files.artifact(Artifact.REPORT).read_text()
    assert f"The {change} on test rows" in page
    if metric == "validation_loss":
        return
    # Of the same winner it is not measured again, and of no model it is nothing.
    path.write_text(path.read_text().replace("refund", "other"))
    write_artifacts(read, folder, result)
    assert pd.read_csv(path).column[0] == "other"
    (model,) = (place.file("table_model.zip") for place in folder.files.records("test"))
    model.write_bytes(b"no zip")
    path.unlink()
    write_artifacts(read, folder, result)
    page = folder.files.artifact(Artifact.REPORT).read_text()
    assert "They could not be measured" in page
    assert "BadZipFile" in page
    model.unlink()
    write_artifacts(read, folder, result)
    assert "They could not be measured" not in folder.files.artifact(Artifact.REPORT).read_text()


@pytest.mark.parametrize("apart", [False, True])
def test_groups_of_test_rows_have_scores_of_their_own(
    study: Path, home: Path, apart: bool
) -> None:
    table = customers().assign(shop=[f"shop {row % 10}" for row in range(ROWS)])
    overrides = [
        "data.split={kind='group-k-fold', folds=3, group='shop'}",
        "confirmation.test_seeds=2",
    ]
    if apart:  # test rows in a file of their own
        tested = table["shop"].isin(["shop 3", "shop 7"])
        table[tested].to_csv(study.parent / "test.csv", index=False)
        table = table[~tested]
        overrides.append("data.test=test.csv")
    table.to_csv(study.parent / "customers.csv", index=False)
    result = run(study, home, *overrides)
    folder = RunFolder(home / "studies/customers/1")
    write_artifacts(read_study(study, overrides), folder, result)
    groups = pd.read_csv(folder.files.artifact(Artifact.GROUPS))
    assert len(groups) == 2
    assert groups["rows"].tolist() == [15, 15]
    assert groups.test_accuracy.mean() == pytest.approx(result.test["test_accuracy"].mean)
    assert "All 2 groups of test rows" in folder.files.artifact(Artifact.REPORT).read_text()


def test_weighed_numbers_have_residuals_and_importances(study: Path, home: Path) -> None:
    table = customers().dropna().drop(columns=["note", "left", "since"])
    rng = np.random.default_rng(3)
    paid = 2.5 * table["age"] + rng.normal(0, 1, len(table))
    table.assign(amount=paid, count=rng.integers(0, 3, len(table))).to_csv(
        study.parent / "customers.csv", index=False
    )
    study.write_text(NUMBERS)
    result = run(study, home)
    for _, answers in refits(home):
        assert answers.weights is not None
        error = np.average((answers.labels - answers.predicted) ** 2, weights=answers.weights)
        assert result.test["test_mse"].mean == pytest.approx(error)
    folder = RunFolder(home / "studies/customers/1")
    write_artifacts(read_study(study), folder, result)
    assert folder.files.figure("test_residuals").exists()
    found = pd.read_csv(folder.files.artifact(Artifact.IMPORTANCE))
    assert found.column[0] == "age"
    assert "The rise of mse on test rows" in folder.files.artifact(Artifact.REPORT).read_text()


def test_a_tuned_threshold_is_left_with_them(study: Path, home: Path) -> None:
    goal = "objective.metric=validation_f1"
    run(study, home, goal, "evaluation.threshold=tune", "data.positive=no")
    for record, answers in refits(home):
        assert record.threshold is not None
        assert (answers.positive, answers.threshold) == (0, record.threshold)
        likely = answers.of_class(0)
        assert likely is not None
        assert answers.predicted.tolist() == np.where(likely >= record.threshold, 0, 1).tolist()
