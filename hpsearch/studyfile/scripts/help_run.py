"""What a program's `--help` prints: the only time that one is started to read its options."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hpsearch.errors import StudyFileError, conclusion
from hpsearch.processes import end_tree

DEADLINE = 10.0  # seconds; --help prints at once, though imports may take long
MOST = 1_000_000  # bytes of help that are read
SHOWN = 200  # characters of a reason
# Wide lines without colours.
PLAIN = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1", "PYTHON_COLORS": "0"}


def help_text(words: Sequence[str], folder: Path, script: Path) -> str:
    """Run a command with `--help`, and end it with all that it started after the deadline.

    Args:
        words: the command.
        folder: that it is run in.
        script: as a person called it.

    Raises:
        StudyFileError: it can't be started, fails, or does not end.
    """
    program = words[0]
    if program == "python":
        program = shutil.which("python") or sys.executable
    with tempfile.TemporaryFile() as output:  # a pipe would wait for what outlives the program
        try:
            process = subprocess.Popen(
                [program, *words[1:], "--help"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **PLAIN},
                start_new_session=True,
            )
        except OSError as error:
            got = f"{error.strerror}: {words[0]}"
            raise StudyFileError(f"{script} must be a program that runs, got: {got}") from error
        try:
            code = process.wait(DEADLINE)
        except subprocess.TimeoutExpired as error:
            rule = f"must print its options and end within {DEADLINE:g} seconds"
            raise StudyFileError(f"{script} --help {rule}, got none; it was ended") from error
        finally:
            end_tree(process.pid)
            process.wait()
        output.seek(0)
        text = output.read(MOST).decode(errors="replace")
    if code != 0:
        reason = conclusion(text)[:SHOWN]
        got = f"{code}" + (f": {reason}" if reason else "")
        raise StudyFileError(
            f"{script} --help must print its options and end with exit code 0, got {got}"
        )
    return text
