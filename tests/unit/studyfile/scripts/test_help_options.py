"""Options from help texts, as the libraries themselves print them."""

from __future__ import annotations

import argparse
from pathlib import Path

import click
import pytest
import typer
from click.testing import CliRunner

from hpsearch.studyfile.scripts.help_options import help_line
from hpsearch.studyfile.scripts.option import Option


def by_flag(text: str) -> dict[str, Option]:
    return {option.flag or option.name: option for option in help_line(text).options}


def test_argparse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    parser = argparse.ArgumentParser(
        "train", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("data", help="where it is")
    parser.add_argument("-l", "--lr", type=float, default=0.1, help="the rate")
    parser.add_argument("--opt", choices=["adam", "sgd"], default="adam", help="which")
    parser.add_argument("--a-very-long-option-that-wraps", type=int, default=3, help="wrapped")
    parser.add_argument("--nesterov", action="store_true", help="on")
    parser.add_argument("--amp", action=argparse.BooleanOptionalAction, default=True, help="half")
    parser.add_argument("--betas", nargs=2, type=float, default=[0.9, 0.99], help="two")
    parser.add_argument("--log", default=None, help="a file")
    found = by_flag(parser.format_help())
    assert found.pop("data").required
    assert found == {
        "--lr": Option("--lr", "lr", "float", 0.1, help="the rate"),
        "--opt": Option("--opt", "opt", default="adam", choices=("adam", "sgd"), help="which"),
        "--a-very-long-option-that-wraps": Option(
            "--a-very-long-option-that-wraps",
            "a_very_long_option_that_wraps",
            "int",
            3,
            help="wrapped",
        ),
        "--nesterov": Option("--nesterov", "nesterov", "bool", False, switch=True, help="on"),
        "--amp": Option("--amp", "amp", "bool", True, switch=True, off="--no-amp", help="half"),
        "--betas": Option("--betas", "betas", default=[0.9, 0.99], several=True, help="two"),
        "--log": Option("--log", "log", help="a file"),
    }


def test_subcommands_of_argparse() -> None:
    parser = argparse.ArgumentParser("train")
    commands = parser.add_subparsers()
    commands.add_parser("fit")
    commands.add_parser("score")
    assert help_line(parser.format_help()).subcommands == ("fit", "score")


@click.command()
@click.option("-l", "--lr", default=0.1, show_default=True, help="the rate")
@click.option("--hidden", type=int)
@click.option("--opt", type=click.Choice(["adam", "sgd"]), default="adam", show_default=True)
@click.option("--drop", type=click.FloatRange(0, 0.4), default=0.2, show_default=True)
@click.option("--depth", type=click.IntRange(min=1), required=True)
@click.option("--nesterov", is_flag=True)
@click.option("--amp/--plain", default=True, show_default=True)
def by_click(**_: object) -> None: ...


def test_click() -> None:
    assert by_flag(CliRunner().invoke(by_click, ["--help"], terminal_width=200).output) == {
        "--lr": Option("--lr", "lr", "float", 0.1, help="the rate"),
        "--hidden": Option("--hidden", "hidden", "int"),
        "--opt": Option("--opt", "opt", default="adam", choices=("adam", "sgd")),
        "--drop": Option("--drop", "drop", "float", 0.2, low=0, high=0.4),
        "--depth": Option("--depth", "depth", "int", required=True, low=1),
        "--nesterov": Option("--nesterov", "nesterov", "bool", False, switch=True),
        "--amp": Option("--amp", "amp", "bool", True, switch=True, off="--plain"),
    }


@pytest.mark.parametrize("markup", ["rich", None])
def test_typer(markup: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    app = typer.Typer(rich_markup_mode=markup, add_completion=False)  # type: ignore[arg-type]

    @app.command()
    def main(
        data: Path,
        lr: float = typer.Option(0.1, "--lr", "-l", help="the rate"),
        hidden: int = 64,
        nesterov: bool = False,
        amp: bool = True,
    ) -> None: ...

    from typer.testing import CliRunner as Runner

    found = by_flag(Runner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output)
    assert found["data"].required
    assert found["--lr"] == Option("--lr", "lr", "float", 0.1, help="the rate")
    assert found["--hidden"] == Option("--hidden", "hidden", "int", 64)
    assert (found["--nesterov"].off, found["--nesterov"].default) == ("--no-nesterov", False)
    assert (found["--amp"].off, found["--amp"].default) == ("--no-amp", True)
    assert set(found) == {"data", "--lr", "--hidden", "--nesterov", "--amp"}


GNU = """Usage: train [OPTION]... FILE

Some words about -x and --this, which are no options.

  -l, --lr=RATE         learning rate (default 0.1)
      --hidden=N        units
                          in a layer (default: 64)
  -v, --verbose         say more
      --opt=<adam|sgd>  which [default: adam]
      --help            display this help and exit
"""
OPTPARSE_OF_R = """Usage: train.R [options]


Options:
\t-l LR, --lr=LR
\t\tthe rate [default 0.1]

\t-h, --help
\t\tShow this help message and exit
"""
ABSL = """
train.py:
  --lr: the rate
    (default: '0.1')
    (a number)
  --[no]nesterov: look ahead
    (default: 'false')
"""


def test_programs_of_other_kinds() -> None:
    assert by_flag(GNU) == {
        "--lr": Option("--lr", "lr", "float", 0.1, help="learning rate"),
        "--hidden": Option("--hidden", "hidden", "int", 64, help="units in a layer"),
        "--verbose": Option("--verbose", "verbose", "bool", False, switch=True, help="say more"),
        "--opt": Option("--opt", "opt", default="adam", choices=("adam", "sgd"), help="which"),
    }
    assert by_flag(OPTPARSE_OF_R) == {"--lr": Option("--lr", "lr", "float", 0.1, help="the rate")}
    found = by_flag(ABSL)
    assert (found["--lr"].kind, found["--lr"].default) == ("float", 0.1)
    assert found["--nesterov"].off == "--nonesterov"


@pytest.mark.parametrize("text", ["", "no options here\n", "epoch 1 - loss 0.3\n"])
def test_other_texts_have_none(text: str) -> None:
    assert not help_line(text)
