"""A study whose name has letters of another script, and signs that have a meaning elsewhere."""

from __future__ import annotations

import re
import shlex
import unicodedata
from pathlib import Path

import pytest
from flask import Flask
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
from hpsearch.pages.site import pages
from hpsearch.pages.ways import report_address
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
    methods = ["methods", NAME, "--format", "latex"]
    for command, text in ((["show", NAME], NAME), (["status"], NAME), (methods, r"50 \%")):
        said = CliRunner().invoke(app, [*command, "--home", str(home)])
        assert said.exit_code == 0, said.output
        assert text in said.output
    served = Flask(__name__)
    served.register_blueprint(pages(Home(home)))
    asked = served.test_client()
    assert asked.get(report.short).status_code == 200
    with asked.get(report_address(NAME, 1)) as page:
        assert page.status_code == 200
    assert asked.get(f"/s/{file_name('no study/x')}").status_code == 404
    monkeypatch.chdir(tmp_path)
    archive = export_study(f"{NAME}/1", home=home)
    assert archive.name == f"{file_name(NAME)}-1.hpsearch.zip"
    other = new_home(tmp_path / "other")
    import_study(archive, home=other)
    assert study_status(home=other)["study"].tolist() == [NAME]
    delete_study(NAME, home=other)
    assert not (other / "studies" / file_name(NAME)).exists()
