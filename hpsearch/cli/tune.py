"""From a table to a model in one command."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import DebugOption, HomeOption, JsonOption, WorkersOption, app, exits


@app.command()
def tune(
    table: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    minutes: Annotated[float, typer.Option(min=0.1, help="For the whole search, about.")] = 10.0,
    metric: Annotated[
        str | None, typer.Option(help="E.g. roc_auc, f1, rmse [default: by the target]")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="A column whose rows stay together, e.g. patient.")
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(help="A column of times: trained on the past, tested after it."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help='A key of [data], e.g. data.csv.decimal=","; may be repeated.'),
    ] = None,
    home: HomeOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a study file for a table, run it, and show its winner beside plain models.

    The study file lies beside the table, to be edited and run again. New rows are scored with
    `predict`.

    Example: python -m hpsearch tune customers.csv --target churned --minutes 5
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
