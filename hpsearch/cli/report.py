"""Reports."""

from __future__ import annotations

from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, app, exits


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="A study's name, or that of one run, name/2.")],
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Draw a finished study's report from its records, and print the path of report.html.

    Example: python -m hpsearch report fewshot-mnist
    """
    with exits(debug):
        from hpsearch import write_study_report

        typer.echo(write_study_report(study, home=home))
