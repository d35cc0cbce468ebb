"""Old runs are deleted from all stores, whatever cuts the deletion short."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import mlflow
import optuna
import pytest

from hpsearch import doctor, prune_studies, run_batch, run_study, study_status
from hpsearch.api.support import deletion
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_lock import lock_study, unlock_study
from hpsearch.tracking.own_store import follow_home
from tests.harness.stores import new_home
from tests.harness.study_files import TINY

ALL = {"older": "0d", "keep_best": 1, "keep_last": 1}


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory, known_schema: None) -> Path:
    """A home with three finished runs of a study, the second the best; to be read only."""
    folder = tmp_path_factory.mktemp("three")
    (folder / "tiny.toml").write_text(TINY)
    for seed in (0, 1, 2):
        run_study(
            folder / "tiny.toml",
            overrides=[f"seed={seed}"],
            home=new_home(folder / "home"),
            workers=0,
            fresh=True,
        )
    return folder / "home"


@pytest.fixture
def old_home(three_runs: Path, tmp_path: Path) -> Path:
    """A copy to be pruned."""
    shutil.copytree(three_runs, tmp_path / "old")
    follow_home(Home(tmp_path / "old"))
    return tmp_path / "old"


def client_of(home: Path) -> mlflow.MlflowClient:
    uri = Home(home).tracking_uri
    return mlflow.MlflowClient(uri, registry_uri=uri)


def rows_in_mlflow(home: Path) -> int:
    """Runs of any state."""
    with closing(sqlite3.connect(Home(home).mlflow)) as database:
        (found,) = database.execute("select count(*) from runs").fetchone()
    return int(found)


def numbers(home: Path) -> list[int]:
    return [int(n) for n in study_status(home=home)["run"]]


def whole(home: Path, left: list[int]) -> None:
    """All stores hold these runs of the study and nothing of the others."""
    assert numbers(home) == left
    assert doctor(home=home).empty
    assert len(optuna.get_all_study_names(Home(home).storage_url)) == len(left)
    (experiment,) = client_of(home).search_experiments(filter_string="name = 'small'")
    runs = client_of(home).search_runs([experiment.experiment_id])
    assert rows_in_mlflow(home) == len(runs)
    assert {path.name for path in Home(home).artifacts.iterdir()} == {
        run.info.run_id for run in runs
    }
    assert not list(home.glob("studies/small/.*.deleted"))


def test_the_best_and_the_last_stay_and_the_space_of_the_others_is_freed(old_home: Path) -> None:
    before = {row.run: row.score for row in prune_studies(home=old_home, dry_run=True).rows}  # type: ignore[union-attr]
    best = max(before, key=lambda name: (before[name], name))
    planned = prune_studies(home=old_home, dry_run=True, **ALL)  # type: ignore[arg-type]
    assert planned is not None
    whole(old_home, [1, 2, 3])
    files, runs = Home.size_of(old_home / "studies"), rows_in_mlflow(old_home)
    files += Home.size_of(Home(old_home).artifacts)
    assert prune_studies(home=old_home, agree=lambda _: False, **ALL) is None  # type: ignore[arg-type]
    done = prune_studies(home=old_home, **ALL)  # type: ignore[arg-type]
    assert done is not None
    assert done.rows == planned.rows
    left = sorted({int(best.partition("/")[2]), 3})
    assert done.deleted == [f"small/{n}" for n in (1, 2, 3) if n not in left]
    whole(old_home, left)
    assert rows_in_mlflow(old_home) < runs
    after = Home.size_of(old_home / "studies") + Home.size_of(Home(old_home).artifacts)
    assert files - after == pytest.approx(done.file_bytes, abs=200)  # who held the lock
    assert done.test_uses == len(done.deleted)
    assert "younger than 30d" in prune_studies(home=old_home).rows[0].reason  # type: ignore[union-attr]


def test_what_is_served_running_or_unfinished_stays(old_home: Path) -> None:
    client = client_of(old_home)
    (first,) = [v for v in client.search_model_versions("name = 'small'") if int(v.version) == 1]
    client.set_registered_model_alias("small", "champion", first.version)
    result = old_home / "studies/small/2/artifacts/result.json"
    result.rename(result.with_name("aside"))
    top = Home(old_home).study("small")
    lock = lock_study(top)
    busy = prune_studies(home=old_home, older="0d", keep_best=0)
    unlock_study(top, lock)
    assert busy is not None
    assert not busy.deleted
    found = prune_studies("small", home=old_home, older="0d", keep_best=0, keep_last=1)
    assert found is not None
    assert [row.reason for row in found.rows] == [
        "served: small version 1 (champion)",
        "not finished; python -m hpsearch delete takes it",
        "last 1",
    ]
    client.delete_registered_model_alias("small", "champion")
    found = prune_studies("small", home=old_home, older="0d", keep_best=0, keep_last=1)
    assert found is not None
    assert found.deleted == ["small/1"]
    assert sorted(int(v.version) for v in client.search_model_versions("name = 'small'")) == [2, 3]
    with pytest.raises(StudyFileError, match="with all of its runs"):
        prune_studies("small/3", home=old_home)


@pytest.mark.parametrize("cut", ["in MLflow", "before Optuna", "among the records"])
def test_a_deletion_that_was_cut_is_finished_by_the_same_call(
    old_home: Path, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    place, name = {
        "in MLflow": ("hpsearch.tracking.deletion", "shutil.rmtree"),
        "before Optuna": ("hpsearch.api.support.deletion", "delete_stored"),
        "among the records": ("hpsearch.api.support.deletion", "shutil.rmtree"),
    }[cut]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(f"{place}.{name}", die)
        if cut == "among the records":  # the tree is the same module for both
            patch.setattr(deletion.StoredRun, "shared_folders", lambda self: iter(()))
            patch.setattr("hpsearch.tracking.deletion.TrackedRuns._free", lambda self: None)
        prune_studies(home=old_home, older="0d", keep_best=0, keep_last=1)
    done = prune_studies(home=old_home, older="0d", keep_best=0, keep_last=1)
    assert done is not None
    if cut != "among the records":
        whole(old_home, [3])
    assert numbers(old_home) == [3]
    assert not list(old_home.glob("studies/small/.*.deleted"))


def test_a_killed_prune_is_finished_by_the_same_command(old_home: Path) -> None:
    command = [sys.executable, "-m", "hpsearch", "prune", "--home", str(old_home), "--yes"]
    command += ["--older", "0d", "--keep-best", "0", "--keep-last", "1"]
    artifacts = Home(old_home).artifacts
    before = len(list(artifacts.iterdir()))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(artifacts.iterdir())) == before and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(numbers(old_home)) > 1
    subprocess.run(command, check=True, capture_output=True)
    whole(old_home, [3])


def test_a_batch_applies_its_retention_at_its_end(old_home: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(
        TINY.replace("[data]", '[retention]\nolder = "0d"\nkeep_best = 0\nkeep_last = 1\n\n[data]')
    )
    lines: list[str] = []
    report = run_batch(tmp_path / "tiny.toml", home=old_home, workers=0, warn=lines.append)
    assert report.retention.startswith("2 runs deleted, 1 kept, ")
    assert any("looks at the test set are forgotten" in line for line in lines)
    (summary,) = old_home.glob("batches/*/summary.json")
    assert report.retention in summary.read_text()
