"""Old runs are deleted from all stores, whatever cuts the deletion short."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import mlflow
import optuna
import pytest
from typer.testing import CliRunner

from hpsearch import Pruning, doctor, prune_studies, run_batch, run_study, study_status
from hpsearch.api.support import deletion
from hpsearch.cli import app
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_lock import lock_study, unlock_study
from hpsearch.tracking import deletion as tracking
from hpsearch.tracking.stores.own_store import follow_home
from tests.harness.stores import new_home
from tests.harness.study_files import TINY

SHORT = """\
stages=[{trials=2, epochs=1}]
confirmation={top=1, seeds=2, test_seeds=1, default=false}
""".splitlines()
RETENTION = """\
name = "night"
[retention]
older = "0d"
keep_best = 0
keep_last = 1
[[studies]]
file = "tiny.toml"
set = %s
"""


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory, known_schema: None) -> Path:
    """A home with three finished runs of a study; to be read only."""
    folder = tmp_path_factory.mktemp("three")
    path, home = folder / "tiny.toml", new_home(folder / "home")
    path.write_text(TINY)
    for seed in (["seed=0"], ["seed=1"], []):
        run_study(path, overrides=SHORT + seed, home=home, workers=0, fresh=True)
    return home


@pytest.fixture
def old_home(three_runs: Path, tmp_path: Path) -> Path:
    """A copy to be pruned."""
    shutil.copytree(three_runs, tmp_path / "old")
    follow_home(Home(tmp_path / "old"))
    return tmp_path / "old"


def pruned(home: Path, *, best: int = 0, dry_run: bool = False) -> Pruning:
    """What goes of runs of any age but the last."""
    done = prune_studies(
        "small", home=home, older="0d", keep_best=best, keep_last=1, dry_run=dry_run
    )
    assert done is not None
    return done


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
    planned = pruned(old_home, best=1, dry_run=True)
    best = max(planned.rows, key=lambda row: (row.score or 0, row.run)).run
    whole(old_home, [1, 2, 3])
    home, runs = Home(old_home), rows_in_mlflow(old_home)
    files = home.size_of(home.studies) + home.size_of(home.artifacts)
    done = pruned(old_home, best=1)
    assert done.rows == planned.rows
    left = sorted({int(best.partition("/")[2]), 3})
    assert done.deleted == [f"small/{n}" for n in (1, 2, 3) if n not in left]
    whole(old_home, left)
    assert rows_in_mlflow(old_home) < runs
    after = home.size_of(home.studies) + home.size_of(home.artifacts)
    assert files - after == pytest.approx(done.file_bytes, abs=200)  # the study's lock
    assert done.test_uses == len(done.deleted)


def test_nothing_goes_by_default_or_without_agreement(old_home: Path) -> None:
    found = prune_studies(home=old_home)
    assert found is not None
    assert [row.goes for row in found.rows] == [False] * 3
    assert "younger than 30d" in found.rows[0].reason
    refused = prune_studies(
        home=old_home, older="0d", keep_best=0, keep_last=1, agree=lambda _: False
    )
    assert refused is None
    assert numbers(old_home) == [1, 2, 3]
    with pytest.raises(StudyFileError, match=r"--keep-last must be .* got 0"):
        prune_studies(home=old_home, keep_last=0)
    with pytest.raises(StudyFileError, match="with all of its runs"):
        prune_studies("small/3", home=old_home)


def test_what_is_served_running_or_unfinished_stays(old_home: Path) -> None:
    client = client_of(old_home)
    client.set_registered_model_alias("small", "champion", "1")
    result = old_home / "studies/small/2/artifacts/result.json"
    result.rename(result.with_name("aside"))
    top = Home(old_home).study("small")
    lock = lock_study(top)
    assert {row.reason for row in pruned(old_home).rows} == {
        "last 1",
        "the study is running",
        "served: small version 1 (champion)",
    }
    unlock_study(top, lock)
    found = pruned(old_home)
    assert not found.deleted
    assert [row.reason for row in found.rows] == [
        "served: small version 1 (champion)",
        "not finished; python -m hpsearch delete deletes it",
        "last 1",
    ]
    client.delete_registered_model_alias("small", "champion")
    assert pruned(old_home).deleted == ["small/1"]
    assert sorted(int(v.version) for v in client.search_model_versions("name = 'small'")) == [2, 3]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (tracking, "shutil"),
        (deletion, "delete_stored"),
        (deletion, "shutil"),
    ],
)
def test_a_deletion_that_was_cut_is_finished_by_the_same_call(
    old_home: Path, place: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, name, SimpleNamespace(rmtree=die) if name == "shutil" else die)
        with pytest.raises(KeyboardInterrupt):
            pruned(old_home)
    pruned(old_home)
    whole(old_home, [3])


def test_a_killed_prune_is_finished_by_another(old_home: Path) -> None:
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
    pruned(old_home)
    whole(old_home, [3])


def test_a_batch_applies_its_retention_at_its_end(old_home: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    (tmp_path / "night.toml").write_text(RETENTION % SHORT)
    lines: list[str] = []
    report = run_batch(tmp_path / "night.toml", home=old_home, workers=0, warn=lines.append)
    assert [row.outcome for row in report.studies] == ["found"]
    assert report.retention.startswith("2 runs deleted, 1 kept, ")
    assert any("uses of the test set whose records" in line for line in lines)
    (summary,) = old_home.glob("batches/*/summary.json")
    assert report.retention in summary.read_text()


def test_the_command_shows_what_goes_and_asks(old_home: Path) -> None:
    command = ["prune", "--home", str(old_home), "--older", "0d", "--keep-best", "0"]
    command += ["--keep-last", "1"]
    refused = CliRunner().invoke(app, command, input="n\n")
    assert refused.exit_code == 1
    assert "2 of 3 runs to delete, " in refused.stdout
    assert "nothing was deleted" in refused.stderr
    dry = CliRunner().invoke(app, [*command, "--dry-run", "--json"])
    assert [row["goes"] for row in json.loads(dry.stdout)["rows"]] == [True, True, False]
    assert numbers(old_home) == [1, 2, 3]
    done = CliRunner().invoke(app, [*command, "--yes"])
    assert done.exit_code == 0
    assert "2 runs deleted, 1 kept, " in done.stderr
    again = CliRunner().invoke(app, [*command, "--yes"])
    assert (again.exit_code, again.stderr) == (0, "nothing to delete\n")
