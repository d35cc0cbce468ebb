"""The versions that a study's records name, and what a restart says of them."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from hpsearch import run_study
from hpsearch.execution import environment
from hpsearch.study.events import Event, TrialReached
from tests.harness.study import records
from tests.harness.study_files import ALONE

TRAIN = """
import filelock
from PIL import Image

def train(params, data, seed, state=None):
    while True:
        yield {"validation_accuracy": params["x"]}, 0
"""


def test_a_restart_says_which_packages_changed_since_the_last_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "of_packages.py").write_text(TRAIN)
    path = tmp_path / "own.toml"
    path.write_text(ALONE.replace("TRAINER", "of_packages:train"))
    home, said = tmp_path / "home", list[str]()

    def interrupt(event: Event) -> None:
        if isinstance(event, TrialReached):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(path, home=home, workers=0, on_event=interrupt, warn=said.append)
    known = records(home, "own")[0].environment
    assert known["version.filelock"] == version("filelock")
    assert known["version.pillow"] == version("pillow")
    versions = environment._versions() | {"version.numpy": "99"}
    monkeypatch.setattr(environment, "_versions", lambda: versions)
    run_study(path, home=home, workers=0, warn=said.append)
    (line,) = [line for line in said if "since the last trials" in line]
    assert f"numpy {version('numpy')} is now 99: numbers may differ" in line
