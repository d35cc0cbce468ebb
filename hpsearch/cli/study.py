"""Running studies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    ExecutorOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    SetOption,
    StorageOption,
    TrackingOption,
    WorkersOption,
    command,
    exits,
)


@command(Kind.RUN)
def study(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A study file [default: list those in studies/]"),
    ] = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
    set_: SetOption = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            min=0.1,
            help="Size a new study (trials, repeats, refits) to take about this long.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Start a new run; nothing is deleted.", rich_help_panel=Group.ACTION
        ),
    ] = False,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend",
            help="Go on with a finished run whose file asks for more now (trials, a longer last "
            "stage, a further stage, wider ranges, more choices, another objective), as its next "
            "chapter.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    accept_code: Annotated[
        bool,
        typer.Option(
            "--accept-code",
            help="Continue although your code has changed, and run refits again that failed; "
            "records say which trials used which code.",
            rich_help_panel=Group.ACTION,
        ),
    ] = False,
    storage: StorageOption = None,
    tracking_uri: TrackingOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run or resume a study; a finished study only prints its result.

    Examples:
        python -m hpsearch study studies/quickstart.toml
        python -m hpsearch study studies/quickstart.toml --minutes 2 --home /tmp/try
    """
    with exits(debug):
        if file is None:
            _list_studies(as_json)
            return
        report = None
        if not (set_ or minutes or fresh or extend or accept_code or executor):
            from hpsearch.api.show import finished_report

            report = finished_report(file, home=home, storage=storage, tracking_uri=tracking_uri)
        if report is None:
            from hpsearch import run_study
            from hpsearch.console import StudyProgress

            with StudyProgress() as progress:
                report = run_study(
                    file,
                    overrides=set_ or [],
                    home=home,
                    workers=workers,
                    executor=executor,
                    storage=storage,
                    tracking_uri=tracking_uri,
                    fresh=fresh,
                    extend=extend,
                    minutes=minutes,
                    accept_code=accept_code,
                    on_event=progress.show,
                    warn=progress.warn,
                )
        from hpsearch.console import print_report

        if as_json:
            typer.echo(json.dumps(report.as_dict()))
        else:
            print_report(report)


def _list_studies(as_json: bool) -> None:
    from hpsearch.studyfile.listing import list_studies

    found = list_studies(Path("studies"))
    if as_json:
        typer.echo(json.dumps([{"file": str(path), "summary": line} for path, line in found]))
        return
    for path, line in found:
        typer.echo(f"{path}  {line}")
    if not found:
        text = (
            f"no study files in {Path('studies').absolute()}; name a file, copy an example with "
            "python -m hpsearch init --example quickstart --to studies, or write a file with "
            "python -m hpsearch init study.toml"
        )
        typer.echo(text, err=True)
