"""Modules beside a study that have names of Python's own, or of packages."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.harness.commands import call
from tests.harness.functions import STEADY
from tests.harness.study_files import TINY

pytestmark = pytest.mark.usefixtures("without_mlflow")


def test_a_study_is_not_broken_by_what_lies_beside_it(tmp_path: Path, home: Path) -> None:
    (tmp_path / "own_beside.py").write_text(textwrap.dedent(STEADY))
    for name in ("copy", "queue", "types", "secrets", "pandas", "sqlalchemy"):
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('{name} beside the study')\n")
    (tmp_path / "own.toml").write_text(TINY)
    space = "space={trainer='own_beside:train', learning_rate={low=0.1, high=0.2}}"
    words = ["study", "own.toml", "--workers", "1", "--home", str(home), "--set", space]
    done = call(*words, cwd=tmp_path)  # which is the first place that Python looks in
    assert done.returncode == 0, done.stderr
    assert "3 complete" in done.stdout
