"""Looking a study up."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    HomeOption,
    JsonOption,
    StudyArgument,
    app,
    exits,
    table_json,
)


class Form(StrEnum):
    """How a configuration is printed."""

    toml = "toml"
    json = "json"
    python = "python"
    command = "command"


@app.command()
def show(
    study: StudyArgument,
    best: Annotated[
        bool, typer.Option("--best", help="Only the winner's configuration, to go on with.")
    ] = False,
    form: Annotated[
        Form,
        typer.Option(
            "--format",
            help="Of --best: toml goes into a study file, command runs a program by hand.",
        ),
    ] = Form.toml,
    trial: Annotated[
        int | None,
        typer.Option("--trial", min=0, help="Of --best: this trial, not the winner."),
    ] = None,
    front: Annotated[
        bool, typer.Option("--front", help="The Pareto front, where there are several objectives.")
    ] = False,
    trials: Annotated[
        bool, typer.Option("--trials", help="The table of trials; the study may be running.")
    ] = False,
    csv: Annotated[
        bool,
        typer.Option("--csv", help="Trials or --front as CSV, the same bits whenever repeated."),
    ] = False,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Of --csv: no ' before texts that a spreadsheet would run."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print what a study found: its report, winner (--best), front (--front) or trials (--trials).

    Example: python -m hpsearch show quickstart --best
    """
    with exits(debug):
        if best or trial is not None:
            from hpsearch.api.show import best_configuration

            chosen = Form.json if as_json else form
            typer.echo(best_configuration(study, trial=trial, form=chosen.value, home=home))
        elif front or trials or csv:
            from hpsearch.api.show import study_front, study_trials

            table = (study_front if front else study_trials)(study, home=home)
            if as_json:
                typer.echo(table_json(table))
            else:
                from hpsearch.spreadsheets import csv_text

                as_csv = table.to_csv(index=False) if raw else csv_text(table)
                typer.echo(as_csv if csv else table.to_string(index=False), nl=not csv)
        else:
            from hpsearch.api.show import show_study
            from hpsearch.console import print_report

            report = show_study(study, home=home)
            if as_json:
                typer.echo(json.dumps(report.as_dict()))
            else:
                print_report(report)
