"""A home that is backed up while a study runs, and goes on elsewhere."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpsearch import backup, doctor, restore, run_study
from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from tests.harness.study import table


def test_a_backup_of_a_running_study_goes_on_to_the_same_end(
    finished_home: Path, home: Path, tmp_path: Path
) -> None:
    path = finished_home.parent / "tiny.toml"
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    process = subprocess.Popen([*command, "--workers", "0"], stderr=subprocess.DEVNULL)
    try:
        while not list(home.glob("studies/small/1/stages/*.json")) and process.poll() is None:
            time.sleep(0.01)
        made = backup(tmp_path / "night.tar.gz", home=home)
        assert process.poll() is None, "the study was over before it was backed up"
    finally:
        process.kill()
        process.wait()
    assert (made.runs, made.elsewhere) == (1, {})
    new = tmp_path / "new"
    assert restore(made.path, home=new).empty
    assert doctor(home=new).empty
    assert run_study(path, home=new, workers=0).ran
    assert table(new) == table(finished_home)
    assert doctor(home=new).empty


def test_a_backup_takes_no_place_that_is_taken_and_a_restore_neither(
    finished_home: Path, home: Path, tmp_path: Path
) -> None:
    with pytest.raises(HpsearchError, match="must hold a study to be backed up"):
        backup(tmp_path / "b", home=home)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").write_text("")
    for place in (tmp_path / "taken", tmp_path / "taken/file"):
        with pytest.raises(HpsearchError, match="must be empty or not exist yet"):
            backup(place, home=finished_home)
    with pytest.raises(HpsearchError, match="must lie outside the home"):
        backup(finished_home / "b", home=finished_home)
    with pytest.raises(HpsearchError, match="must be empty or not exist yet"):
        restore(tmp_path / "taken", home=home)
    with pytest.raises(HpsearchError, match="doctor --repair"):
        restore(finished_home / "studies", home=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_databases_elsewhere_are_named(
    finished_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPSEARCH_STORAGE", "postgresql+psycopg://me:secret@db/optuna")
    made = backup(tmp_path / "b", home=finished_home)
    (address,) = made.elsewhere
    assert "secret" not in address
    assert "pg_dump" in made.elsewhere[address]
    assert restore(tmp_path / "b", home=tmp_path / "new").empty
    assert not Home(tmp_path / "new").backup.exists()
