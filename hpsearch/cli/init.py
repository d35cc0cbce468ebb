"""Starting study files."""

from __future__ import annotations

import json
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
            help="Take a data set by its name, or by the path of a table or folder.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = "digits",
    trainer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Train with this trainer; may be repeated to search several [default: adam]",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Train this network, if the trainer trains one.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = "two-layer",
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Optimise this metric [default: accuracy; r2 for numbers; average precision or "
            "balanced accuracy where a class is rare]",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Name the column of a table to predict.",
            rich_help_panel=Group.SEARCHED,
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Search the options of this program of your own.",
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
    """Write a study file that runs as it is, or copy an example.

    All that a study file may say stands in it as comments. With --script the options of a program
    are read from its text, without running it, and become ranges, choices and fixed values, each
    guess with a comment. Only a program whose text tells of no options is run, with --help.

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
            raise typer.BadParameter(
                "name the study file to write, or ask for --example or --schema"
            )
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
        typer.echo(f"{file}  next: python -m hpsearch plan {file}", err=True)


def _given(context: typer.Context, *names: str) -> list[str]:
    """Those parameters that stand in the command."""
    sources = {name: context.get_parameter_source(name) for name in names}
    return [name for name, source in sources.items() if source and source.name != "DEFAULT"]


def _copy_example(context: typer.Context, name: str, folder: Path) -> None:
    from hpsearch.shipped.examples import examples, write_example

    others = ("file", "data", "trainer", "network", "metric", "target", "script")
    for other in _given(context, *others):
        shown = "FILE" if other == "file" else f"--{other}"
        raise typer.BadParameter(f"--example must stand without {shown}: --to names a folder")
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
        raise typer.BadParameter(f"--script must stand without --{name}: a program has its own")
    written = init_program(file, script=script, metric=metric)
    if written.source == "--help":
        typer.echo(f"{script} --help was run: its text tells of no options", err=True)
    if written.todo:
        typer.echo(f"{file}  next: fill in {', '.join(written.todo)} (TODO in the file)", err=True)
    else:
        typer.echo(f"{file}  next: python -m hpsearch plan {file}", err=True)
