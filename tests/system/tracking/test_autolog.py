"""Code that has MLflow log what it fits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hpsearch import run_study
from hpsearch.records.run_folder import RunFolder
from tests.harness.functions import WriteModule

CODE = """
    import mlflow
    from sklearn.linear_model import LinearRegression

    def train(params, data, seed):
        log = mlflow.sklearn.autolog if params["how"] == "sklearn" else mlflow.autolog
        log(log_models=False, log_datasets=False)
        LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
        yield {"validation_accuracy": 0.5}
"""
STUDY = """
name = "own"
objective = { metric = "validation_accuracy", direction = "maximize" }
data = { name = "digits", shots = 2 }
sampler = { name = "grid" }
space = { trainer = "TRAINER", how = { choices = ["sklearn", "all"] } }
stages = [{ trials = 2, epochs = 1 }]
confirmation = { top = 1, seeds = 2, test_seeds = 1, default = false }
"""


@pytest.fixture
def own_autolog(own_mlflow: None) -> Iterator[None]:
    """Nothing of this process is logged by itself after the test."""
    import mlflow

    yield
    mlflow.autolog(disable=True)
    mlflow.sklearn.autolog(disable=True)


@pytest.mark.usefixtures("own_autolog")
@pytest.mark.filterwarnings("default")  # of libraries that it looks for
def test_what_mlflow_logs_by_itself_is_in_the_trial_s_own_store(
    tmp_path: Path, home: Path, write: WriteModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "own.toml").write_text(STUDY.replace("TRAINER", write(CODE)))
    run_study(tmp_path / "own.toml", home=home, workers=0)
    folder = RunFolder(home / "studies/own/1")
    assert [record.outcome for record in folder.read_all("trial")] == ["complete"] * 2
    for number in range(2):
        member = folder.files.record("trial", number).member(0)
        with closing(sqlite3.connect(member / "mlflow.db")) as store:
            keys = {key for (key,) in store.execute("select key from metrics")}
            ((places, n_runs),) = store.execute(
                "select group_concat(artifact_location), (select count(*) from runs) "
                "from experiments"
            )
        assert "training_r2_score" in keys
        # The second store has the tables of the first, and nothing else of it.
        assert (places, n_runs) == ((member / "mlflow-artifacts/0").as_uri(), 1)
    assert list((tmp_path / "here").iterdir()) == []
    with closing(sqlite3.connect(home / "mlflow.db")) as ours:
        keys = {key for (key,) in ours.execute("select key from metrics")}
    assert "training_r2_score" not in keys
