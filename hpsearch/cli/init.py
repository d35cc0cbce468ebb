"""Starting study files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, app, exits


@app.command()
def init(
    context: typer.Context,
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
        str | None,
        typer.Option(
            help="To optimise [default: accuracy; r2 of numbers; average precision or balanced "
            "accuracy where a class is rare]"
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Of a table: the column to predict.")] = None,
    script: Annotated[
        Path | None,
        typer.Option(help="A program of your own, in place of data and trainer: train.py."),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of study files, for editors.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Write a study file that runs as it is, all that it may say beside it in comments.

    Example: python -m hpsearch init houses.toml --data houses.csv --target price
    --trainer sklearn.linear_model.Ridge

    With --script the options of a program are read from its text, without running it, and become
    ranges, choices and fixed values. Each guess has a comment. Only a program whose text tells of
    none is run, with --help.

    Example: python -m hpsearch init train.toml --script train.py
    """
    with exits(debug):
        from hpsearch.api.init import init_study, study_schema

        if schema:
            typer.echo(json.dumps(study_schema(), indent=1))
            return
        if file is None:
            raise typer.BadParameter("name the study file to write, or ask for --schema")
        if script is not None:
            _init_program(context, file, script, metric)
            return
        init_study(
            file,
            data=data,
            trainers=trainer or ["adam"],
            network=network,
            metric=metric,
            target=target,
        )
        typer.echo(f"{file}  next: python -m hpsearch plan {file}", err=True)


def _init_program(context: typer.Context, file: Path, script: Path, metric: str | None) -> None:
    from hpsearch.api.init import init_program

    for name in ("data", "trainer", "network", "target"):
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            raise typer.BadParameter(
                f"--script must stand without --{name}: a program has its own"
            )
    written = init_program(file, script=script, metric=metric)
    if written.source == "--help":
        typer.echo(f"{script} --help was run: its text tells of no options", err=True)
    if written.todo:
        typer.echo(f"{file}  next: fill in {', '.join(written.todo)} (TODO in the file)", err=True)
    else:
        typer.echo(f"{file}  next: python -m hpsearch plan {file}", err=True)
