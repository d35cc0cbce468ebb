"""Planning studies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    Group,
    JsonOption,
    Kind,
    SetOption,
    WorkersOption,
    command,
    exits,
)


@command(Kind.RUN)
def plan(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A study file.")],
    workers: WorkersOption = None,
    set_: SetOption = None,
    trials: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            min=0,
            help="Run this many trials to measure their cost; 0 only counts the trials.",
            rich_help_panel=Group.ACTION,
        ),
    ] = 8,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show what a study will do, and forecast its time and disk space.

    Examples:
        python -m hpsearch plan studies/quickstart.toml --workers 4
        python -m hpsearch plan studies/quickstart.toml --trials 0
    """
    with exits(debug):
        from hpsearch.api.plan import plan_study

        planned = plan_study(
            file,
            overrides=set_ or [],
            workers=workers,
            trials=trials,
            say=lambda line: typer.echo(line, err=True),
        )
        if as_json:
            typer.echo(json.dumps(planned.as_dict()))
            return
        from hpsearch.console import print_plan

        print_plan(planned)
