"""The data sets."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, JsonOption, app, exits


@app.command()
def data(
    file: Annotated[
        Path | None,
        typer.Argument(help="A CSV or Parquet file, or a study file whose [data] names one."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="The column to predict [default: as the study file says]")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print what the columns of a table hold and what is likely to be a mistake.

    Without a file: list the data sets a study may name, and where each was found.

    Example: python -m hpsearch data customers.csv --target churned
    """
    with exits(debug):
        from hpsearch.api.data import data_card, data_sets

        if file is not None:
            from hpsearch.console.card import print_card

            card = data_card(file, target=target)
            if as_json:
                typer.echo(json.dumps(asdict(card), ensure_ascii=False))
            else:
                print_card(card, file)
            return
        rows = data_sets()
        if as_json:
            typer.echo(json.dumps(rows))
            return
        for row in rows:
            typer.echo(f"{row['name']:<8}  {row['summary']}\n          {row['where']}")
