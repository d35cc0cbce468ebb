"""Sending records to MLflow."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, TrackingOption, app, exits


@app.command()
def sync(
    study: Annotated[
        str | None, typer.Argument(help="A study's name; left out: all studies.")
    ] = None,
    tracking_uri: TrackingOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Send everything that is recorded to MLflow, each run and each point exactly once.

    Example: python -m hpsearch sync fewshot-mnist --tracking-uri http://host:5000
    """
    with exits(debug):
        from hpsearch import sync as call
        from hpsearch.console import print_frame

        found = call(study, home=home, tracking_uri=tracking_uri)
        print_frame(found, as_json=as_json)
        if found["problem"].any():
            sys.exit(1)
