"""A whole home that version 0.1 wrote, with its databases: commands work on it, for ever."""

from __future__ import annotations

import tarfile
from pathlib import Path

import mlflow
import pytest

from hpsearch import (
    backup,
    doctor,
    run_study,
    show_study,
    study_status,
    sync,
    verify_study,
)
from hpsearch.records.layout import Home

ARCHIVE = Path(__file__).parents[1] / "assets" / "home-0.1.tar.xz"  # see README.md there


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The home, in another place than where it was written; its study files lie beside it."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "home"


def findings(home: Path) -> list[str]:
    found = doctor(home=home).query("place != 'host'")
    return [f"{row.subject}: {row.difference}" for row in found.itertuples()]


def test_a_home_of_0_1_works_on(old: Path) -> None:
    states = {row.study: row.state for row in study_status(home=old).itertuples()}
    assert states == {"old": "finished", "cut": "interrupted"}
    assert show_study("old", home=old).result.best_number == 0
    assert verify_study("old", home=old).equal

    sync(home=old)
    client = mlflow.MlflowClient(Home(old).tracking_uri)
    experiment = client.get_experiment_by_name("old")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 9  # five trials, two confirmations, a test, the parent
    tags = [run.data.tags for run in runs]
    assert sum("hpsearch.record" in one for one in tags) == 8  # as this version writes them

    finished = run_study(old.parent / "cut.toml", home=old, workers=0)  # goes on where it was
    assert finished.ran
    assert finished.result.counts["complete"] == 3
    assert verify_study("cut", home=old).equal
    assert findings(old) == []

    again = run_study(old.parent / "old.toml", home=old, workers=0)
    assert not again.ran
    its_rule = ["sampler.rule=1"]
    fresh = run_study(old.parent / "old.toml", home=old, workers=0, fresh=True, overrides=its_rule)
    assert fresh.result.best_params == again.result.best_params
    assert backup(old.parent / "kept.tar.gz", home=old).runs == 3
