"""What `status` found is kept, and read again as soon as anything changed."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from hpsearch import run_study, study_status
from hpsearch.api import status as module
from hpsearch.api.status import status_rows
from hpsearch.records.layout import Home


@pytest.fixture
def home(copied_home: Path) -> Path:
    """Of a study that ended some time ago, as what is young is read again."""
    grow_old(copied_home)
    return copied_home


def grow_old(home: Path) -> None:
    run = home / "studies/small/1"
    for place in (run, *run.rglob("*")):
        os.utime(place, (time.time() - 100,) * 2)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose records were read, in order."""
    found: list[str] = []
    readable = module._readable

    def counted(run, holder):  # type: ignore[no-untyped-def]
        found.append(run.name)
        return readable(run, holder)

    monkeypatch.setattr(module, "_readable", counted)
    return found


def test_what_did_not_change_is_read_once(home: Path, read: list[str]) -> None:
    first = status_rows(home=home)
    assert first[0]["state"] == "finished"
    assert status_rows(home=home) == first == status_rows("small/1", home=home)
    assert study_status(home=home).to_dict("records")[0]["best"] == first[0]["best"]
    assert read == ["small"]


def test_a_finished_study_that_is_looked_up_is_not_read_again(
    home: Path, read: list[str], tmp_path: Path
) -> None:
    status_rows(home=home)
    shutil.copy(home / "studies/small/1/artifacts/study.toml", tmp_path / "small.toml")
    run_study(tmp_path / "small.toml", home=home, workers=0)  # its path is another
    status_rows(home=home)
    assert read == ["small", "small"]
    grow_old(home)
    status_rows(home=home)
    run_study(tmp_path / "small.toml", home=home, workers=0)
    status_rows(home=home)
    assert read == ["small"] * 3


def test_a_run_that_lost_its_result_is_read_again(home: Path, read: list[str]) -> None:
    status_rows(home=home)
    (home / "studies/small/1/artifacts/result.json").unlink()
    assert [row["state"] for row in status_rows(home=home)] == ["interrupted"]
    assert read == ["small", "small"]


def test_a_run_that_lost_a_trial_is_read_again(home: Path) -> None:
    before = status_rows(home=home)[0]["trials"]
    shutil.rmtree(sorted((home / "studies/small/1/trials").iterdir())[-1])
    assert status_rows(home=home)[0]["trials"] == before - 1


def test_what_was_written_just_now_is_not_kept(copied_home: Path, read: list[str]) -> None:
    os.utime(copied_home / "studies/small/1", (time.time() + 5,) * 2)
    status_rows(home=copied_home)
    status_rows(home=copied_home)
    assert read == ["small", "small"]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 0, "rows": {}}', '{"format": 1}', "{"])
def test_a_damaged_index_is_made_anew(home: Path, read: list[str], text: str) -> None:
    first = status_rows(home=home)
    Home(home).status_index.write_text(text)
    assert status_rows(home=home) == first
    assert status_rows(home=home) == first
    assert read == ["small", "small"]


def test_where_no_index_can_be_written_all_is_read(home: Path, read: list[str]) -> None:
    Home(home).status_index.mkdir()  # as a read-only folder is none for the super-user
    first = status_rows(home=home)
    assert status_rows(home=home) == first
    assert read == ["small", "small"]
    assert not [path for path in home.iterdir() if path.name.startswith(".status")]


def test_deleted_runs_leave_the_index(home: Path) -> None:
    status_rows(home=home)
    shutil.copytree(home / "studies/small", home / "studies/other")
    shutil.rmtree(home / "studies/small")
    assert [row["study"] for row in status_rows(home=home)] == ["other"]
    assert list(json.loads(Home(home).status_index.read_text())["rows"]) == ["other/1"]
