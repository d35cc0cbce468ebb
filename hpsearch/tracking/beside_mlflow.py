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

# MLflow's own time; the names of its files change with their content.
MAX_AGE = 28 * 24 * 3600  # seconds that a browser keeps them
PROGRAM = re.compile(r'(?:src|href)="\.?/?static-files/(static/(?:js|css)/[\w.-]+)"')
PATHS = "/<path:path>"  # the end of the address of a folder's files


def mlflow_with(pages: Blueprint, *, password: bool) -> FastAPI:
    """MLflow's app with more pages; called once, in the process that serves it.

    Args:
        password: behind MLflow's basic-auth.
    """
    from mlflow.server import app

    app.register_blueprint(pages)
    if password:
        from mlflow.server.auth import create_app

        server: FastAPI = create_app(app)
        if not hasattr(server, "router"):  # under gunicorn or waitress it is Flask's app alone
            return server
    else:
        from mlflow.server.fastapi_app import create_fastapi_app

        server = create_fastapi_app(app)
        threading.Thread(target=_load_late_parts, args=(app,), daemon=True).start()
    _serve_files(server, app)
    return server


def program_files() -> list[str]:
    """The addresses of what each of MLflow's pages begins with: its program and its style."""
    from mlflow.server import app

    try:
        first = Path(app.static_folder or "", "index.html").read_text(encoding="utf-8")
    except OSError:  # MLflow without its pages
        return []
    return [f"{_files_address(app)}/{name}" for name in PROGRAM.findall(first)]


def _files_address(app: Flask) -> str:
    """Where MLflow's server has the files of its pages; "" where it does otherwise."""
    rule = _addresses(app).get("serve_static_file", "")
    return rule.removesuffix(PATHS) if rule.endswith(PATHS) else ""


def _serve_files(server: FastAPI, app: Flask) -> None:
    """Serve the forty files that MLflow's pages load at a first visit without a detour through
    Flask, in which they take several times as long. MLflow needs no password for them either."""
    from starlette.middleware import Middleware
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    class CacheHeader:
        """Adds how long a browser may keep what is found."""

        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def send_with_header(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] in (200, 304):
                    value = f"public, max-age={MAX_AGE}".encode()
                    message["headers"] = [*message["headers"], (b"cache-control", value)]
                await send(message)

            await self.app(scope, receive, send_with_header)

    address, folder = _files_address(app), Path(app.static_folder or "")
    if not address or not folder.is_dir():
        return  # an MLflow that does otherwise serves them itself
    # Some installers link a package's files to those of a cache.
    files = StaticFiles(directory=folder, follow_symlink=True)
    server.router.routes.insert(0, Mount(address, files, middleware=[Middleware(CacheHeader)]))


def _addresses(app: Flask) -> dict[str, str]:
    """Of MLflow's pages and answers, by the names of its functions."""
    return {rule.endpoint: str(rule) for rule in app.url_map.iter_rules()}


def _load_late_parts(app: Flask) -> None:
    """Load what MLflow otherwise loads at a page's first request.

    The answers don't matter: an MLflow that is asked otherwise is as slow as without this.
    """
    client, addresses = app.test_client(), _addresses(app)
    with suppress(Exception):
        client.post(addresses["_graphql"], json={"query": "{__typename}"})
    with suppress(Exception):
        client.post(addresses["_search_runs"], json={"experiment_ids": ["0"], "max_results": 1})
