"""Deleting old runs."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, StorageOption, app, exits


@app.command()
def prune(
    study: Annotated[
        str | None, typer.Argument(help="A study's name; left out: all studies.")
    ] = None,
    older: Annotated[
        str | None,
        typer.Option(help="Runs that ended longer ago may go: 12h, 30d, 8w [default: 30d]"),
    ] = None,
    keep_best: Annotated[
        int | None,
        typer.Option(help="So many of the best runs of each study stay [default: 5]"),
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option(help="So many of the last runs of each study stay [default: 3]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would go and stay; delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    storage: StorageOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Delete old runs of studies from all stores, but for the best and the last; asks first.

    Running and unfinished runs stay, and a run whose registered model has an alias.

    Example: python -m hpsearch prune --older 30d --keep-best 5 --keep-last 3 --dry-run
    """
    with exits(debug):
        from hpsearch import Pruning, prune_studies
        from hpsearch.console import print_pruning

        def ask(pruning: Pruning) -> bool:
            if not as_json:
                print_pruning(pruning)
            if yes:
                return True
            # An end of file is no agreement.
            question = f"Delete {len(pruning.going)} runs?"
            return typer.confirm(question, default=False, err=True)

        done = prune_studies(
            study,
            older=older,
            keep_best=keep_best,
            keep_last=keep_last,
            home=home,
            storage=storage,
            dry_run=dry_run,
            agree=ask,
        )
        if done is None:
            typer.echo("nothing was deleted", err=True)
            sys.exit(1)
        if as_json:
            typer.echo(json.dumps(done.as_dict()))
        elif not done.deleted:
            print_pruning(done)
        if not done.going:
            ending = "nothing to delete"
        else:
            ending = "dry run: nothing was deleted" if dry_run else done.line
        typer.echo(ending, err=True)
