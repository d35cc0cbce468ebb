"""The progress of studies."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, Kind, command, exits


@command(Kind.LOOK)
def status(
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="STUDY",
            help="A study by its name, or one of its runs (name/2) [default: all]",
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the progress of the studies and their best scores so far.

    Examples:
        python -m hpsearch status
        python -m hpsearch status quickstart --json
    """
    with exits(debug):
        from hpsearch.api.status import status_rows

        rows = status_rows(study, home=home)
        if as_json:
            typer.echo(json.dumps(rows))
            return
        from hpsearch.console import print_status

        print_status(rows)
        if not rows:
            from hpsearch.records.layout import Home

            place = Home.find(home).path
            text = f"no studies in {place} yet; use --home to look in another folder"
            typer.echo(text, err=True)
