"""The registered model gives what hpsearch gives."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest

from hpsearch import doctor, sync
from hpsearch.datasets.selection import open_test
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.reading import read_study
from tests.harness.answers import mlflow_answer
from tests.harness.study_files import TINY


def test_mlflow_models_predict_takes_the_classes_that_the_record_counted(
    finished_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    pool = open_test(read_study(tmp_path / "tiny.toml").selection)
    ((_, held),) = pool.splits
    asked = tmp_path / "in.json"
    asked.write_text(json.dumps({"inputs": pool.examples.inputs[held].tolist()}))
    answered = mlflow_answer(finished_home, "small", asked)
    (record,) = (
        r
        for r in RunFolder(finished_home / "studies/small/1").read_all("test")
        if r.seed_number == 1
    )
    assert answered["class"].tolist() == record.members[0].predicted
    assert np.allclose(sum(answered[f"probability_{k}"] for k in range(10)), 1)


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # MLflow's, of its own code
def test_a_replay_registers_it_once_and_a_fresh_store_gets_it_too(
    copied_home: Path, tmp_path: Path
) -> None:
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    for uri in (Home(copied_home).tracking_uri, fresh, fresh):
        sync(home=copied_home, tracking_uri=uri)
        client = mlflow.MlflowClient(uri)
        (found,) = client.search_model_versions("name = 'small'")
        assert client.get_model_version_by_alias("small", "winner").version == found.version
    model = mlflow.pyfunc.load_model(found.source)
    assert model.metadata.signature is not None
    assert model.input_example is not None
    assert len(model.predict(model.input_example)) == 2
    assert doctor(home=copied_home, tracking_uri=fresh).empty
