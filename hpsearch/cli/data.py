"""The data sets."""

from __future__ import annotations

import json

import typer

from hpsearch.cli.base import DebugOption, JsonOption, app, exits


@app.command()
def data(as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the data sets a study may name, and where each was found.

    Example: python -m hpsearch data
    """
    with exits(debug):
        from hpsearch.api.data import data_sets

        rows = data_sets()
        if as_json:
            typer.echo(json.dumps(rows))
            return
        for row in rows:
            typer.echo(f"{row['name']:<8}  {row['summary']}\n          {row['where']}")
