"""Programs whose text tells nothing are asked with --help: run, and ended in time."""

from __future__ import annotations

import os
import time
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from hpsearch import init_program
from hpsearch.errors import StudyFileError
from hpsearch.studyfile.scripts import help_run
from tests.harness.commands import call_here

HELP = "echo '  --lr=RATE  the rate (default: 0.1)'; echo '  --epochs=N  (default: 9)'"


def script(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(dedent(text))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("train.sh", f"case $1 in --help) {HELP};; esac", ["sh", "train.sh"]),
        ("train.sh", f"#!/usr/bin/env bash\n[[ $1 = --help ]] && {HELP}", ["bash", "train.sh"]),
        ("train", f"#!/bin/sh\n# $@\n{HELP}", ["sh", "train"]),
        (
            "train.py",
            "import sys\nif '--help' in sys.argv:\n    print('  --lr=RATE  (default: 0.1)')\n"
            "    print('  --epochs=N  (default: 9)')\n",
            ["python", "train.py"],
        ),
    ],
)
def test_a_program_that_tells(tmp_path: Path, name: str, text: str, words: list[str]) -> None:
    path = tmp_path / "a.toml"
    made = init_program(path, script=script(tmp_path, text, name), metric="val_acc")
    file = tomllib.loads(path.read_text())
    assert file["program"]["command"] == [*words, "--lr={lr}", "--epochs={epochs}"]
    assert file["space"]["lr"] == {"low": 0.01, "high": 1.0, "log": True, "default": 0.1}
    assert made.source == "--help"
    assert f"read from running {name} --help" in made.text


def test_the_command_says_that_it_was_run(tmp_path: Path) -> None:
    program = script(tmp_path, f"case $1 in --help) {HELP};; esac", "train.sh")
    done = call_here("init", str(tmp_path / "a.toml"), "--script", str(program))
    assert done.returncode == 0
    assert f"ran {program} --help" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo no such option $1; exit 3", "exit code 0, got 3: no such option --help"),
        ("echo $1", "got a help text without any"),
        ("sleep 60 & sleep 60; echo $1", "end within 0.5 seconds"),
    ],
)
def test_one_that_does_not_tell_is_one_line(
    tmp_path: Path, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(help_run, "DEADLINE", 0.5)
    program, path = script(tmp_path, text, "train.sh"), tmp_path / "a.toml"
    began = time.monotonic()
    done = call_here("init", str(path), "--script", str(program))
    assert time.monotonic() - began < 20
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not path.exists()


def test_what_a_program_started_is_ended_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    text = f"sleep 60 & echo $! > {pid}; {HELP}; echo $1"
    init_program(tmp_path / "a.toml", script=script(tmp_path, text, "train.sh"))
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid.read_text().strip()}/cmdline") and (
        Path(f"/proc/{pid.read_text().strip()}/cmdline").read_bytes()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_that_is_not_there_to_run(tmp_path: Path) -> None:
    program = script(tmp_path, "#!/no/such/interpreter-of-it\n", "train")
    with pytest.raises(StudyFileError, match="must be a program that runs"):
        init_program(tmp_path / "a.toml", script=program)
