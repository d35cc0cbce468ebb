"""The tutorial's steps, run as a reader runs them, with fewer trials; all blocks for a shell."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.commands import call_here
from tests.harness.documents import REPOSITORY, blocks
from tests.harness.stores import new_home

PAGE = (REPOSITORY / "docs/tutorial.md").read_text()


def _commands(title: str) -> list[list[str]]:
    """The arguments of our commands in a section's shell blocks."""
    section = PAGE.partition(f"\n## {title}")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[3:] for line in lines if line.startswith("python -m hpsearch")]


def _write(name: str, folder: Path) -> None:
    """A file of the tutorial: the block that has its name as title."""
    text = re.search(rf'^```\w+ title="{name}"\n(.*?)^```', PAGE, re.MULTILINE | re.DOTALL)
    assert text
    (folder / name).write_text(text[1])


def _steps(title: str, folder: Path) -> dict[str, str]:
    """Run the section's commands in order, in this folder; what each printed, by its name."""
    printed = {}
    for arguments in _commands(title):
        probes = ["--trials", "2"] if arguments[0] == "plan" else []
        done = call_here(*arguments, *probes)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        printed[arguments[0]] = done.stdout
        if arguments[0] == "init":
            _shorten(folder / "train.toml")
    return printed


def _shorten(study: Path) -> None:
    """Fewer and shorter trials, in one stage."""
    text = re.sub(r"^trials = \d+", "trials = 2", study.read_text(), flags=re.MULTILINE)
    head, *stages = text.split("[[stages]]\n")
    text = f"{head}[[stages]]\n{stages[0]}"
    text = re.sub(r"^epochs = (\d+)", lambda m: f"epochs = {int(m[1]) // 6}", text, flags=re.M)
    study.write_text(text + "\n[confirmation]\ntop = 1\nseeds = 2\n")


def test_a_script_is_searched_and_then_every_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    new_home(tmp_path / "mlruns")
    _write("train.py", tmp_path)
    script = _steps("3.", tmp_path)
    assert "winner" in script["study"]
    assert "python train.py --lr=" in script["show"]
    _write("nightly.toml", tmp_path)
    night = _steps("5.", tmp_path)
    assert "2 finished" in night["batch"]
    assert "ExecStart=" in night["schedule"]


def test_the_table_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tune and predict do has tests of its own; they take minutes."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(REPOSITORY / "studies/customers.csv", tmp_path)
    commands = _commands("4.")
    assert [arguments[0] for arguments in commands] == ["data", "tune", "predict"]
    done = call_here(*commands[0])
    assert done.returncode == 0
    assert "'customer_id' identifies rows" in done.stdout + done.stderr


def test_blocks_for_a_shell_are_parsed_by_one() -> None:
    bash = shutil.which("bash")
    assert bash, "these blocks are for bash"
    for block in blocks():
        if block.kind in ("sh", "bash"):
            command = [bash, "-n"]
            done = subprocess.run(command, input=block.text, capture_output=True, text=True)
            assert done.returncode == 0, f"{block.place}: {done.stderr}"
