"""From the defaults to the winner."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    StudyArgument,
    WorkersOption,
    command,
    exits,
)


@command(Kind.LOOK)
def explain(
    study: StudyArgument,
    trainings: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=1,
            help="Run at most this many trainings [default: enough for one step per parameter]",
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    workers: WorkersOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show which changes from the defaults to the winner matter.

    It changes one parameter at a time, on the splits and seeds of the confirmation.

    Examples:
        python -m hpsearch explain quickstart
        python -m hpsearch explain quickstart --trainings 50
    """
    with exits(debug):
        from hpsearch.api.explain import explain_study
        from hpsearch.console.explained import explained_table, started_text
        from hpsearch.console.output import output
        from hpsearch.console.progress import StudyProgress

        def started(configurations: int, n_trainings: int) -> None:
            typer.echo(started_text(configurations, n_trainings), err=True)

        with StudyProgress() as progress:
            found = explain_study(
                study,
                trainings=trainings,
                workers=workers,
                home=home,
                on_start=started,
                on_event=progress.show,
            )
        if as_json:
            steps = [asdict(step) | {"verdict": step.verdict} for step in found.steps]
            typer.echo(json.dumps({"study": found.study, "steps": steps}))
            return
        output().print(explained_table(found))
        typer.echo(f"report  {found.page}")
