"""Batches of studies."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    ExecutorOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    StorageOption,
    TrackingOption,
    WorkersOption,
    command,
    exits,
)


@command(Kind.OPERATE)
def batch(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A batch file, or a study file.")],
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Start a new run of every study; nothing is deleted.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="HOURS",
            help="Run in these hours instead of those in the file, e.g. 02:00-06:00; "
            '"" runs at any time.',
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
    storage: StorageOption = None,
    tracking_uri: TrackingOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run or resume several studies.

    Exit code 75 means that the batch is not finished; the same command resumes it.

    Examples:
        python -m hpsearch batch studies/batches/optimizers.toml --workers 2
        python -m hpsearch batch studies/quickstart.toml --window 02:00-06:00
    """
    with exits(debug):
        from hpsearch import run_batch
        from hpsearch.console import BatchProgress, print_batch

        with BatchProgress() as progress:
            report = run_batch(
                file,
                home=home,
                workers=workers,
                executor=executor,
                storage=storage,
                tracking_uri=tracking_uri,
                fresh=fresh,
                window=window,
                on_study=progress.study,
                on_event=progress.show,
                warn=progress.warn,
            )
        if as_json:
            typer.echo(json.dumps(report.as_dict()))
        else:
            print_batch(report)
        sys.exit(report.exit_code)
