"""The registered model of a scikit-learn estimator gives what hpsearch gives."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from hpsearch import doctor, run_study, sync
from hpsearch.datasets.selection import Pool, open_test
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.reading import read_study
from tests.harness.answers import mlflow_answer
from tests.harness.boosters import needs
from tests.harness.stores import new_home

CLASSES = """\
# Few images.
name = "forest"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 5
[space]
trainer = "sklearn.ensemble.RandomForestClassifier"
n_estimators = { low = 5, high = 20 }
[[stages]]
trials = 3
epochs = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 2
"""
NUMBERS = CLASSES.replace("forest", "boosting", 1).replace("accuracy", "mse")
NUMBERS = NUMBERS.replace("maximize", "minimize").replace(
    'name = "digits"\nshots = 5', 'name = "houses.csv"\ntarget = "price"'
)
NUMBERS = NUMBERS.replace("RandomForestClassifier", "GradientBoostingRegressor")
NAMED = NUMBERS.replace("price", "kind").replace("boosting", "kinds")
NAMED = NAMED.replace('"minimize"', '"maximize"').replace("mse", "accuracy")
NAMED = NAMED.replace("ensemble.GradientBoostingRegressor", "svm.LinearSVC").replace(
    "n_estimators = { low = 5, high = 20 }", "C = { low = 0.1, high = 10.0 }"
)
NETWORK = NUMBERS.replace("boosting", "network").replace(
    "n_estimators = { low = 5, high = 20 }", "learning_rate = { low = 0.01, high = 0.1 }"
)
NETWORK = NETWORK.replace("sklearn.ensemble.GradientBoostingRegressor", "adam")
NETWORK = NETWORK.replace("[space]", 'columns = "numbers"\n[network]\nname = "two-layer"\n[space]')
OWN = CLASSES.replace("sklearn.ensemble.RandomForestClassifier", "own.Nearest").replace(
    "n_estimators = { low = 5, high = 20 }", "n_neighbors = { low = 1, high = 3 }"
)
OWN_CODE = """\
from sklearn.neighbors import KNeighborsClassifier

class Nearest(KNeighborsClassifier):
    pass
"""


def finished(folder: Path, text: str) -> tuple[Pool, TrialRecord]:
    """Run a study; its examples with the test set, and the refit that the model is made of."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(80, 3))
    price = x @ [2.0, -1.0, 0.5] + 0.1 * rng.normal(size=80)
    table = pd.DataFrame(x, columns=["rooms", "age", "distance"])
    kind = np.where(price > 0, "dear", "cheap")
    target = {"kind": kind} if '"kind"' in text else {"price": price}
    table.assign(**target).to_csv(folder / "houses.csv", index=False)
    (folder / "own.py").write_text(OWN_CODE)
    path = folder / "study.toml"
    path.write_text(text)
    run_study(path, home=new_home(folder / "home"), workers=0)
    read = read_study(path)
    records = RunFolder(folder / f"home/studies/{read.file.name}/1").read_all("test")
    return open_test(read.selection), next(r for r in records if r.seed_number == 1)


def named(inputs: np.ndarray) -> pd.DataFrame:
    """Rows of houses.csv with their columns' names."""
    return pd.DataFrame(inputs, columns=["rooms", "age", "distance"])


def predict(folder: Path, name: str, inputs: np.ndarray | pd.DataFrame) -> pd.DataFrame:
    """What MLflow answers in this process; in one of its own: test_model, test_table_model."""
    if isinstance(inputs, pd.DataFrame):
        rows = {"dataframe_records": inputs.to_dict("records")}
    else:
        rows = {"inputs": inputs.tolist()}
    (folder / "in.json").write_text(json.dumps(rows))
    return mlflow_answer(folder / "home", name, folder / "in.json", here=True)


def test_a_classifier_answers_with_the_classes_that_the_record_counted(tmp_path: Path) -> None:
    pool, record = finished(tmp_path, CLASSES)
    ((_, held),) = pool.splits
    answered = predict(tmp_path, "forest", pool.examples.inputs[held])
    assert answered["class"].tolist() == record.members[0].predicted
    assert np.allclose(answered.filter(like="probability_").sum(axis=1), 1)
    assert answered.shape[1] == 11


