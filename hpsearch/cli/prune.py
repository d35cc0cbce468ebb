"""Deleting old runs."""

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
from hpsearch.counts import count_of


@command(Kind.OPERATE)
def prune(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="A study by its name [default: all studies]"),
    ] = None,
    older: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Delete runs that ended longer ago than 12h, 30d or 8w [default: 30d]",
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    keep_best: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            help="Keep this many of the best runs of each study [default: 5]",
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            help="Keep this many of the last runs of each study [default: 3]",
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print what would be deleted and kept; delete nothing.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Don't ask.", rich_help_panel=Group.ACTION)
    ] = False,
    storage: StorageOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Delete old runs, except the best and the last of each study.

    It asks first. Running and unfinished runs are kept, and a run whose registered model has an
    alias.

    Examples:
        python -m hpsearch prune --dry-run
        python -m hpsearch prune quickstart --older 30d --keep-best 5 --yes
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
            question = f"Delete {count_of(len(pruning.going), 'run')}?"
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
