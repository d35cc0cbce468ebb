"""How far studies are, read while they run, rest, or are over."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hpsearch import study_status
from hpsearch.api.status import status_rows
from hpsearch.console import print_status
from hpsearch.records.layout import Home
from hpsearch.study.opening import open_run
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run


def test_a_study_without_a_score_yet_is_printed_too(
    study_file: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(study_file, home, "stages=[{trials=2, epochs=2}]")
    run(study_file, home, "stages=[{trials=2, epochs=2}]", fresh=True)
    shutil.rmtree(home / "studies/small/2/trials")  # as a kill before the first leaves it
    (home / "studies/small/2/artifacts/result.json").unlink()
    (home / "studies/small/2/stages/0.json").unlink()
    print_status(status_rows(home=home))
    first, second, *reasons = capsys.readouterr().out.splitlines()[1:]
    assert re.search(r"small +finished +1/1 +2/2 .* validation_accuracy 0\.", first)
    assert second.split() == ["small/2", "interrupted", "1/1", "0/2"]
    assert reasons == ["small: 1 diverged (trial 1): loss not finite"]


def test_a_study_without_trials_may_get_other_stages(study_file: Path, home: Path) -> None:
    run(study_file, home, "stages=[{trials=2, epochs=2}]")
    shutil.rmtree(home / "studies/small/1/trials")
    stores, read = Home(home), read_study(study_file, ["stages=[{trials=1, epochs=1}]"])
    open_run(read, stores, fresh=False).close()
    read = read_study(study_file, ["stages=[{trials=2, epochs=1}, {trials=3, epochs=2}]"])
    opened = open_run(read, stores, fresh=False)
    opened.close()
    assert opened.plans == ((2, 3),)


def test_an_empty_home_has_no_rows(nowhere: Path) -> None:
    assert study_status(home=nowhere).empty
    assert not nowhere.exists()
