"""The documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, Group, Kind, command, exits


@command(Kind.RUN)
def docs(
    topic: Annotated[
        str | None,
        typer.Argument(metavar="TOPIC", help="A page, e.g. tables [default: the list of pages]"),
    ] = None,
    print_: Annotated[
        bool,
        typer.Option(
            "--print", help="Only print the path of the page.", rich_help_panel=Group.ACTION
        ),
    ] = False,
    topics: Annotated[
        bool,
        typer.Option("--topics", help="List the topics.", rich_help_panel=Group.ACTION),
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write the pages to this folder [default: your cache folder]",
            rich_help_panel=Group.STORE,
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Open the documentation in a browser and print its path.

    The pages need no network.

    Examples:
        python -m hpsearch docs
        python -m hpsearch docs tables --print
    """
    with exits(debug):
        import webbrowser

        from hpsearch.shipped import pages

        known = pages.topics()
        page = None if topics else pages.page_of(topic)
        if page is None:
            for name, title in known.items():
                typer.echo(f"{name}  {title}")
            return
        folder = (to or pages.usual_folder()).absolute()
        pages.write_pages(folder)
        typer.echo(folder / page)
        if not print_:
            webbrowser.open((folder / page).as_uri())
