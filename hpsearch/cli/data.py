"""The data sets."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, Group, JsonOption, Kind, command, exits


@command(Kind.RUN)
def data(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A CSV or Parquet file, or a study file whose [data] names one."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Predict this column [default: that of the study file]",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Describe the columns of a table, or list the available data sets.

    It warns about likely mistakes in a table. Without a file, it lists the data sets that a
    study can name, and where each was found.

    Examples:
        python -m hpsearch data
        python -m hpsearch data studies/customers.csv --target churned
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
