"""Homes and study files whose paths have spaces, quotes, braces, other scripts, or 200 signs."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.harness.commands import call_here
from tests.harness.stores import new_home
from tests.harness.study_files import ALONE

CODE = """
def train(params, data, seed):
    yield {"validation_accuracy": params["x"]}
"""
LONG = "/".join(["a folder of a long name " + "x" * 76] * 2)


@pytest.mark.parametrize(
    "name",
    ['a "b" c\'s', "größe 고양이 😀", "{1} {two} $HOME `ls` & * 5 % \\", LONG],
    ids=["quotes", "scripts", "signs", "long"],
)
def test_a_study_has_a_home_in_any_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    home = new_home(folder / "home")
    (folder / "my_code.py").write_text(CODE)
    (folder / "my study.toml").write_text(ALONE.replace("TRAINER", "my_code:train"))
    archive, other = folder / "own.zip", folder / "another home"

    def call(*words: str) -> str:
        done = call_here(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    at_home = ("--home", str(home))
    call("study", str(folder / "my study.toml"), "--workers", "0", *at_home)
    assert "finished" in call("status", *at_home)
    for words in (("show", "own"), ("verify", "own"), ("report", "own"), ("doctor",)):
        call(*words, *at_home)
    call("export", "own", "--to", str(archive), *at_home)
    new_home(other)
    advice = call("import", str(archive), "--home", str(other))
    assert shlex.quote(str(other)) in advice  # the command can be copied as it is
    call("verify", "own", "--home", str(other), "--trust-code", str(folder))
