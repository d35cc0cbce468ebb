"""Sending records to MLflow."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    HomeOption,
    JsonOption,
    Kind,
    TrackingOption,
    command,
    exits,
)


@command(Kind.OPERATE)
def sync(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="The name of a study [default: all studies]"),
    ] = None,
    tracking_uri: TrackingOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Send all records to MLflow, each run and each point exactly once.

    Examples:
        python -m hpsearch sync
        python -m hpsearch sync quickstart --tracking-uri http://127.0.0.1:5000
    """
    with exits(debug):
        from hpsearch import sync as call
        from hpsearch.console import print_frame

        found = call(study, home=home, tracking_uri=tracking_uri)
        print_frame(found, as_json=as_json)
        if found["problem"].any():
            sys.exit(1)
