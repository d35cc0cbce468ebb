"""Starting study files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, app, exits


@app.command()
def init(
    file: Annotated[Path | None, typer.Argument(help="The study file to write.")] = None,
    data: Annotated[
        str, typer.Option(help="A named data set, or the path of a table or folder.")
    ] = "digits",
    trainer: Annotated[
        list[str] | None,
        typer.Option(help="A trainer, e.g. adam; may be repeated to search them [default: adam]"),
    ] = None,
    network: Annotated[str, typer.Option(help="Of trainers that train one.")] = "two-layer",
    metric: Annotated[
        str | None, typer.Option(help="To optimise [default: accuracy, or r2 of numbers]")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Of a table: the column to predict.")] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of study files, for editors.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Write a study file that runs as it is, all that it may say beside it in comments.

    Example: python -m hpsearch init houses.toml --data houses.csv --target price
    --trainer sklearn.linear_model.Ridge
    """
    with exits(debug):
        from hpsearch.api.init import init_study, study_schema

        if schema:
            typer.echo(json.dumps(study_schema(), indent=1))
            return
        if file is None:
            raise typer.BadParameter("name the study file to write, or ask for --schema")
        init_study(
            file,
            data=data,
            trainers=trainer or ["adam"],
            network=network,
            metric=metric,
            target=target,
        )
        typer.echo(f"{file}  next: python -m hpsearch plan {file}", err=True)
