"""MLflow's files, served without Flask."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.routing import Mount

from hpsearch.tracking import beside_mlflow


def flask_app(folder: Path, prefix: str = "") -> Flask:
    app = Flask("mlflow", static_folder=str(folder))
    rule = f"{prefix}/static-files/<path:path>"
    app.add_url_rule(rule, "serve_static_file", lambda path: "from Flask")
    return app


@pytest.mark.parametrize("prefix", ["", "/team/ml"])
def test_files_that_are_links_are_served_and_kept_and_nothing_beside_them(
    prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/main.js").write_text("program")
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "main.js").symlink_to(tmp_path / "cache/main.js")
    server = FastAPI()
    beside_mlflow._serve_files(server, flask_app(folder, prefix))
    route = server.router.routes[0]
    assert isinstance(route, Mount)
    assert route.path == f"{prefix}/static-files"
    files = route.app.app  # type: ignore[attr-defined]  # behind the header
    assert Path(files.lookup_path("main.js")[0]).read_text() == "program"
    for path in ("none.js", "../secret.txt", "../../secret.txt"):
        assert files.lookup_path(path) == ("", None)


def test_what_pages_begin_with_has_the_prefix_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = flask_app(tmp_path, "/team/ml")
    monkeypatch.setattr("mlflow.server.app", app)
    assert beside_mlflow.program_files() == []  # MLflow without its pages
    words = '<script defer src="static-files/static/js/main.c2.js"></script><a href="other.js">'
    (tmp_path / "index.html").write_text(words)
    assert beside_mlflow.program_files() == ["/team/ml/static-files/static/js/main.c2.js"]


def test_an_mlflow_that_serves_its_files_otherwise_is_left_alone(tmp_path: Path) -> None:
    server = FastAPI()
    before = len(server.router.routes)
    beside_mlflow._serve_files(server, Flask("mlflow", static_folder=str(tmp_path)))
    assert len(server.router.routes) == before
