"""A run of another version is named in one line, and hides no other run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpsearch import doctor, study_status
from hpsearch.api.status import status_rows
from hpsearch.console import print_status
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.study.opening import open_run
from hpsearch.study.recorded import find_run
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.stored import stored_file
from tests.harness.study_files import REPOSITORY

KEPT = REPOSITORY / "tests" / "assets" / "before-format" / "home"


@pytest.fixture
def old_home(tmp_path: Path) -> Path:
    """Two studies of a run each, one of them with the keys of another version."""
    home = tmp_path / "home"
    shutil.copytree(KEPT, home)
    shutil.rmtree(home / "studies" / "plain" / "2")
    path = home / "studies" / "plain" / "1" / "study.json"
    content = json.loads(path.read_text())
    content["file"]["data"]["augment"] = True
    del content["file"]["stages"]
    path.write_text(json.dumps(content))
    return home


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(file: dict[str, Any]) -> None:
        for key in path[:-1]:
            file = file[key]
        del file[path[-1]]

    return change


def with_key(*path: str, value: Any = 1) -> Callable[[dict[str, Any]], None]:
    def change(file: dict[str, Any]) -> None:
        for key in path[:-1]:
            file = file[key]
        file[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("space"), "no key space"),
        (without("objective", "metric"), "no key objective.metric"),
        (with_key("colour"), "the unknown key colour"),
        (with_key("data", "split", "seed"), "the unknown key data.split.seed"),
        (with_key("data", "split", "kind", value="leave-one-out"), "data.split.kind: must be"),
        (with_key("seed", value="x"), "seed: must be a whole number, got 'x'"),
    ],
)
def test_a_stored_file_that_does_not_fit_is_refused_in_one_line(
    change: Callable[[dict[str, Any]], None], said: str
) -> None:
    content = json.loads((KEPT / "studies" / "plain" / "1" / "study.json").read_text())["file"]
    assert stored_file(content, "plain").name == "plain"
    change(content)
    with pytest.raises(StudyFileError) as caught:
        stored_file(content, "plain")
    assert said in str(caught.value)
    assert "run 'plain'" in str(caught.value)
    assert "--fresh" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, [], "x", {}])
def test_what_is_no_study_file_at_all_is_refused_too(content: Any) -> None:
    with pytest.raises(StudyFileError, match="run 'x' must have a study file of this version"):
        stored_file(content, "x")


def test_the_state_of_the_others_is_shown(
    old_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = study_status(home=old_home)
    states = dict(zip(rows["study"], rows["state"], strict=True))
    assert states == {"compared": "finished", "plain": "unreadable"}
    reasons = dict(zip(rows["study"], rows["reason"], strict=True))
    assert "the unknown key data.augment" in reasons["plain"]
    assert "no key stages" in reasons["plain"]
    assert reasons["compared"] == ""
    print_status(status_rows(home=old_home))
    assert "unreadable" in capsys.readouterr().out


def test_the_doctor_names_it_and_looks_at_the_others(old_home: Path) -> None:
    found = doctor(home=old_home)
    (row,) = found[found["subject"] == "plain"].to_dict("records")
    assert row["place"] == "records"
    assert "the unknown key data.augment" in row["problem"]
    assert row["remedy"].startswith("by hand: use the version of hpsearch that wrote it")
    assert any("compared" in subject for subject in found["subject"])


def test_it_is_not_gone_on_with_by_mistake(old_home: Path) -> None:
    with pytest.raises(StudyFileError, match=r"the unknown key data\.augment"):
        _ = find_run(Home(old_home), "plain").file
    study = read_study(old_home / "studies" / "plain" / "1" / "artifacts" / "study.toml")
    with pytest.raises(StudyFileError, match=r"the unknown key data\.augment"):
        open_run(study, Home(old_home), fresh=False)
    open_run(study, Home(old_home), fresh=True).close()
