"""Studies side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, TrackingOption, app, exits


@app.command()
def compare(
    studies: Annotated[
        list[str], typer.Argument(help="Two or more studies by name, or runs as name/2.")
    ],
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write them as a page, e.g. compared.html.")
    ] = None,
    home: HomeOption = None,
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Put studies side by side: best, test, cost, and what differs between their files.

    Example: python -m hpsearch compare quickstart quickstart-wide --html compared.html
    """
    with exits(debug):
        from hpsearch import compare_studies

        found = compare_studies(studies, html=html, home=home, tracking_uri=tracking_uri)
        if as_json:
            typer.echo(json.dumps(found.as_dict()))
        else:
            from hpsearch.console import print_comparison

            print_comparison(found)
        if html is not None:
            typer.echo(f"page: {html}", err=True)
