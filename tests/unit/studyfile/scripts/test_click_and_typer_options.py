"""Options of click and typer, from the text of a program that is never run."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from hpsearch.studyfile.scripts.click_options import click_line
from hpsearch.studyfile.scripts.option import Option
from hpsearch.studyfile.scripts.source import Source
from hpsearch.studyfile.scripts.typer_options import typer_line


def source(folder: Path, text: str) -> Source:
    path = folder / "train.py"
    path.write_text(dedent(text) + "\nraise SystemExit('it was run')\n")
    return Source.read(path)


CLICK = """
    import click

    @click.command()
    @click.argument("data")
    @click.argument("extra", required=False)
    @click.option("-l", "--lr", "rate", default=0.1, show_default=True, help="the\\n rate")
    @click.option("--hidden", type=int, default=64)
    @click.option("--opt", type=click.Choice(["adam", "sgd"]), default="adam")
    @click.option("--drop", type=click.FloatRange(0, 0.4), default=0.2)
    @click.option("--depth", type=click.IntRange(min=1, max=6), required=True)
    @click.option("--nesterov", is_flag=True)
    @click.option("--amp/--no-amp", default=True)
    @click.option("--tag", multiple=True)
    def main(**arguments):
        pass
"""


def test_click(tmp_path: Path) -> None:
    line = click_line(source(tmp_path, CLICK))
    assert line.words == ()
    assert line.options == (
        Option("", "data", required=True),
        Option("", "extra"),
        Option("--lr", "rate", "float", 0.1, help="the rate"),
        Option("--hidden", "hidden", "int", 64),
        Option("--opt", "opt", default="adam", choices=("adam", "sgd")),
        Option("--drop", "drop", "float", 0.2, low=0, high=0.4),
        Option("--depth", "depth", "int", required=True, low=1, high=6),
        Option("--nesterov", "nesterov", "bool", switch=True),
        Option("--amp", "amp", "bool", True, switch=True, off="--no-amp"),
        Option("--tag", "tag", several=True),
    )


def test_a_group_of_click_needs_its_command(tmp_path: Path) -> None:
    one = """
        import click

        @click.group()
        def cli(): ...

        @cli.command("fit-model")
        @click.option("--lr", default=0.1)
        def fit(lr): ...
    """
    line = click_line(source(tmp_path, one))
    assert line.words == ("fit-model",)
    assert [option.flag for option in line.options] == ["--lr"]
    two = dedent(one) + "\n@cli.command()\ndef score_all(): ...\n"
    line = click_line(source(tmp_path, two))
    assert line.subcommands == ("fit-model", "score-all")
    assert not line.options


TYPER = """
    import enum
    from typing import Annotated, List, Literal, Optional

    import typer

    class Opt(str, enum.Enum):
        adam = "Adam"
        sgd = "SGD"

    def main(
        data: str,
        lr: float = 0.1,
        hidden: Annotated[int, typer.Option("--width", min=8, max=512, help="units")] = 64,
        opt: Opt = Opt.adam,
        kind: Literal["a", "b"] = "a",
        drop: Optional[float] = typer.Option(0.2, "--drop"),
        wd: "float | None" = None,
        nesterov: bool = False,
        amp: Annotated[bool, typer.Option("--amp")] = False,
        tags: List[str] = [],
        depth: int = typer.Option(...),
        ctx: typer.Context = None,
    ): ...

"""


def test_typer(tmp_path: Path) -> None:
    expected = (
        Option("", "data", required=True),
        Option("--lr", "lr", "float", 0.1),
        Option("--width", "hidden", "int", 64, low=8, high=512, help="units"),
        Option("--opt", "opt", default="Adam", choices=("Adam", "SGD")),
        Option("--kind", "kind", default="a", choices=("a", "b")),
        Option("--drop", "drop", "float", 0.2),
        Option("--wd", "wd", "float"),
        Option("--nesterov", "nesterov", "bool", False, switch=True, off="--no-nesterov"),
        Option("--amp", "amp", "bool", False, switch=True),
        Option("--tags", "tags", default=[], several=True),
        Option("--depth", "depth", "int", required=True),
    )
    line = typer_line(source(tmp_path, dedent(TYPER) + "typer.run(main)"))
    assert line.options == expected
    app = dedent(TYPER).replace("def main", "app = typer.Typer()\n\n@app.command()\ndef main")
    line = typer_line(source(tmp_path, app + "app()"))
    assert line.options == expected
    assert line.words == ()
    line = typer_line(source(tmp_path, app + "\n@app.callback()\ndef all(): ..."))
    assert line.words == ("main",)
    line = typer_line(source(tmp_path, app + "\n@app.command()\ndef score_it(): ..."))
    assert line.subcommands == ("main", "score-it")


def test_programs_without_them_have_none(tmp_path: Path) -> None:
    other = source(tmp_path, "@app.command()\ndef main(lr: float = 0.1): ...")
    assert not click_line(other)
    assert not typer_line(other)