def test_a_regressor_answers_with_the_numbers_that_were_scored(tmp_path: Path) -> None:
    pool, record = finished(tmp_path, NUMBERS)
    ((_, held),) = pool.splits
    answered = predict(tmp_path, "boosting", named(pool.examples.inputs[held]))
    error = np.mean((answered["prediction"] - pool.examples.labels[held]) ** 2)
    assert error == pytest.approx(record.members[0].history["test_mse"][-1], rel=1e-12)


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # MLflow's, of its own code
def test_a_network_of_numbers_answers_with_those_that_were_scored(tmp_path: Path) -> None:
    pool, record = finished(tmp_path, NETWORK)
    ((_, held),) = pool.splits
    inputs = pool.examples.inputs[held]
    uri = Home(tmp_path / "home").tracking_uri
    (found,) = mlflow.MlflowClient(uri).search_model_versions("name = 'network'")
    model = mlflow.pyfunc.load_model(found.source)
    assert model.metadata.signature.outputs.input_names() == ["prediction"]
    answered = model.predict(inputs)
    error = np.mean((answered["prediction"] - pool.examples.labels[held]) ** 2)
    assert error == pytest.approx(record.members[0].history["test_mse"][-1], rel=1e-6)


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # MLflow's, of its own code
def test_classes_have_their_names_where_no_probability_is_known(tmp_path: Path) -> None:
    pool, record = finished(tmp_path, NAMED)
    ((_, held),) = pool.splits
    uri = Home(tmp_path / "home").tracking_uri
    (found,) = mlflow.MlflowClient(uri).search_model_versions("name = 'kinds'")
    model = mlflow.pyfunc.load_model(found.source)
    assert model.metadata.signature.outputs.input_names() == ["class"]
    assert len(model.predict(model.input_example)) == 2
    answered = model.predict(named(pool.examples.inputs[held]))
    taken = [pool.examples.classes[k] for k in record.members[0].predicted or ()]
    assert answered["class"].tolist() == taken
    # What it must be read with.
    requirements = Path(str(found.source).removeprefix("file://")) / "requirements.txt"
    assert {"scikit-learn", "skops"} <= {
        line.partition("==")[0] for line in requirements.read_text().splitlines()
    }
    sync(home=new_home(tmp_path / "home"), tracking_uri=f"sqlite:///{tmp_path / 'fresh.db'}")
    assert doctor(home=new_home(tmp_path / "home")).empty


def test_a_class_of_ones_own_has_no_model_and_its_log_says_why(tmp_path: Path) -> None:
    """Its code would run where the model is read."""
    _, record = finished(tmp_path, OWN)
    assert record.outcome == "complete"
    client = mlflow.MlflowClient(Home(tmp_path / "home").tracking_uri)
    assert not client.search_model_versions("name = 'forest'")
    log = tmp_path / "home/studies/forest/1/test" / f"{record.number:05d}-1/log.txt"
    assert "the model is not kept for predictions" in log.read_text()
    assert "own.Nearest" in log.read_text()


@pytest.mark.parametrize(
    ("trainer", "size"),
    [
        pytest.param("lightgbm.LGBMClassifier", "n_estimators", marks=needs("lightgbm")),
        pytest.param("xgboost.XGBClassifier", "n_estimators", marks=needs("xgboost")),
        pytest.param("catboost.CatBoostClassifier", "iterations", marks=needs("catboost")),
    ],
)
def test_a_booster_answers_from_its_librarys_own_file(
    trainer: str, size: str, tmp_path: Path
) -> None:
    text = CLASSES.replace("sklearn.ensemble.RandomForestClassifier", trainer)
    pool, record = finished(tmp_path, text.replace("n_estimators", size))
    ((_, held),) = pool.splits
    answered = predict(tmp_path, "forest", pool.examples.inputs[held])
    assert answered["class"].tolist() == record.members[0].predicted
    assert np.allclose(answered.filter(like="probability_").sum(axis=1), 1)
    (found,) = mlflow.MlflowClient(Home(tmp_path / "home").tracking_uri).search_model_versions(
        "name = 'forest'"
    )
    requirements = Path(str(found.source).removeprefix("file://")) / "requirements.txt"
    assert trainer.partition(".")[0] in requirements.read_text()
