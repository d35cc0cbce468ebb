"""What all commands share: the program, common options, how errors end it."""

from __future__ import annotations

import errno
import json
import logging
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hpsearch.cli.base.help import Command, Group, Kind, Program
from hpsearch.errors import HpsearchError, plain_interrupts
from hpsearch.ulimits import exhausted

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Command",
    "DebugOption",
    "ExecutorOption",
    "Group",
    "HomeOption",
    "JsonOption",
    "Kind",
    "SetOption",
    "StorageOption",
    "StudyArgument",
    "ToleranceOption",
    "TrackingOption",
    "TrustOption",
    "WorkersOption",
    "app",
    "command",
    "exits",
    "table_json",
]

Function = TypeVar("Function", bound=Callable[..., object])

app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def command(
    kind: Kind, name: str | None = None, cls: type[Command] = Command
) -> Callable[[Function], Function]:
    """Add a function to the program as a command.

    Args:
        kind: where the program's help lists it.
        name: of the command; None: the function's.
    """
    return app.command(name, cls=cls, rich_help_panel=kind)


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"hpsearch {version('hpsearch')}")
        raise typer.Exit


@app.callback()
def _program(
    asked: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_say_version,
            is_eager=True,
            help="Print the version.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
) -> None:
    """Coarse-to-fine hyperparameter search on Optuna and MLflow.

    Run a command with --help to see its options and examples.

    Examples:
        python -m hpsearch init --example quickstart --to studies
        python -m hpsearch study studies/quickstart.toml
    """


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="FOLDER",
        help="Use the stores in this folder [default: $HPSEARCH_HOME, else mlruns/ here]",
        rich_help_panel=Group.STORE,
    ),
]


def _warn_of_password(address: str | None) -> str | None:
    from hpsearch.addresses import has_password

    if address is not None and has_password(address):
        typer.echo(
            "warning: everybody on this machine can read a password on a command line; put the "
            "address into HPSEARCH_STORAGE or HPSEARCH_TRACKING_URI, or the password into "
            "~/.pgpass",
            err=True,
        )
    return address


WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="NUMBER",
        min=0,
        help="Train in this many processes; 0 trains in this one [default: one per core]",
        rich_help_panel=Group.PLACE,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the study file, e.g. stages.0.trials=8; may be repeated.",
        rich_help_panel=Group.SEARCHED,
    ),
]
StudyArgument = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="A study by its name, or one of its runs (name/2)."),
]
ToleranceOption = Annotated[
    float | None,
    typer.Option(
        metavar="NUMBER",
        min=0,
        help="Allow metrics to differ by this much (relative above 1) if the processor or a "
        "package differs from the record's [default: 0.02]; otherwise every bit must agree.",
        rich_help_panel=Group.ACTION,
    ),
]


def _say_what_is_trusted(folder: Path | None) -> Path | None:
    if folder is not None:
        typer.echo(f"running code and reading data from {folder}", err=True)
    return folder


TrustOption = Annotated[
    Path | None,
    typer.Option(
        "--trust-code",
        callback=_say_what_is_trusted,
        metavar="FOLDER",
        help="Use the modules and data of an imported study in this folder, and run its code.",
        rich_help_panel=Group.ACTION,
    ),
]
ExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="ADDRESS",
        help="Train on a Dask cluster, e.g. dask://host:8786 [default: on this machine]",
        rich_help_panel=Group.PLACE,
    ),
]
StorageOption = Annotated[
    str | None,
    typer.Option(
        "--storage",
        callback=_warn_of_password,
        metavar="ADDRESS",
        help="Use this database for Optuna [default: $HPSEARCH_STORAGE, else SQLite in the home "
        "folder]",
        rich_help_panel=Group.STORE,
    ),
]
TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        callback=_warn_of_password,
        metavar="ADDRESS",
        help="Use this MLflow server or database [default: $HPSEARCH_TRACKING_URI, else SQLite "
        "in the home folder]",
        rich_help_panel=Group.STORE,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON on stdout.", rich_help_panel=Group.OUTPUT),
]
DebugOption = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=Group.OUTPUT),
]


def table_json(table: pd.DataFrame) -> str:
    """A table as a JSON list of objects; floats to the last bit, null for what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return json.dumps(rows, default=lambda value: value.item())


@contextmanager
def exits(debug: bool) -> Iterator[None]:
    """Known errors as one message and their exit code; an interrupt as 130."""
    try:
        with _interruptible(), plain_interrupts():
            yield
    except HpsearchError as error:
        if debug:
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        line = exhausted(error) or _full_disk(error) or _unencodable(error)
        if debug or not line:
            raise
        typer.echo(f"error: {line}", err=True)
        sys.exit(HpsearchError.exit_code)
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to resume", err=True)
        sys.exit(130)


def _full_disk(error: Exception) -> str:
    """A line where there was no room for what is written, e.g. the output; "" where there was."""
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return ""
    place = error.filename or "the output, or to a file"  # an error of either names neither
    return f"cannot write to {place}: {error.strerror}; free some disk space"


def _unencodable(error: Exception) -> str:
    """A line where the locale's encoding can't have a text; "" for other errors."""
    if not isinstance(error, UnicodeEncodeError) or sys.getfilesystemencoding() == "utf-8":
        return ""
    return (
        "every text, names of files too, must have an encoding in this locale "
        f"({error.encoding}), got {error.object!a}; set PYTHONUTF8=1, or LANG=C.UTF-8"
    )


_AGAIN_AFTER = 0.05
"""Seconds until an interrupt that was lost is sent again: by then what dropped it has returned."""

_WATCHED = "_hpsearch_watched"


class _Watched:
    """An attribute of an interrupt; it ends with it."""


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and a polite end as KeyboardInterrupt; what they did before comes back after it.

    An interrupt that does not leave the block is sent again. Python drops those in finalizers and
    in callbacks of weak references, and so does compiled code that looks something up and clears
    the error. Code that handles an interrupt itself can't be told from these.
    """
    watched: list[weakref.ref[_Watched]] = []
    inside = [True]

    def interrupt(number: int, frame: object) -> None:
        # Of this very type, as subprocess compares types. It takes no weak reference; what is
        # its attribute does.
        raised = KeyboardInterrupt()
        raised.__dict__[_WATCHED] = mark = _Watched()
        watched.append(weakref.ref(mark, lambda which: dropped(number)))
        try:
            raise raised
        finally:
            del raised, mark  # which its own traceback would keep alive

    def dropped(number: int) -> None:
        again = threading.Timer(_AGAIN_AFTER, send_again, [number])
        again.daemon = True
        again.start()

    def send_again(number: int) -> None:
        if inside:
            signal.pthread_kill(main_thread, number)

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            reported(lost)

    def of_others(record: logging.LogRecord) -> bool:
        # SQLAlchemy logs the interrupt that ends its work, with a traceback, and raises it again.
        return not (record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt))

    shown_by = [*logging.getLogger().handlers]
    if logging.lastResort is not None:
        shown_by.append(logging.lastResort)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {n: signal.getsignal(n) for n in numbers}
    reported = sys.unraisablehook
    main_thread = threading.get_ident()
    try:
        sys.unraisablehook = unraisable
        for handler in shown_by:
            handler.addFilter(of_others)
        for number in numbers:
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, interrupt)
        yield
    finally:
        inside.clear()  # whoever is outside has the interrupt
        watched.clear()
        sys.unraisablehook = reported
        for handler in shown_by:
            handler.removeFilter(of_others)
        for number, answer in before.items():
            signal.signal(number, answer)
