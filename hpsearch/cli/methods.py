"""Writing a study up."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    StudyArgument,
    command,
    exits,
)


class Markup(StrEnum):
    """How a text is written."""

    markdown = "markdown"
    latex = "latex"
    text = "text"


@command(Kind.LOOK)
def methods(
    study: StudyArgument,
    form: Annotated[
        Markup,
        typer.Option(
            "--format",
            metavar="|".join(Markup),
            help="Choose the markup: markdown has the citations of Pandoc, latex the tables of "
            "booktabs, and text is for a word processor.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = Markup.markdown,
    bibtex: Annotated[
        bool,
        typer.Option(
            "--bibtex",
            help="Print only the BibTeX entries of what is cited.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    sources: Annotated[
        bool,
        typer.Option(
            "--sources",
            help="Print only the numbers, each with its place in the records.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a finished study's methods and results for a paper.

    Examples:
        python -m hpsearch methods quickstart --format latex
        python -m hpsearch methods quickstart --bibtex
    """
    with exits(debug):
        from hpsearch.api.methods import study_methods

        found = study_methods(study, home=home)
        if as_json:
            typer.echo(json.dumps(found.as_dict()))
        elif bibtex:
            typer.echo(found.bibtex(), nl=False)
        elif sources:
            typer.echo(found.sources().to_string(index=False))
        else:
            typer.echo(found.text(form.value), nl=False)
