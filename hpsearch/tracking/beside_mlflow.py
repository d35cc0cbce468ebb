"""Pages of ours on MLflow's server: under the same address, host check and password.

They are part of MLflow's Flask app, so that whatever MLflow puts before its own pages stands
before ours too: the check of the Host header and, with basic-auth, the password.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI
    from flask import Blueprint, Flask

KEPT = 28 * 24 * 3600  # seconds that a browser keeps MLflow's files, as MLflow says; their names
# change with their content
PROGRAM = re.compile(r'(?:src|href)="\.?/?(static-files/static/(?:js|css)/[\w.-]+)"')


def mlflow_with(pages: Blueprint, *, password: bool) -> FastAPI:
    """MLflow's app with more pages; called once, in the process that serves it.

    Args:
        password: behind MLflow's basic-auth.
    """
    from mlflow.server import app

    app.register_blueprint(pages)
    if password:
        from mlflow.server.auth import create_app

        whole: FastAPI = create_app(app)
    else:
        from mlflow.server.fastapi_app import create_fastapi_app

        whole = create_fastapi_app(app)
    _serve_files(whole, app)
    threading.Thread(target=_load_late_parts, args=(app,), daemon=True).start()
    return whole


def program_files() -> list[str]:
    """The addresses of what each of MLflow's pages begins with: its program and its style."""
    from mlflow.server import app

    try:
        first = Path(app.static_folder or "", "index.html").read_text(encoding="utf-8")
    except OSError:  # MLflow without its pages
        return []
    return [f"/{name}" for name in PROGRAM.findall(first)]


def _serve_files(whole: FastAPI, app: Flask) -> None:
    """The forty files that MLflow's pages load at a first visit, without a detour through Flask,
    in which they take several times as long. MLflow shows them without a password, too."""
    from starlette.middleware import Middleware
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    class Kept:
        """Says how long a browser may keep what is found."""

        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def kept(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] in (200, 304):
                    value = f"public, max-age={KEPT}".encode()
                    message["headers"] = [*message["headers"], (b"cache-control", value)]
                await send(message)

            await self.app(scope, receive, kept)

    rule, folder = _addresses(app).get("serve_static_file", ""), Path(app.static_folder or "")
    place = rule.removesuffix("/<path:path>")
    if place in ("", rule) or not folder.is_dir():
        return  # an MLflow that does otherwise serves them itself
    files = Mount(place, StaticFiles(directory=folder), middleware=[Middleware(Kept)])
    whole.router.routes.insert(0, files)


def _addresses(app: Flask) -> dict[str, str]:
    """Of MLflow's pages and answers, by the names of its functions."""
    return {rule.endpoint: str(rule) for rule in app.url_map.iter_rules()}


def _load_late_parts(app: Flask) -> None:
    """Have MLflow load what it loads at the first question of a page, before somebody waits.

    The answers don't matter: an MLflow that is asked otherwise is as slow as without this.
    """
    client, ways = app.test_client(), _addresses(app)
    with suppress(Exception):
        client.post(ways["_graphql"], json={"query": "{__typename}"})
    with suppress(Exception):
        client.post(ways["_search_runs"], json={"experiment_ids": ["0"], "max_results": 1})
