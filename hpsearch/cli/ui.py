"""The start page of all studies."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, Group, HomeOption, Kind, command, exits


@command(Kind.LOOK)
def ui(
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="STUDY", help="Print the address of this study [default: the newest ones]"
        ),
    ] = None,
    home: HomeOption = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Listen on this address.", rich_help_panel=Group.PLACE
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            min=1,
            max=65535,
            help="Listen on this port.",
            rich_help_panel=Group.PLACE,
        ),
    ] = 5000,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Accept requests for this host name; may be repeated.",
            rich_help_panel=Group.PLACE,
        ),
    ] = None,
    without_password: Annotated[
        bool,
        typer.Option(
            "--without-password",
            help="Admit anybody who can reach --host.",
            rich_help_panel=Group.PLACE,
        ),
    ] = False,
    open_page: Annotated[
        bool,
        typer.Option(
            "--open",
            help="Also open the page in a browser on this machine.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Serve a page of all studies, with MLflow beside it.

    It accepts connections from this machine only. With --host it needs MLflow's basic-auth or
    --without-password. Ctrl-C stops it.

    Examples:
        python -m hpsearch ui --open
        python -m hpsearch ui quickstart --port 5001
    """
    with exits(debug):
        from hpsearch import ui as call

        sys.exit(
            call(
                study,
                home=home,
                host=host,
                port=port,
                without_password=without_password,
                allowed_hosts=allowed_host or [],
                open_page=open_page,
                say=lambda line: typer.echo(line, err=True),
            )
        )
