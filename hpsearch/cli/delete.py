"""Deleting studies."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    StorageOption,
    command,
    exits,
)


@command(Kind.OPERATE)
def delete(
    study: Annotated[
        str,
        typer.Argument(metavar="STUDY", help="A study with all its runs, or one run (name/2)."),
    ],
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Do not ask for confirmation.", rich_help_panel=Group.ACTION),
    ] = False,
    storage: StorageOption = None,
    keep_mlflow: Annotated[
        bool,
        typer.Option(
            "--keep-mlflow",
            help="Keep the study's runs in MLflow.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Delete a study from the records, Optuna and MLflow, after asking.

    Examples:
        python -m hpsearch delete quickstart/2
        python -m hpsearch delete quickstart --yes
    """
    with exits(debug):
        from hpsearch.api.upkeep.delete import Deletion, delete_study

        def ask(deletion: Deletion) -> bool:
            typer.echo("This deletes:", err=True)
            for line in deletion.lines():
                typer.echo(f"  {line}", err=True)
            if yes:
                return True
            # An end of file is no agreement.
            return typer.confirm("Delete it?", default=False, err=True)

        done = delete_study(study, home=home, storage=storage, keep_mlflow=keep_mlflow, agree=ask)
        if done is None:
            typer.echo("nothing was deleted", err=True)
            sys.exit(1)
        typer.echo(json.dumps(vars(done)) if as_json else f"deleted {', '.join(done.runs)}")
