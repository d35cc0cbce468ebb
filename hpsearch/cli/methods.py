"""Writing a study up."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, StudyArgument, app, exits


class Markup(StrEnum):
    """How a text is written."""

    markdown = "markdown"
    latex = "latex"
    text = "text"


@app.command()
def methods(
    study: StudyArgument,
    form: Annotated[
        Markup,
        typer.Option(
            "--format",
            help="markdown has the citations of Pandoc, latex the tables of booktabs; text is "
            "for a word processor.",
        ),
    ] = Markup.markdown,
    bibtex: Annotated[
        bool, typer.Option("--bibtex", help="Only the BibTeX entries of what is cited.")
    ] = False,
    sources: Annotated[
        bool,
        typer.Option("--sources", help="Only the numbers, each with its place in the records."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write what a paper needs to say of a finished study: its methods, result and limitations.

    Example: python -m hpsearch methods quickstart --format latex
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
