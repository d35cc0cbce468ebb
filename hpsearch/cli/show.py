"""Showing the results of a study."""

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
    table_json,
)


class Form(StrEnum):
    """The format of a configuration."""

    toml = "toml"
    json = "json"
    python = "python"
    command = "command"


@command(Kind.LOOK)
def show(
    study: StudyArgument,
    best: Annotated[
        bool,
        typer.Option(
            "--best",
            help="Print the winner's configuration.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    form: Annotated[
        Form,
        typer.Option(
            "--format",
            metavar="|".join(Form),
            help="Choose the format of --best: toml for a study file, command to run a program by "
            "hand.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = Form.toml,
    trial: Annotated[
        int | None,
        typer.Option(
            "--trial",
            metavar="NUMBER",
            min=0,
            help="Print the configuration of this trial instead of the winner's.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = None,
    front: Annotated[
        bool,
        typer.Option(
            "--front",
            help="Print the Pareto front of a study with several objectives.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    trials: Annotated[
        bool,
        typer.Option(
            "--trials",
            help="Print the table of trials, even while the study runs.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    csv: Annotated[
        bool,
        typer.Option(
            "--csv",
            help="Print the trials, or the front with --front, as reproducible CSV.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Do not put ' before texts in --csv that a spreadsheet would run.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print a study's result, winner, Pareto front or trials.

    Examples:
        python -m hpsearch show quickstart --best
        python -m hpsearch show quickstart --trials --csv
    """
    with exits(debug):
        if best or trial is not None:
            from hpsearch.api.support.trials import best_configuration

            chosen = Form.json if as_json else form
            typer.echo(best_configuration(study, trial=trial, form=chosen.value, home=home))
        elif front or trials or csv:
            from hpsearch.api.support.trials import study_front, study_trials

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
