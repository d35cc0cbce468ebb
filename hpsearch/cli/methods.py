"""Writing up a study."""

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
    """The markup of a text."""

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
            help="Choose the markup: markdown with Pandoc citations, latex, whose "
            "tables need array and booktabs, or text for a word processor.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = Markup.markdown,
    bibtex: Annotated[
        bool,
        typer.Option(
            "--bibtex",
            help="Print only the BibTeX entries of the references.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    sources: Annotated[
        bool,
        typer.Option(
            "--sources",
            help="Print only the numbers, each with its source in the records.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write up the methods and results of a finished study for a paper.

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
