"""Finding and repairing differences between the stores."""

from __future__ import annotations

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
    TrackingOption,
    command,
    exits,
)


@command(Kind.CHECK)
def doctor(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="The name of a study [default: all studies]"),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Make Optuna and MLflow agree with the records.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Name every finding, not three of each kind.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    storage: StorageOption = None,
    tracking_uri: TrackingOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare the records with Optuna and MLflow, and repair them.

    It also checks the addresses of the stores, settings of this host that may cause trouble,
    and free disk space. Exit code 1 means that problems remain.

    Examples:
        python -m hpsearch doctor
        python -m hpsearch doctor quickstart --repair
    """
    with exits(debug):
        from hpsearch import doctor as call
        from hpsearch.console import conclusion, print_findings, print_frame

        found = call(study, home=home, storage=storage, tracking_uri=tracking_uri, repair=repair)
        if as_json:
            print_frame(found, as_json=True)
        else:
            print_findings(found, every=every)
        typer.echo(conclusion(found, every=every), err=True)
        if not found["repaired"].all():
            sys.exit(1)
