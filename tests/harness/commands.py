"""The commands, called as a user does or in this process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

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
    from typer.testing import CliRunner

    done = super(CliRunner, CliRunner()).invoke(  # its own puts the commands together each time
        _commands(), arguments, input=answer, env=env, prog_name="python -m hpsearch"
    )
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Called(done.exit_code, done.stdout, done.stderr)


@cache
def _commands() -> Any:
    """Those of the program, put together once."""
    from typer.main import get_command

    from hpsearch.cli import app

    return get_command(app)
