"""Reports."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

import typer

from hpsearch.cli.base import DebugOption, HomeOption, app, exits

INCHES = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72.27}  # pt: TeX's


class Vector(StrEnum):
    """What figures for a paper are written as."""

    pdf = "pdf"
    svg = "svg"


def _inches(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]+)", text.strip())
    if found is None or found[2] not in INCHES:
        rule = f"must be a number with one of {', '.join(INCHES)} behind it"
        raise typer.BadParameter(f"{rule}, got {text!r}", param_hint="--width")
    return float(found[1]) * INCHES[found[2]]


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="A study's name, or that of one run, name/2.")],
    figures: Annotated[
        Vector | None,
        typer.Option("--figures", help="Also draw the figures for a paper, as PDF or SVG."),
    ] = None,
    width: Annotated[
        str,
        typer.Option("--width", help="Of these figures, e.g. 3.4in, 86mm or 246pt."),
    ] = "3.4in",
    light: Annotated[
        bool,
        typer.Option("--light", help="A small page, whose figures can't be played with."),
    ] = False,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Draw a finished study's report from its records, and print the path of report.html.

    Example: python -m hpsearch report fewshot-mnist --figures pdf --width 3.4in
    """
    inches = _inches(width)
    with exits(debug):
        from hpsearch import write_study_report

        form: Literal["pdf", "svg"] | None = None if figures is None else figures.value
        page = write_study_report(study, figures=form, width=inches, light=light, home=home)
        typer.echo(page)
