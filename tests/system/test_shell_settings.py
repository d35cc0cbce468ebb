"""What a shell or a batch system sets for every process: mask, locale, paths of Python."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hpsearch.records.run_folder import RunFolder
from tests.harness.study_files import ALONE

# As a dumb terminal's batch job has it; the rest of the environment is that of the tests.
SETTINGS = {
    "LANG": "C",
    "LC_ALL": "C",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PYTHONHASHSEED": "0",
}
CODE = """
import os, sys
from of_the_team import BONUS

def train(params, data, seed):
    print("größe ✓", os.environ["PYTHONHASHSEED"])
    yield {"validation_accuracy": params["x"] + BONUS}
"""
NAME = "größe ✓"


def study(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A study in a process without a terminal, below a mask that leaves others nothing."""
    team = folder / "team" / "of_the_team"  # a package, whose folder PYTHONPATH names
    team.mkdir(parents=True)
    (team / "__init__.py").write_text("BONUS = 1.0\n")
    (folder / "my_shell_code.py").write_text(CODE)
    text = ALONE.replace("TRAINER", "my_shell_code:train").replace('"own"', f'"{NAME}"')
    (folder / "own.toml").write_text(text)
    path = os.pathsep.join([str(team.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "hpsearch",
            "study",
            "own.toml",
            "--home",
            "home",
            "--workers",
            "1",
        ],
        cwd=folder,
        env={**os.environ, **SETTINGS, "PYTHONPATH": path, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=240,
        check=False,
        start_new_session=True,
        umask=0o077,
    )


@pytest.mark.usefixtures("without_mlflow")
def test_a_study_runs_with_whatever_a_batch_job_sets(tmp_path: Path) -> None:
    done = study(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert NAME in done.stdout
    assert "\x1b" not in done.stdout + done.stderr  # no colours
    folder = RunFolder(tmp_path / f"home/studies/{NAME}/1")
    assert [record.outcome for record in folder.read_all("trial")] == ["complete"] * 2
    assert f"{NAME} 0\n" in folder.files.record("trial", 0).log.read_text(encoding="utf-8")
    home = tmp_path / "home"
    open_to_others = [p for p in home.rglob("*") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert open_to_others == []


@pytest.mark.usefixtures("without_mlflow")
def test_a_name_that_the_locale_can_t_have_is_one_line(tmp_path: Path) -> None:
    done = study(tmp_path, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "names of files too, must have an encoding in this locale (ascii)" in line
    assert "set PYTHONUTF8=1" in line
