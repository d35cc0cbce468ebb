"""Planning studies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, JsonOption, SetOption, WorkersOption, app, exits


@app.command()
def plan(
    file: Annotated[Path, typer.Argument(help="A study file.")],
    workers: WorkersOption = None,
    set_: SetOption = None,
    trials: Annotated[
        int, typer.Option(min=0, help="Trained to learn what one costs; 0: only count.")
    ] = 8,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say what a study file asks for, and forecast time and disk from a few short trials.

    Example: python -m hpsearch plan studies/quickstart.toml --workers 4
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
