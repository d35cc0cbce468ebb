"""Studies side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    TrackingOption,
    command,
    exits,
)


@command(Kind.LOOK)
def compare(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...", help="The names of two or more studies, or of runs (name/2)."
        ),
    ],
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Also write the comparison to this HTML page.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = None,
    home: HomeOption = None,
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare studies: scores, cost, and how their files differ.

    Examples:
        python -m hpsearch compare quickstart estimators
        python -m hpsearch compare quickstart/1 quickstart/2 --html compared.html
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
