"""The MLflow UI."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, app, exits


@app.command()
def ui(
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    debug: DebugOption = False,
) -> None:
    """Open the MLflow UI on the stores; ends with Ctrl-C.

    Example: python -m hpsearch ui --port 5001
    """
    with exits(debug):
        from hpsearch.tracking.home import Home
        from hpsearch.tracking.server import serve_ui

        sys.exit(
            serve_ui(
                Home.find(home), host=host, port=port, say=lambda line: typer.echo(line, err=True)
            )
        )
