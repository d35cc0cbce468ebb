"""The commands: parse, one call, print. stdout is data, stderr is progress."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hpsearch.errors import HpsearchError

app = typer.Typer(
    help="Coarse-to-fine hyperparameter search on Optuna and MLflow.\n\n"
    "Example: python -m hpsearch study studies/quickstart.toml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="Folder of all stores [default: $HPSEARCH_HOME, else mlruns/ here]"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks of known errors.")]


@contextmanager
def _exits(debug: bool) -> Iterator[None]:
    """Known errors as one message and their exit code; an interrupt as 130."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except HpsearchError as error:
        if debug:
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on where it was", err=True)
        sys.exit(130)


@app.command()
def study(
    file: Annotated[
        Path | None, typer.Argument(help="A study file; left out: list those in studies/.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes; 0: in this one [default: one a core]"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key, e.g. stages.0.trials=8; may be repeated."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start a new run; nothing is deleted.")
    ] = False,
    storage: Annotated[
        str | None, typer.Option(help="Optuna storage URL [default: SQLite in the home]")
    ] = None,
    tracking_uri: Annotated[
        str | None, typer.Option(help="MLflow tracking URI [default: SQLite in the home]")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run a study, or go on with it; a finished one prints its result.

    Example: python -m hpsearch study studies/quickstart.toml --set seed=1 --home /tmp/try
    """
    with _exits(debug):
        if file is None:
            _list_studies(as_json)
            return
        from hpsearch.console import StudyProgress, print_report
        from hpsearch.service import run_study

        with StudyProgress() as progress:
            report = run_study(
                file,
                overrides=set_ or [],
                home=home,
                workers=workers,
                storage=storage,
                tracking_uri=tracking_uri,
                fresh=fresh,
                on_event=progress.show,
                warn=progress.warn,
            )
        if as_json:
            typer.echo(json.dumps(report.as_dict()))
        else:
            print_report(report)


def _list_studies(as_json: bool) -> None:
    from hpsearch.search.listing import list_studies

    found = list_studies(Path("studies"))
    if as_json:
        typer.echo(json.dumps([{"file": str(path), "summary": line} for path, line in found]))
        return
    for path, line in found:
        typer.echo(f"{path}  {line}")
    if not found:
        typer.echo("no study files in studies/ of this folder; name one", err=True)


@app.command()
def data(as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the data sets a study may name, and where each was found.

    Example: python -m hpsearch data
    """
    with _exits(debug):
        from hpsearch.datasets import DATASETS

        rows = [
            {"name": dataset.name, "where": dataset.where(), "summary": dataset.summary}
            for dataset in DATASETS.values()
        ]
        if as_json:
            typer.echo(json.dumps(rows))
            return
        for row in rows:
            typer.echo(f"{row['name']:<8}  {row['summary']}\n          {row['where']}")


@app.command()
def ui(
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    debug: DebugOption = False,
) -> None:
    """Open the MLflow UI on the stores; ends with Ctrl-C.

    Example: python -m hpsearch ui --port 5001
    """
    with _exits(debug):
        from hpsearch.tracking.home import Home
        from hpsearch.tracking.server import serve_ui

        sys.exit(
            serve_ui(
                Home.find(home), host=host, port=port, say=lambda line: typer.echo(line, err=True)
            )
        )
