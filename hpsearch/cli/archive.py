"""Moving studies to another machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, Group, HomeOption, JsonOption, Kind, command, exits


@command(Kind.OPERATE, "export")
def export_(
    study: Annotated[
        str,
        typer.Argument(metavar="STUDY", help="A study by its name, or one of its runs (name/2)."),
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write this file [default: STUDY.hpsearch.zip here]",
            rich_help_panel=Group.STORE,
        ),
    ] = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a study's records to one file, for another machine.

    Examples:
        python -m hpsearch export quickstart
        python -m hpsearch export quickstart --to /tmp/quickstart.zip
    """
    with exits(debug):
        from hpsearch import export_study

        typer.echo(export_study(study, to, home=home))


@command(Kind.OPERATE, "import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file written by export.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Import a study from a file written by export; nothing is run.

    Examples:
        python -m hpsearch import /tmp/quickstart.zip
        python -m hpsearch import /tmp/quickstart.zip --home /tmp/other
    """
    with exits(debug):
        from hpsearch import import_study
        from hpsearch.api.support.report import ui_command
        from hpsearch.console import print_findings, print_frame
        from hpsearch.records.layout import Home

        left = import_study(file, home=home)
        if as_json:
            print_frame(left, as_json=True)
        else:
            print_findings(left, every=True)
        if len(left):
            sys.exit(1)
        stores = Home.find(home)
        look = ui_command(stores, stores.tracking_uri)  # MLflow's pages are those of this home
        typer.echo(f"imported; look at it with {look}", err=True)
