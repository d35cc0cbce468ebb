"""How far studies are."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, app, exits


@app.command()
def status(
    study: Annotated[
        str | None, typer.Argument(help="A study, or one run as name/2; left out: all.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say how far the studies are: running or not, trials by outcome, the best so far.

    Example: python -m hpsearch status quickstart
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
