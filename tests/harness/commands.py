"""The commands, called as a user does or in this process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from typer import Typer

SECONDS = 240  # a command that takes longer hangs


class Called(NamedTuple):
    """What a command ended with."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Called:
    """Call `python -m hpsearch`, in a process of its own."""
    command = [sys.executable, "-m", "hpsearch", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, cwd=cwd, env=env
    )
    return Called(done.returncode, done.stdout, done.stderr)


def call_here(
    *arguments: str, env: Mapping[str, str] | None = None, answer: str | None = None
) -> Called:
    """Call a command in this process, which has loaded by then what a new one loads for seconds.

    Args:
        env: variables beside those of this process.
        answer: on stdin.
    """
    from typer import testing

    from hpsearch.cli import app

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testing, "_get_command", _put_together)
        done = testing.CliRunner().invoke(
            app, arguments, input=answer, env=env, prog_name="python -m hpsearch"
        )
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Called(done.exit_code, done.stdout, done.stderr)


@cache
def _put_together(app: Typer) -> object:
    """The commands of a program, which typer's runner would put together for each call."""
    from typer.main import get_command

    return get_command(app)
