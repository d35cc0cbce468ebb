"""The start page of a finished and an unfinished study, asked for without a server."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hpsearch.api.status import study_status
from hpsearch.pages.board import Board
from hpsearch.pages.site import pages
from hpsearch.pages.study_row import StudyRow
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from tests.harness.projection import PARENT
from tests.harness.study import run
from tests.harness.study_files import TINY

RUN = "studies/small/1"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small finished study that MLflow was not told of; to be read only."""
    folder = tmp_path_factory.mktemp("start_page")
    (folder / "tiny.toml").write_text(TINY)
    run(folder / "tiny.toml", folder / "home")
    report = folder / "home" / RUN / "artifacts/report.html"
    report.write_text("the report")
    return folder / "home"


def client_of(home: Path) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(pages(Home(home)))
    return app.test_client()


def row_of(home: Path) -> StudyRow:
    (one,) = Board(Home(home), lambda folder, row: []).look().rows
    return one.row


@pytest.fixture
def unfinished(finished: Path, tmp_path: Path) -> Path:
    """The same study as if it had been stopped before its result."""
    skipped = shutil.ignore_patterns("artifacts", "*.db", "model")
    shutil.copytree(finished, tmp_path / "home", ignore=skipped)
    return tmp_path / "home"


def test_the_row_of_a_finished_study_is_its_result(finished: Path) -> None:
    row = row_of(finished)
    said = json.loads((finished / RUN / "artifacts/result.json").read_text())["result"]
    assert (row.state, row.metric) == ("finished", "validation_accuracy")
    assert row.counts == {Outcome(name): n for name, n in said["counts"].items() if n}
    assert row.trials == row.planned == sum(said["counts"].values())
    assert row.best_trial == said["best_number"]
    assert row.best is not None
    assert row.best.text == f"{said['validation']['mean']:.4f}"
    low, high = said["validation"]["low"], said["validation"]["high"]
    assert row.best.interval == f"{low:.4f} … {high:.4f}"
    assert row.test is not None
    assert row.test.text == f"{said['test']['test_accuracy']['mean']:.4f}"


def test_the_row_of_an_unfinished_study_is_its_status(unfinished: Path) -> None:
    row = row_of(unfinished)
    (status,) = study_status(home=unfinished).to_dict("records")
    assert row.state == status["state"] == "interrupted"
    assert (row.trials, row.planned) == (status["trials"], status["planned"])
    assert row.best is not None
    assert row.best.text == f"{status['best']:.4f}"
    assert row.best_trial == status["best_trial"]
    assert sum(row.counts.values()) == row.trials
    assert row.left == ""


def test_a_damaged_study_says_so(unfinished: Path) -> None:
    path = unfinished / RUN / "study.json"
    path.write_text(path.read_text().replace('"file"', '"life"', 1))
    row = row_of(unfinished)
    assert row.state == "unreadable"
    assert "study.json" in row.reason


def test_news_are_the_rows_that_changed(unfinished: Path) -> None:
    client = client_of(unfinished)

    def news(**query: Any) -> dict[str, Any]:
        said = client.get("/studies/news", query_string=query).get_json()
        assert isinstance(said, dict)
        return said

    first = news()
    assert [*first["rows"]] == first["order"] == ["small/1"]
    known = {"since": first["revision"], "boot": first["boot"], "parts": first["parts"]}
    same = news(**known)
    assert "rows" not in same
    assert "parts_html" not in same
    assert [*news(**known | {"boot": "of a server before"})["rows"]] == ["small/1"]
    (unfinished / RUN / "failed.json").write_text("")
    changed = news(**known)
    assert "unreadable" in changed["rows"]["small/1"]
    assert changed["revision"] > first["revision"]


def test_nothing_can_be_changed(finished: Path) -> None:
    client = client_of(finished)
    for rule in ("/studies", "/studies/news", "/studies/small/1/report.html", "/s/small"):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(client, method)(rule).status_code == 405


def test_pages_run_nothing_foreign(finished: Path) -> None:
    client = client_of(finished)
    ours = client.get("/studies")
    assert ours.status_code == 200
    policy = ours.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    for name in ("studies.css", "settings.js", "studies.js", "forward.js"):
        with client.get(f"/studies/static/{name}") as static:
            assert static.status_code == 200
    with client.get("/studies/small/1/report.html") as report:
        assert report.data == b"the report"
        policy = report.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts ")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_a_report_is_a_file_of_its_own_run(unfinished: Path, tmp_path: Path) -> None:
    secret, artifacts = tmp_path / "secret", unfinished / RUN / "artifacts"
    secret.mkdir()
    (secret / "report.html").write_text("secret")
    client = client_of(unfinished)
    page = "/studies/small/1/report.html"
    assert client.get(page).status_code == 404
    os.symlink(secret, artifacts)
    assert client.get(page).status_code == 404
    artifacts.unlink()
    artifacts.mkdir()
    os.symlink(secret / "report.html", artifacts / "report.html")
    assert client.get(page).status_code == 404
    for name in ("..", "../..", str(tmp_path)):
        answer = client.get(f"/studies/{quote(name, safe='')}/1/report.html")
        assert answer.status_code in (308, 404)
        assert b"secret" not in answer.data


def test_short_addresses_lead_to_mlflow(unfinished: Path) -> None:
    client, folder = client_of(unfinished), RunFolder(unfinished / RUN)
    assert client.get("/s/small").status_code == 404  # MLflow does not have it yet
    ids = {"experiment_id": "7", "parent_run_id": "abcd", "views": {}}
    uri = Home(unfinished).tracking_uri
    folder.write_sealed(folder.files.parent, PARENT)
    folder.write_sealed(folder.files.mlflow, {"tracking_uri": uri, **ids})
    for view in ("", "/1", "/1/trials", "/1/curves", "/1/tests", "/1/run"):
        answer = client.get(f"/s/small{view}")
        assert answer.status_code == 200
        (address,) = re.findall(r'<a id="forward" href="([^"]*)"', answer.text)
        assert address.startswith("/#/experiments/7/runs")
        assert "workflowType=machine_learning" in address
    for wrong in ("/s/smaller", "/s/small/2", "/s/small/1/nonsense"):
        assert client.get(wrong).status_code == 404
    folder.write_sealed(folder.files.mlflow, {"tracking_uri": "http://lab:5000/", **ids})
    assert client.get("/s/small").location.startswith("http://lab:5000/#/experiments/7/runs")
    secret = "http://me:secret@lab:5000"
    folder.write_sealed(folder.files.mlflow, {"tracking_uri": secret, **ids})
    assert client.get("/s/small").status_code == 404  # no password goes to a page
