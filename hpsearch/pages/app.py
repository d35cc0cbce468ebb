"""The web app: MLflow's pages, and ours at /studies. It serves the home that HPSEARCH_HOME names.

MLflow imports this module in two processes, and only one of them serves: so it imports little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def create_app() -> FastAPI:
    """The app of the entry point `hpsearch`: MLflow and our pages."""
    return _created(password=False)


def create_app_with_password() -> FastAPI:
    """The app of the entry point `hpsearch-basic-auth`: the same behind MLflow's basic-auth."""
    return _created(password=True)


def _created(*, password: bool) -> FastAPI:
    from hpsearch.pages.site import pages
    from hpsearch.records.layout import Home
    from hpsearch.tracking.beside_mlflow import mlflow_with, program_files

    return mlflow_with(pages(Home.find(None), program_files()), password=password)
