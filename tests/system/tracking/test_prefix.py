"""An MLflow server whose paths have a prefix, as behind a proxy of several services."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

import mlflow
import pytest

from hpsearch import doctor, run_study, study_status
from tests.harness.servers import MLflowServer
from tests.harness.study_files import TINY


@pytest.mark.timeout(180)
def test_the_address_with_the_prefix_is_all_that_is_needed(tmp_path: Path, home: Path) -> None:
    store = f"sqlite:///{tmp_path / 'server.db'}"
    server = MLflowServer(tmp_path / "server", store, tmp_path / "artifacts", "/team/ml")
    server.start()
    try:
        path = tmp_path / "tiny.toml"
        path.write_text(TINY)
        report = run_study(path, home=home, workers=0, tracking_uri=server.url)
        assert report.tracking_uri == server.url
        with urlopen(f"{server.url}/{report.page}", timeout=10) as page:
            assert b"MLflow" in page.read()
        assert doctor("small", home=home, tracking_uri=server.url).empty
        client = mlflow.MlflowClient(server.url)
        experiment = client.get_experiment_by_name("small")
        assert experiment is not None
        found = client.search_runs([experiment.experiment_id])
        (row,) = study_status(home=home).to_dict("records")
        assert sum(run.info.run_name.startswith("trial-") for run in found) == row["trials"]
        (parent,) = (run for run in found if "mlflow.parentRunId" not in run.data.tags)
        assert "](#/experiments/" in parent.data.tags["mlflow.note.content"]  # from its own page
        assert client.list_artifacts(parent.info.run_id)
    finally:
        server.kill()
