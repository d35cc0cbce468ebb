"""Options of argparse, from the text of a program that is never run."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.studyfile.scripts.argparse_options import argparse_line
from hpsearch.studyfile.scripts.option import CommandLine, Option
from hpsearch.studyfile.scripts.source import Source

HEAD = "import argparse\nraise SystemExit('it was run')\np = argparse.ArgumentParser()\n"


def read(folder: Path, text: str) -> CommandLine:
    path = folder / "train.py"
    path.write_text(HEAD + dedent(text))
    return argparse_line(Source.read(path))


def only(folder: Path, arguments: str) -> Option:
    (option,) = read(folder, f"p.add_argument({arguments})").options
    return option


@pytest.mark.parametrize(
    ("arguments", "attributes"),
    [
        (
            '"--lr", type=float, default=3e-4, help="the rate (%(default)s, 5%%)"',
            {
                "flag": "--lr",
                "name": "lr",
                "kind": "float",
                "default": 3e-4,
                "help": "the rate (0.0003, 5%)",
            },
        ),
        ('"-b", "--batch-size", type=int, default=2**6', {"name": "batch_size", "default": 64}),
        ('"--wd", dest="decay", default=-1.5', {"name": "decay", "default": -1.5}),
        ('"--wd", default=0.1', {"kind": "float"}),
        ('"--n", type=positive, default=3', {"kind": "int", "default": 3}),
        ('"--out", type=Path, default=Path("runs")', {"kind": "str", "default": "runs"}),
        ('"--opt", choices=["adam", "sgd"]', {"choices": ("adam", "sgd"), "default": None}),
        ('"--k", type=int, choices=range(1, 4)', {"choices": (1, 2, 3), "kind": "int"}),
        (
            '"--nesterov", action="store_true"',
            {"switch": True, "kind": "bool", "default": False, "off": ""},
        ),
        (
            '"--no-bn", dest="bn", action="store_false"',
            {"switch": True, "name": "no_bn", "flag": "--no-bn"},
        ),
        (
            '"--amp", action=argparse.BooleanOptionalAction, default=True',
            {"switch": True, "off": "--no-amp", "default": True},
        ),
        ('"--data", required=True', {"required": True, "default": None}),
        ('"data"', {"flag": "", "name": "data", "required": True}),
        ('"data", nargs="?", default="x"', {"flag": "", "required": False, "default": "x"}),
        ('"--betas", nargs=2, type=float, default=(0.9, 0.99)', {"several": True}),
        ('"--tag", action="append"', {"several": True}),
        ('"--home", default=os.environ["HOME"]', {"computed": True, "default": None}),
        ('"--on", type=bool, default=True', {"doubt": "type=bool takes every text for true"}),
    ],
)
def test_what_a_call_says(tmp_path: Path, arguments: str, attributes: dict[str, Any]) -> None:
    option = only(tmp_path, arguments)
    assert {name: getattr(option, name) for name in attributes} == attributes


def test_constants_tables_and_groups(tmp_path: Path) -> None:
    line = read(
        tmp_path,
        """
        WIDTH = 128
        MODELS = {"mlp": object, "cnn": object}
        CHANGED = 1
        CHANGED = 2
        def main():
            g = p.add_argument_group("model")
            g.add_argument("--hidden", type=int, default=WIDTH)
            g.add_argument("--model", choices=sorted(MODELS.keys()))
            e = p.add_mutually_exclusive_group()
            e.add_argument("--depth", type=int, default=CHANGED)
            p.set_defaults(depth2=3)
            p.add_argument("--depth2", type=int)
        """,
    )
    hidden, model, depth, depth2 = line.options
    assert hidden.default == 128
    assert model.choices == ("mlp", "cnn")
    assert depth.computed
    assert depth2.default == 3


def test_subcommands_are_named_and_their_options_left_alone(tmp_path: Path) -> None:
    line = read(
        tmp_path,
        """
        p.add_argument("--lr", type=float)
        s = p.add_subparsers()
        t = s.add_parser("fit")
        t.add_argument("--a")
        g = t.add_argument_group()
        g.add_argument("--b")
        s.add_parser("score").add_argument("--c")
        """,
    )
    assert [option.flag for option in line.options] == ["--lr"]
    assert line.subcommands == ("fit", "score")


def test_what_is_not_understood_is_told(tmp_path: Path) -> None:
    line = read(tmp_path, "for n in 'ab':\n    p.add_argument(f'--{n}')\n")
    assert line.unread == ("the option of line 5",)


def test_no_python_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("import argparse\nprint 'python 2'\n")
    with pytest.raises(StudyFileError, match=r"must be valid Python, got: .*line 2"):
        Source.read(path)
    path.write_bytes(b"a = 1\0")
    with pytest.raises(StudyFileError, match="must be valid Python"):
        Source.read(path)
