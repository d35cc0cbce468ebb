"""Predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, Group, HomeOption, Kind, StudyArgument, command, exits
from hpsearch.counts import count_of


@command(Kind.LOOK)
def predict(
    study: StudyArgument,
    rows: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file with the same columns.")
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help="Write to this CSV file [default: stdout]",
            rich_help_panel=Group.STORE,
        ),
    ] = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Predict the rows of a file with a study's winner.

    Columns are matched by name, in any order. The predictions are added as new columns; other
    columns are kept.

    Examples:
        python -m hpsearch predict customers studies/customers.csv
        python -m hpsearch predict customers studies/customers.csv --to scored.csv
    """
    with exits(debug):
        from hpsearch import predict as predict_rows
        from hpsearch.records.whole_files import storage_errors, write_whole

        text = predict_rows(study, rows, home=home).to_csv(index=False)
        if to is None:
            typer.echo(text, nl=False)
            return
        with storage_errors(to):
            write_whole(to, text.encode())
        typer.echo(f"{count_of(text.count(chr(10)) - 1, 'row')} predicted: {to}", err=True)
