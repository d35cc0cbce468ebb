"""The report of a finished run is kept, and made anew as soon as anything changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hpsearch import delete_study, run_study, show_study
from hpsearch.api import study as study_module
from hpsearch.api.show import finished_report
from hpsearch.api.support import study_report as module
from hpsearch.cli import app
from hpsearch.errors import DamagedError, HpsearchError, StudyFileError
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.run_lock import held
from hpsearch.tracking.stores.own_store import follow_home
from tests.harness.study_files import SMALL
from tests.harness.tampering import tamper

OWN = """
name = "own"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 5
split = { kind = "k-fold", folds = 2 }
[space]
trainer = "TRAINER"
[[stages]]
trials = 1
epochs = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    """Of a study that ended some time ago, as what is young is read again."""
    home = Home(tmp_path / "home")
    shutil.copytree(finished, home.path)
    follow_home(home)
    files = home.study("small").run(1)
    tamper(files.projected, lambda said: said.update(tracking_uri=home.tracking_uri))
    grow_old(home.path)
    files.kept_report.unlink(missing_ok=True)  # of other tests
    return home.path


def grow_old(home: Path) -> None:
    for place in home.glob("studies/**/*"):
        os.utime(place, (time.time() - 100,) * 2)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose report was made for `show`, in order."""
    found: list[str] = []
    make = module.recorded_report

    def counted(study: str, home: Home):  # type: ignore[no-untyped-def]
        found.append(study)
        return make(study, home)

    monkeypatch.setattr(module, "recorded_report", counted)
    return found


def test_a_report_is_made_once(home: Path, made: list[str]) -> None:
    first = show_study("small", home=home)
    assert show_study("small", home=home) == first == show_study("small/1", home=home)
    assert made == ["small"]


def test_a_finished_study_is_looked_up_by_its_file(home: Path, study_file: Path) -> None:
    assert finished_report(study_file, home=home) is None
    show_study("small", home=home)
    assert finished_report(study_file, home=home) is None  # only run_study knows whose file it is
    run_study(study_file, home=home, workers=0)  # its path is another
    assert finished_report(study_file, home=home) is None
    grow_old(home)
    first = run_study(study_file, home=home, workers=0)
    assert finished_report(study_file, home=home) == first
    assert finished_report(study_file, home=home, tracking_uri="http://lab:5000") is None
    with pytest.raises(HpsearchError, match="must be a database that outlives this process"):
        finished_report(study_file, home=home, storage="sqlite://")
    with held(Home(home).study("small")):
        assert finished_report(study_file, home=home) is None
    (study_file.parent / "elsewhere").mkdir()
    moved = study_file.rename(study_file.parent / "elsewhere/small.toml")
    assert finished_report(moved, home=home) is None  # its records name the place
    moved.rename(study_file)
    study_file.write_text(SMALL.replace("seed = 7", "seed = 8"))
    assert finished_report(study_file, home=home) is None
    study_file.write_text("[[")
    assert finished_report(study_file, home=home) is None


def test_a_finished_study_on_the_command_line(
    home: Path, study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["study", str(study_file), "--home", str(home), "--workers", "0"]
    CliRunner().invoke(app, command)  # its path is another
    grow_old(home)
    first = CliRunner().invoke(app, command)
    monkeypatch.setattr("hpsearch.run_study", pytest.fail)
    again = CliRunner().invoke(app, command)
    assert again.stdout == first.stdout
    assert "already finished; nothing was run" in again.stdout
    asked: list[object] = []

    def refuse(file: Path, **options: object) -> None:
        asked.append(file)
        raise HpsearchError("asked")

    monkeypatch.setattr("hpsearch.run_study", refuse)
    for more in ("--fresh", "--extend", "--accept-code", "--minutes 2", "--set seed=8"):
        assert CliRunner().invoke(app, [*command, *more.split()]).exit_code == 1
    assert len(asked) == 5


def test_a_run_that_another_file_led_to_says_nothing_of_this_one(
    home: Path, study_file: Path
) -> None:
    study_file.write_text(SMALL.replace("seed = 7", "seed = 8"))
    for _ in range(2):
        run_study(study_file, home=home, workers=0, overrides=["seed=7"])
        grow_old(home)
    run_study(study_file, home=home, workers=0, overrides=["seed=7"])
    assert finished_report(study_file, home=home) is None


def test_an_older_run_is_named_by_its_number(home: Path) -> None:
    first = show_study("small", home=home)
    shutil.copytree(home / "studies/small/1", home / "studies/small/2")
    assert show_study("small/1", home=home).link == first.link + "/1"


def test_names_and_files_that_lead_nowhere(home: Path, tmp_path: Path) -> None:
    show_study("small", home=home)
    for name in ("small/01", "small/\u0661", "x" * 300, "small/2", f"small/{'9' * 5000}"):
        with pytest.raises(StudyFileError, match="must be one of"):
            show_study(name, home=home)
    nested = tmp_path / "nested.toml"
    nested.write_text("name = " + "[" * 5000)
    assert finished_report(nested, home=home) is None
    assert finished_report(tmp_path / ("x" * 300), home=home) is None
    os.mkfifo(tmp_path / "pipe.toml")
    assert finished_report(tmp_path / "pipe.toml", home=home) is None  # and reads nothing of it


def test_looking_up_loads_nothing_of_the_search(home: Path, study_file: Path) -> None:
    for _ in range(2):
        run_study(study_file, home=home, workers=0)
        grow_old(home)
    run_study(study_file, home=home, workers=0)
    code = """
