"""Pages of ours on MLflow's server: under the same address, host check and password.

They are part of MLflow's Flask app, so that whatever MLflow puts before its own pages stands
before ours too: the check of the Host header and, with basic-auth, the password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI
    from flask import Blueprint


def mlflow_with(pages: Blueprint, *, password: bool) -> FastAPI:
    """MLflow's app with more pages; called once, in the process that serves it.

    Args:
        password: behind MLflow's basic-auth.
    """
    from mlflow.server import app

    app.register_blueprint(pages)
    if password:
        from mlflow.server.auth import create_app

        return create_app(app)  # type: ignore[no-any-return]
    from mlflow.server.fastapi_app import create_fastapi_app

    return create_fastapi_app(app)  # type: ignore[no-any-return]
