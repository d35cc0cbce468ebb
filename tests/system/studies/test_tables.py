"""The studies of tables that come along, with a tiny budget, and how their tables are made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch import run_study, study_trials
from hpsearch.own_code import load_module, look_first_in
from tests.harness.study_files import REPOSITORY

pytestmark = pytest.mark.usefixtures("without_mlflow")
STUDIES = REPOSITORY / "studies"
FEW = ("confirmation.top=1", "confirmation.seeds=2", "confirmation.test_seeds=2")


def test_a_table_of_customers_is_searched_and_tested(home: Path) -> None:
    few = [*FEW, "data.split.folds=2", "stages=[{trials=6, epochs=1}, {trials=2, epochs=2}]"]
    report = run_study(STUDIES / "customers.toml", overrides=few, home=home, workers=0)
    trainers = set(study_trials("customers", home=home)["trainer"])
    assert len(trainers) > 1
    assert report.result.test_score is not None
    assert report.result.test_score.mean > 0.5


def test_all_trainers_predict_the_progress_of_diabetes(home: Path) -> None:
    few = [*FEW, "data.split.folds=2", "stages=[{trials=2, epochs=2}, {trials=1, epochs=4}]"]
    run = run_study(STUDIES / "diabetes.toml", overrides=few, home=home, workers=0).result
    assert len(run.arms) == 4
    for arm in run.arms:
        assert arm.failure == ""
        assert dict(arm.test).keys() == {"test_mse", "test_r2", "test_rmse", "test_mae"}
    ridge = dict(run.arms[0].test)
    assert ridge["test_r2"].mean > 0.4
    assert ridge["test_rmse"].mean == pytest.approx(ridge["test_mse"].mean ** 0.5, rel=1e-3)
    trials = study_trials("diabetes", home=home)
    assert (trials["outcome"] != "failed").all()
    figures = Path(run.folder) / "figures"
    assert (figures / "test_residuals.png").exists()


def test_the_table_of_diabetes_is_scikit_learns() -> None:
    look_first_in(str(STUDIES))
    made = load_module("make_diabetes").diabetes()
    pd.testing.assert_frame_equal(pd.read_csv(STUDIES / "diabetes.csv"), made)
    assert made.shape == (442, 11)
    assert made["progression"].agg(["min", "max"]).tolist() == [25, 346]


def test_the_table_of_customers_is_made_as_it_says(tmp_path: Path) -> None:
    look_first_in(str(STUDIES))
    module = load_module("make_customers")
    module.customers(np.random.default_rng(module.SEED)).to_csv(tmp_path / "t.csv", index=False)
    assert (tmp_path / "t.csv").read_bytes() == (STUDIES / "customers.csv").read_bytes()
