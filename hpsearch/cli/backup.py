"""Backups of a home."""

from __future__ import annotations

import json
import sys
from pathlib import Path
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
def backup(
    dest: Annotated[
        Path,
        typer.Argument(
            metavar="DEST", help="The folder to make, or a file that ends in .tar.gz or .tar.zst."
        ),
    ],
    storage: StorageOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Copy a home into a folder or file, also while its studies run.

    Examples:
        python -m hpsearch backup night
        python -m hpsearch backup /backup/night.tar.gz --home /srv/mlruns
    """
    with exits(debug):
        from hpsearch import backup as call

        made = call(dest, home=home, storage=storage)
        typer.echo(json.dumps(made.as_dict()) if as_json else str(made.path))
        for address, remedy in made.elsewhere.items():
            typer.echo(f"not included: {address} ({remedy})", err=True)
        size = f"{made.bytes / 1e6:.1f} MB"
        typer.echo(
            f"{count_of(made.runs, 'run')}, {size}; python -m hpsearch restore restores it",
            err=True,
        )


@command(Kind.OPERATE)
def restore(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="The folder or file that backup made.")
    ],
    home: Annotated[
        Path,
        typer.Option(
            "--home",
            metavar="FOLDER",
            help="Make the home in this folder, which must be empty or not exist yet.",
            rich_help_panel=Group.STORE,
        ),
    ],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make a home from a backup; its studies go on there.

    Exit code 1 says that something is missing.

    Examples:
        python -m hpsearch restore night --home again
        python -m hpsearch restore /backup/night.tar.gz --home /srv/again
    """
    with exits(debug):
        from hpsearch import restore as call
        from hpsearch.console import print_findings, print_frame

        left = call(source, home=home)
        if as_json:
            print_frame(left, as_json=True)
        else:
            print_findings(left)
        if len(left):
            sys.exit(1)
        typer.echo(f"restored; python -m hpsearch status --home {home}", err=True)
