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
    password: Annotated[
        bool,
        typer.Option(
            "--password",
            help="Ask for a new password, and let nobody in without it.",
            rich_help_panel=Group.PLACE,
        ),
    ] = False,
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

    It listens on this machine alone, unless --host says otherwise; then it needs a password,
    which --password sets for later starts, too, or --without-password. Ctrl-C ends it.

    Examples:
        python -m hpsearch ui --open
        python -m hpsearch ui --host 0.0.0.0 --password
    """
    with exits(debug):
        from hpsearch import ui as call

        sys.exit(
            call(
                study,
                home=home,
                host=host,
                port=port,
                password=_asked() if password else None,
                without_password=without_password,
                allowed_hosts=allowed_host or [],
                open_page=open_page,
                say=lambda line: typer.echo(line, err=True),
            )
        )


def _asked() -> str:
    """A new password, twice from a person, or the first line of stdin."""
    if sys.stdin.isatty():
        return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
