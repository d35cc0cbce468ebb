"""Studies on their way to another machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, app, exits


@app.command("export")
def export_(
    study: Annotated[str, typer.Argument(help="A study's name, or that of one run, name/2.")],
    to: Annotated[
        Path | None, typer.Option(help="The file to make [default: STUDY.hpsearch.zip here]")
    ] = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a study's records into one file for another machine, and print its path.

    Example: python -m hpsearch export fewshot-mnist --to /tmp/study.zip
    """
    with exits(debug):
        from hpsearch import export_study

        typer.echo(export_study(study, to, home=home))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that export made.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take a study from such a file and tell Optuna and MLflow of it; nothing in it is run.

    Example: python -m hpsearch import /tmp/study.zip --home /tmp/looked-at
    """
    with exits(debug):
        from hpsearch import import_study
        from hpsearch.console import print_findings, print_frame

        left = import_study(file, home=home)
        if as_json:
            print_frame(left, as_json=True)
        else:
            print_findings(left, every=True)
        if len(left):
            sys.exit(1)
        typer.echo("imported; look at it with python -m hpsearch ui", err=True)
