"""From a table to a model in one command."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    WorkersOption,
    command,
    exits,
)


@command(Kind.RUN)
def tune(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV or Parquet file.")],
    target: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", help="Predict this column.", rich_help_panel=Group.SEARCHED
        ),
    ],
    minutes: Annotated[
        float,
        typer.Option(
            metavar="NUMBER",
            min=0.1,
            help="Take about this many minutes in total.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = 10.0,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Optimize this metric, e.g. roc_auc, f1 or rmse [default: depends on the target]",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Keep rows with the same value in this column together, e.g. patient.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Train on earlier rows and test on later ones, by this column of times.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help='Set a key of [data], e.g. data.csv.decimal=","; may be repeated.',
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    home: HomeOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Go from a table to a model: write a study file and run it.

    It compares the winner with simple models. You can edit the study file, which is beside the
    table, and run it again. Use predict for new rows.

    Examples:
        python -m hpsearch tune studies/customers.csv --target churned
        python -m hpsearch tune studies/diabetes.csv --target progression --minutes 2
    """
    with exits(debug):
        from hpsearch import tune as tune_table
        from hpsearch.console import StudyProgress
        from hpsearch.console.card import print_card
        from hpsearch.console.tuned import print_tuned
        from hpsearch.datasets.card import TableCard

        def show_card(card: TableCard, file: Path) -> None:
            if not as_json:
                print_card(card, table)
                typer.echo(f"study file: {file}", err=True)

        with StudyProgress() as progress:
            tuned = tune_table(
                table,
                target=target,
                minutes=minutes,
                metric=metric,
                group=group,
                time=time,
                home=home,
                workers=workers,
                overrides=set_ or [],
                on_card=show_card,
                on_event=progress.show,
                warn=progress.warn,
            )
        if as_json:
            row = {
                "file": str(tuned.file),
                "card": asdict(tuned.card),
                "report": tuned.report.as_dict(),
                "baselines": [asdict(one) for one in tuned.baselines],
            }
            typer.echo(json.dumps(row))
        else:
            print_tuned(tuned, home)
