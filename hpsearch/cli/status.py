"""How far studies are."""

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
            metavar="STUDY", help="A study by its name, or one run of it, as name/2 [default: all]"
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say how far the studies are, and the best score so far.

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
            text = f"no study was run in {place} yet; --home names another folder"
            typer.echo(text, err=True)
