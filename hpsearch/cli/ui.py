"""The studies in a browser."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, app, exits


@app.command()
def ui(
    study: Annotated[
        str | None, typer.Argument(help="Whose page to name; left out: the newest studies.")
    ] = None,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which browsers may ask for it; may be repeated."),
    ] = None,
    without_password: Annotated[
        bool,
        typer.Option("--without-password", help="Let anybody in who can reach --host."),
    ] = False,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in this machine's web browser, too.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Serve a page of all studies, with MLflow beside it; ends with Ctrl-C.

    The page shows how far the studies are and what they found, and leads to MLflow's pages of
    each.

    It listens on this machine alone, unless --host says otherwise; then it needs MLflow's
    basic-auth, or --without-password.

    Example: python -m hpsearch ui --open
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
