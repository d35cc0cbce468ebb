"""Looking for differences between the stores."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    HomeOption,
    JsonOption,
    StorageOption,
    TrackingOption,
    app,
    exits,
)


@app.command()
def doctor(
    study: Annotated[
        str | None, typer.Argument(help="A study's name; left out: all studies.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make Optuna and MLflow say what the records say.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Name every finding, not three of each kind.")
    ] = False,
    storage: StorageOption = None,
    tracking_uri: TrackingOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare Optuna, the trial folders and MLflow; name what differs, or repair it.

    Also looks at the stores' addresses, settings of this host that are in the way, and free disk.
    Exit code 1 where something is left to do.

    Example: python -m hpsearch doctor --repair
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
