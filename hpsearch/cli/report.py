"""Reports."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

import typer

from hpsearch.cli.base import DebugOption, Group, HomeOption, Kind, command, exits

INCHES = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72.27}  # pt: TeX's


class Vector(StrEnum):
    """The format of the figures for a paper."""

    pdf = "pdf"
    svg = "svg"


def _inches(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]+)", text.strip())
    if found is None or found[2] not in INCHES:
        rule = f"must be a number followed by one of {', '.join(INCHES)}"
        raise typer.BadParameter(f"{rule}, got {text!r}", param_hint="--width")
    return float(found[1]) * INCHES[found[2]]


@command(Kind.LOOK)
def report(
    study: Annotated[
        str,
        typer.Argument(metavar="STUDY", help="A study by its name, or one of its runs (name/2)."),
    ],
    figures: Annotated[
        Vector | None,
        typer.Option(
            "--figures",
            metavar="|".join(Vector),
            help="Also draw figures for a paper, in this format.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = None,
    width: Annotated[
        str,
        typer.Option(
            "--width",
            metavar="LENGTH",
            help="Make the figures of --figures this wide, e.g. 86mm or 246pt.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = "3.4in",
    light: Annotated[
        bool,
        typer.Option(
            "--light",
            help="Write a small page, without interactive figures.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Write the report.html of a finished study and print its path.

    Examples:
        python -m hpsearch report quickstart --light
        python -m hpsearch report quickstart --figures pdf --width 3.4in
    """
    inches = _inches(width)
    with exits(debug):
        from hpsearch import write_study_report

        form: Literal["pdf", "svg"] | None = None if figures is None else figures.value
        page = write_study_report(study, figures=form, width=inches, light=light, home=home)
        typer.echo(page)
