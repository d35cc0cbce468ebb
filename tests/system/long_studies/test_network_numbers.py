"""Networks beside scikit-learn's regressors on a table of numbers to predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch import predict
from hpsearch.datasets.selection import open_test
from hpsearch.nn.fitted import FittedNetwork, SavedNetwork
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records, run

RIDGE = "sklearn.linear_model.Ridge"
HOUSES = f"""\
# Prices that bend: a line is not enough.
name = "houses"
objective = {{ metric = "validation_r2", direction = "maximize" }}

[data]
name = "houses.csv"
target = "price"
split = {{ kind = "k-fold", folds = 3 }}

[network]
name = "two-layer"
hidden = 8

[space]
trainer = {{ choices = ["adam", "{RIDGE}"] }}
learning_rate = {{ low = 2e-2, high = 1e-1, log = true, when = {{ trainer = "adam" }} }}
batch_size = 10
alpha = {{ low = 1e-3, high = 10.0, log = true, when = {{ trainer = "{RIDGE}" }} }}

[[stages]]
trials = 6
epochs = 20

[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    size, age = rng.uniform(40, 200, 120).round(), rng.uniform(0, 80, 120).round()
    price = 200_000 + 1_000 * np.abs(size - 120) - 500 * age + rng.normal(0, 2_000, 120)
    kind = rng.choice(["flat", "house"], 120)
    table = pd.DataFrame({"size": size, "age": age, "kind": kind, "price": price.round(2)})
    table.to_csv(tmp_path / "houses.csv", index=False)
    path = tmp_path / "houses.toml"
    path.write_text(HOUSES)
    return path


def test_a_network_and_a_line_are_searched_together_and_rows_are_scored(
    study: Path, home: Path
) -> None:
    result = run(study, home)
    tried = records(home, "houses")
    assert {str(r.params["trainer"]) for r in tried} == {"adam", RIDGE}
    best = {
        name: max(
            np.mean([member.history["validation_r2"][-1] for member in record.members])
            for record in tried
            if record.params["trainer"] == name
        )
        for name in ("adam", RIDGE)
    }
    assert best["adam"] > 0.8 > best[RIDGE]
    assert result.validation.mean > 0.8
    rows = study.parent / "houses.csv"
    scored = predict("houses", rows, home=home)
    assert list(scored) == ["size", "age", "kind", "price", "prediction"]
    pool = open_test(read_study(study).selection)
    (refit,) = RunFolder(home / "studies/houses/1").read_all("test")
    price = scored["price"].astype(float)
    tested = price.isin(pool.examples.labels[pool.splits[0][1]])
    assert tested.sum() == 24
    mse = np.mean((scored["prediction"] - price)[tested] ** 2)
    assert refit.members[0].history["test_mse"][-1] == pytest.approx(mse, rel=1e-6)


def test_the_file_of_a_plain_table_of_numbers_predicts_as_scored(study: Path, home: Path) -> None:
    table = pd.read_csv(study.parent / "houses.csv").drop(columns="kind")
    table[["size", "age"]] /= 100
    table.to_csv(study.parent / "houses.csv", index=False)
    fixed = ["space={trainer='adam', learning_rate=0.05}", "stages.0.trials=1"]
    run(study, home, 'data.columns="numbers"', *fixed)
    selection = read_study(study, ['data.columns="numbers"', *fixed]).selection
    pool = open_test(selection)
    (refit,) = RunFolder(home / "studies/houses/1").read_all("test")
    (path,) = (home / "studies/houses/1").rglob(FittedNetwork.file_name)
    network = SavedNetwork.load(str(path)).network
    tested = pool.splits[0][1]
    error = network.numbers(pool.examples.inputs[tested]) - pool.examples.labels[tested]
    assert refit.members[0].history["test_mse"][-1] == pytest.approx(np.mean(error**2), rel=1e-6)
