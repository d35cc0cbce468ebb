"""A study whose name has letters of another script, and signs that have a meaning elsewhere."""

from __future__ import annotations

import re
import shlex
import unicodedata
from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from hpsearch import (
    best_configuration,
    delete_study,
    export_study,
    import_study,
    run_study,
    show_study,
    study_status,
    verify_study,
    write_study_report,
)
from hpsearch.cli import app
from hpsearch.errors import HpsearchError
from hpsearch.pages.board import Board
from hpsearch.records.layout import Home
from hpsearch.study_names import file_name
from hpsearch.tracking.client import open_client
from tests.harness.stores import new_home
from tests.harness.study_files import TINY

NAME = '고양이/개: [/lr] 50 % "새" (2)'


def test_it_goes_all_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, home = tmp_path / "tiny.toml", new_home(tmp_path / "home")
    decomposed = unicodedata.normalize("NFD", NAME)  # as some keyboards and file systems write it
    path.write_text(TINY.replace('name = "small"', f"name = '{decomposed}'"), encoding="utf-8")
    report = run_study(path, home=home, workers=0)
    assert report.result.study == NAME
    assert (home / "studies" / "고양이~2f개~3a ~5b~2flr~5d 50 ~25 ~22새~22 (2)" / "1").is_dir()
    assert not report.missing  # MLflow has its experiment
    client: MlflowClient = open_client(Home(home).tracking_uri)
    assert client.get_experiment_by_name(NAME) is not None
    assert [model.name for model in client.search_registered_models()] == [file_name(NAME)]
    assert report.link.isascii()
    assert report.short.isascii()
    assert show_study(decomposed, home=home).result.best_number == report.result.best_number
    assert verify_study(f"{NAME}/1", home=home).equal
    assert "고양이/개: [/lr] 50 % &#34;새&#34; (2)" in write_study_report(
        NAME, home=home
    ).read_text(encoding="utf-8")
    with pytest.raises(HpsearchError, match=re.escape(f"show {shlex.quote(NAME)} --trials")):
        best_configuration(NAME, trial=99, home=home)
    for command in (["show", NAME], ["status"], ["methods", NAME, "--format", "latex"]):
        said = CliRunner().invoke(app, [*command, "--home", str(home)])
        assert said.exit_code == 0, said.output
        assert NAME in said.output or "methods" in command
    board = Board(Home(home), lambda folder, row: [])
    assert board.run(NAME) is not None
    monkeypatch.chdir(tmp_path)
    archive = export_study(f"{NAME}/1", home=home)
    assert archive.name == f"{file_name(NAME)}-1.hpsearch.zip"
    other = new_home(tmp_path / "other")
    import_study(archive, home=other)
    assert study_status(home=other)["study"].tolist() == [NAME]
    delete_study(NAME, home=other)
    assert not (other / "studies" / file_name(NAME)).exists()
