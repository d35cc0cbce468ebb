"""Writing study files and copying examples."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from hpsearch.cli.base import Command, DebugOption, Group, Kind, command, exits


class _ExampleIsOptional(Command):
    """`--example` without a name lists the examples."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give it an empty name."""
        for place, word in enumerate(args):
            following = args[place + 1 : place + 2]
            if word == "--example" and (not following or following[0].startswith("--")):
                args = [*args[: place + 1], "", *args[place + 1 :]]
                break
        return super().parse_args(ctx, args)


@command(Kind.RUN, cls=_ExampleIsOptional)
def init(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The study file to write.")
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Use this data set: a name, or the path of a table or folder.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = "digits",
    trainer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Use this trainer; repeat the option to search several [default: adam]",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Use this network, if the trainer trains one.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = "two-layer",
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Optimize this metric [default: accuracy; r2 for numbers; average precision or "
            "balanced accuracy if a class is rare]",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Predict this column of a table.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Search the options of your program in this file.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Copy an example with its modules and tables; without a name, list them.",
            rich_help_panel=Group.ACTION,
        ),
    ] = None,
    to: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Copy the example into this folder.",
            rich_help_panel=Group.STORE,
        ),
    ] = Path(),
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON Schema of study files, for editors.",
            rich_help_panel=Group.OUTPUT,
        ),
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Write a study file that is ready to run, or copy an example.

    The file lists all other keys as comments. With --script, the options of a program are read
    from its source, without running it, and become ranges, choices and fixed values, each guess
    with a comment. The program is run, with --help, only if its source shows no options.

    Examples:
        python -m hpsearch init --example quickstart --to studies
        python -m hpsearch init digits.toml --trainer adam --trainer momentum
        python -m hpsearch init train.toml --script train.py
    """
    with exits(debug):
        if example is not None:
            _copy_example(context, example, to)
            return
        from hpsearch.api.init import init_study, study_schema

        if schema:
            typer.echo(json.dumps(study_schema(), indent=1))
            return
        if file is None:
            raise typer.BadParameter("give the study file to write, or use --example or --schema")
        if script is not None:
            _init_program(context, file, script, metric)
            return
        init_study(
            file,
            data=data,
            trainers=trainer or ["adam"],
            network=network,
            metric=metric,
            target=target,
        )
        typer.echo(f"{file}  next: python -m hpsearch plan {shlex.quote(str(file))}", err=True)


def _given(context: typer.Context, *names: str) -> list[str]:
    """Those parameters that stand in the command."""
    sources = {name: context.get_parameter_source(name) for name in names}
    return [name for name, source in sources.items() if source and source.name != "DEFAULT"]


def _copy_example(context: typer.Context, name: str, folder: Path) -> None:
    from hpsearch.shipped.examples import examples, write_example

    others = ("file", "data", "trainer", "network", "metric", "target", "script")
    for other in _given(context, *others):
        shown = "FILE" if other == "file" else f"--{other}"
        raise typer.BadParameter(
            f"--example cannot be combined with {shown}; use --to to choose the folder"
        )
    if not name:
        for one, summary in examples().items():
            typer.echo(f"{one}  {summary}")
        return
    written = write_example(name, folder)
    for path in written:
        typer.echo(path)
    does = "batch" if name.startswith("batches/") else "study"
    typer.echo(f"next: python -m hpsearch {does} {written[0]}", err=True)


def _init_program(context: typer.Context, file: Path, script: Path, metric: str | None) -> None:
    from hpsearch.api.init import init_program

    for name in _given(context, "data", "trainer", "network", "target"):
        raise typer.BadParameter(
            f"--script cannot be combined with --{name}: a program brings its own"
        )
    written = init_program(file, script=script, metric=metric)
    if written.source == "--help":
        typer.echo(f"ran {script} --help, because its source shows no options", err=True)
    if written.todo:
        typer.echo(f"{file}  next: fill in {', '.join(written.todo)} (TODO in the file)", err=True)
    else:
        typer.echo(f"{file}  next: python -m hpsearch plan {shlex.quote(str(file))}", err=True)
