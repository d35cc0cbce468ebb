"""The registered model of a table takes raw rows, and gives what `hpsearch predict` gives."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pytest

from hpsearch import predict, run_study
from hpsearch.records.layout import Home
from tests.harness.answers import mlflow_answer
from tests.harness.stores import new_home
from tests.harness.tables import CUSTOMERS, TREES, customers


@pytest.mark.parametrize("trainer", ["adam", TREES])
def test_mlflow_and_predict_agree_on_raw_rows_to_the_last_digit(
    tmp_path: Path, trainer: str
) -> None:
    customers().to_csv(tmp_path / "customers.csv", index=False)
    path = tmp_path / "customers.toml"
    path.write_text(CUSTOMERS)
    home = new_home(tmp_path / "home")
    fixed = [f"space.trainer={trainer}", "prepare.scale=standard", "stages.0.trials=2"]
    if trainer != "adam":
        (head, _, rest), space = (
            CUSTOMERS.partition("[network]"),
            "[space]\ntrainer = 'x'\n[prepare]",
        )
        path.write_text(head + space + rest.partition("[prepare]")[2])
        fixed += ["prepare.scale=none", "confirmation.model=all-rows"]
    else:
        fixed += ["space.learning_rate=0.05", "stages.0.trials=1"]
    run_study(path, overrides=fixed, home=home, workers=0)
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    version = client.get_model_version_by_alias("customers", "winner")
    assert ("trained on all rows" in str(version.description)) == (trainer != "adam")
    rows = tmp_path / "new.csv"
    new = customers(seed=1).drop(columns=["id", "left"])
    new.loc[0, "plan"] = "gold"
    new.iloc[:, ::-1].to_csv(rows, index=False)
    ours = predict("customers", rows, home=home)
    theirs = mlflow_answer(home, "customers", rows, here=trainer == "adam")
    assert theirs["class"].tolist() == ours["class"].tolist()
    for name in ("probability_no", "probability_yes"):
        assert np.array_equal(theirs[name].to_numpy(), ours[name].to_numpy())
