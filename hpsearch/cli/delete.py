"""Deleting studies."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, StorageOption, app, exits


@app.command()
def delete(
    study: Annotated[str, typer.Argument(help="A study with all its runs; name/2: that run.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    storage: StorageOption = None,
    keep_mlflow: Annotated[
        bool, typer.Option("--keep-mlflow", help="Leave its runs in MLflow.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Delete a study: its records, its Optuna studies and its runs in MLflow; asks first.

    Example: python -m hpsearch delete quickstart/2
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
