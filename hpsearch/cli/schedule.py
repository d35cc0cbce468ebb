"""Scheduled batches."""

from __future__ import annotations

import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hpsearch.cli.base import (
    DebugOption,
    ExecutorOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    StorageOption,
    TrackingOption,
    WorkersOption,
    command,
    exits,
)


class Unit(StrEnum):
    """The format of --print."""

    systemd = "systemd"
    systemd_service = "systemd-service"
    cron = "cron"
    kubernetes = "kubernetes"


@command(Kind.OPERATE)
def schedule(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder with study and batch files.")
    ] = Path("studies"),
    next_: Annotated[
        bool, typer.Option("--next", help="Print the next runs.", rich_help_panel=Group.ACTION)
    ] = False,
    pause: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Pause this schedule.", rich_help_panel=Group.ACTION),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Resume this schedule after a pause.",
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    run_now: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Run this schedule once, now.", rich_help_panel=Group.ACTION
        ),
    ] = None,
    print_: Annotated[
        Unit | None,
        typer.Option(
            "--print",
            metavar="|".join(Unit),
            help="Print units that call batch, or a service that runs this.",
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    health: Annotated[
        bool,
        typer.Option(
            "--health",
            help="Exit with 0 if the scheduler is alive, otherwise with 1.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
    storage: StorageOption = None,
    tracking_uri: TrackingOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the files of a folder that have a [schedule], at their times.

    It runs until it is stopped.

    Examples:
        python -m hpsearch schedule studies/batches --home /srv/mlruns
        python -m hpsearch schedule studies/batches --next
    """
    with exits(debug):
        orders = {"pause": pause, "resume": resume, "run-now": run_now}
        given = {order: name for order, name in orders.items() if name is not None}
        if given:
            _leave(given, folder, home)
        elif next_:
            _print_next(folder, home, as_json)
        elif print_:
            from hpsearch import print_schedule

            text = print_schedule(
                print_.value,
                folder,
                home=home,
                workers=workers,
                executor=executor,
                storage=storage,
                tracking_uri=tracking_uri,
            )
            typer.echo(text)
        elif health:
            from hpsearch import check_health

            typer.echo(json.dumps(check_health(home)))
        else:
            from hpsearch import run_schedule

            try:
                run_schedule(
                    folder,
                    home=home,
                    workers=workers,
                    executor=executor,
                    storage=storage,
                    tracking_uri=tracking_uri,
                    log=_log_json if as_json else _log_text,
                )
            except KeyboardInterrupt:
                sys.exit(0)  # to be stopped is how a service ends


def _leave(orders: dict[str, str], folder: Path, home: Path | None) -> None:
    from hpsearch import leave_order

    for order, name in orders.items():
        if not leave_order(order, name, folder, home=home):  # type: ignore[arg-type]
            typer.echo(f"no scheduler is running; the next one will carry out {order}", err=True)


def _print_next(folder: Path, home: Path | None, as_json: bool) -> None:
    from hpsearch import coming_runs
    from hpsearch.api.schedule import NOT_SCHEDULED
    from hpsearch.errors import StudyFileError

    def warn(line: str) -> None:
        typer.echo(f"warning: {line}", err=True)

    frame = coming_runs(folder, home=home, warn=warn)
    wrong = frame[frame["when"] == NOT_SCHEDULED]
    if as_json:
        typer.echo(frame.to_json(orient="records"))
    elif len(frame):
        shown = frame.assign(standing=frame["standing"].where(frame["when"] != NOT_SCHEDULED, ""))
        typer.echo(shown.to_string(index=False))
    else:
        typer.echo(f"no schedules in {folder}")
    for row in wrong.to_dict("records"):
        typer.echo(f"error: {row['schedule']}: {row['standing']}", err=True)
    if len(wrong):
        sys.exit(StudyFileError.exit_code)


def _log_json(event: str, schedule: str = "", message: str = "", **more: Any) -> None:
    said = {"time": time.time(), "event": event, "schedule": schedule, "message": message}
    print(json.dumps(said | more), flush=True)


def _log_text(event: str, schedule: str = "", message: str = "", **more: Any) -> None:
    parts = [time.strftime("%Y-%m-%d %H:%M:%S"), schedule, message or event]
    typer.echo("  ".join(part for part in parts if part), err=True)