import sys
from hpsearch.cli import app
for line in ("show small", f"study {sys.argv[1]}"):
    app([*line.split(), "--home", sys.argv[2]], standalone_mode=False)
print(sorted({"optuna", "hpsearch.study", "hpsearch.trainers", "pandas"} & sys.modules.keys()))
"""
    command = [sys.executable, "-c", code, str(study_file), str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("already finished; nothing was run") == 2
    assert done.stdout.splitlines()[-1] == "[]"


def test_code_of_a_users_own_is_compared_each_time(
    tmp_path: Path, home: Path, steady: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace("TRAINER", steady))
    for _ in range(2):
        run_study(path, home=home, workers=0)
        grow_old(home)
    run_study(path, home=home, workers=0)
    assert Home(home).study("own").run(1).kept_report.exists()
    assert finished_report(path, home=home) is None
    monkeypatch.setattr(study_module, "_needs_nothing_else", lambda read: True)
    run_study(path, home=home, workers=0)
    assert finished_report(path, home=home) is not None  # but for that


def test_a_printed_table_is_read_each_time(home: Path, study_file: Path, tmp_path: Path) -> None:
    comparison = 'data = "digits"\ntable = "printed.csv"\nmetric = "validation_accuracy"\n'
    (tmp_path / "printed.csv").write_text("trainer,accuracy\nsgd,0.5\nadam,0.6\n")
    study_file.write_text(f"{study_file.read_text()}\n[comparison]\n{comparison}")
    for _ in range(2):
        run_study(study_file, home=home, workers=0)
        grow_old(home)
    run_study(study_file, home=home, workers=0)
    assert finished_report(study_file, home=home) is None


def test_what_run_study_warns_of_is_said_each_time(home: Path, study_file: Path) -> None:
    run_study(study_file, home=home, workers=0)
    grow_old(home)
    lines: list[str] = []
    run_study(study_file, home=home, workers=0, minutes=5, warn=lines.append)
    assert lines
    assert finished_report(study_file, home=home) is None


def test_a_run_whose_result_is_damaged_or_gone_is_not_shown(home: Path) -> None:
    show_study("small", home=home)
    result = home / "studies/small/1/artifacts" / Artifact.RESULT
    text = result.read_bytes()
    result.write_bytes(text.replace(b"small", b"smoll", 1))
    with pytest.raises(DamagedError):
        show_study("small", home=home)
    result.unlink()
    with pytest.raises(HpsearchError, match="is not finished"):
        show_study("small", home=home)


def test_an_answer_that_changes_is_seen(home: Path) -> None:
    assert show_study("small", home=home).overtuning == []
    path = home / "studies/small/1/artifacts" / Artifact.INCUMBENTS
    path.write_text(json.dumps([{"text": "not confirmed", "warns": True}]))
    assert show_study("small", home=home).overtuning == ["not confirmed"]


def test_a_home_that_was_moved_and_one_without_mlflow(home: Path, made: list[str]) -> None:
    show_study("small", home=home)
    moved = home.rename(home.with_name("moved"))
    found = show_study("small", home=moved)
    assert found.result.folder.startswith(str(moved))
    assert found.ui.endswith(str(moved))
    assert made == ["small", "small"]
    moved.rename(home)
    show_study("small", home=home)
    assert made == ["small", "small"]
    Home(home).mlflow.unlink()
    show_study("small", home=home)
    assert made == ["small"] * 3


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', '{"format": 0, "report": {}}'])
def test_a_damaged_one_is_made_anew(home: Path, made: list[str], text: str) -> None:
    first = show_study("small", home=home)
    kept = Home(home).study("small").run(1).kept_report
    kept.write_text(text)
    assert show_study("small", home=home) == first == show_study("small", home=home)
    assert made == ["small", "small"]
    kept.write_bytes(kept.read_bytes().replace(b'"best_number": ', b'"best_number": 7', 1))
    assert show_study("small", home=home) == first
    kept.unlink()
    kept.mkdir()  # as a read-only folder is none for the super-user
    assert show_study("small", home=home) == first == show_study("small", home=home)
    assert made == ["small"] * 5


def test_a_deleted_run_leaves_no_report(home: Path) -> None:
    shutil.copytree(home / "studies/small/1", home / "studies/small/2")
    show_study("small/1", home=home)
    kept = Home(home).study("small").run(1).kept_report
    assert kept.exists()
    delete_study("small/1", home=home)
    assert not kept.exists()
