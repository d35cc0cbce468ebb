"""Refits that failed and are run again, as MLflow shows them."""

from __future__ import annotations

from pathlib import Path

from mlflow.entities import ViewType

from hpsearch import doctor, run_study
from hpsearch.records.layout import Home
from hpsearch.tracking.client import open_client
from tests.harness.programs import TESTED, study_with_test
from tests.harness.stores import new_home


def test_the_run_of_a_refit_that_failed_is_replaced(tmp_path: Path) -> None:
    path = study_with_test(tmp_path, TESTED, "probe = false", "dry_start = 0")
    path.write_text(path.read_text().replace('"test"', '"tset"'))
    home, overrides = new_home(tmp_path / "home"), ["confirmation={top=1, seeds=2, test_seeds=2}"]
    report = run_study(path, overrides=overrides, home=home, workers=0)
    assert report.failed_refits == 2
    path.write_text(path.read_text().replace('"tset"', '"test"'))
    report = run_study(path, overrides=overrides, home=home, workers=0)
    assert report.result.test
    client = open_client(Home(home).tracking_uri)
    tested = "tags.`hpsearch.retested` = '1'"
    runs = client.search_runs([report.experiment_id], tested)
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
    trash = client.search_runs([report.experiment_id], run_view_type=ViewType.DELETED_ONLY)
    assert [run.info.status for run in trash] == ["FAILED", "FAILED"]
    assert doctor(home=home).empty
