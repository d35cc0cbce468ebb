"""The commands of docs/compare.md run, and end as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.commands import call_here
from tests.harness.stores import new_home
from tests.harness.study_files import REPOSITORY

SHORT = ["--set", "stages=[{trials=3, epochs=2}]", "--set", "confirmation.top=1", "--workers", "0"]


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (REPOSITORY / "docs/compare.md").read_text()
    block = text.partition("```sh\n")[2].partition("```")[0]
    commands = re.findall(r"^python -m hpsearch (.+)$", block, re.MULTILINE)
    (tmp_path / "studies").symlink_to(REPOSITORY / "studies")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HPSEARCH_HOME", str(new_home(tmp_path / "home")))
    for command in commands:
        more = SHORT if command.startswith("study ") else []
        done = call_here(*command.split(), *more)
        assert done.returncode == 0, done.stderr
    assert "paired over 5 fresh splits" in done.stdout
    assert re.search(r"space\.hidden +", done.stdout)
    assert "/#/compare-experiments/s?experiments=" in done.stdout
    assert "has the best confirmed" in (tmp_path / "compared.html").read_text()
