"""Predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, StudyArgument, app, exits


@app.command()
def predict(
    study: StudyArgument,
    rows: Annotated[Path, typer.Argument(help="A CSV or Parquet file with the same columns.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The CSV file to write [default: stdout]")
    ] = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Predict the rows of a file with a study's winner, and write them with the answers.

    Columns are found by name, in any order; those that the model does not know are kept and have
    no part in the answer.

    Example: python -m hpsearch predict customers new_customers.csv --to scored.csv
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
        typer.echo(f"{text.count(chr(10)) - 1} rows scored: {to}", err=True)
