"""kill -9 at any moment, then the same command: the finished study is that of a quiet run."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from hpsearch import run_study
from tests.harness.kills import projected, run_killed
from tests.harness.stores import new_home
from tests.harness.study import table
from tests.harness.study_files import SMALL

# 20 by hand, 3 minutes a case: HPSEARCH_KILLS=20 scripts/test tests/system/test_kill_resume.py
KILLS = int(os.environ.get("HPSEARCH_KILLS", "1"))
# Long enough that they fall into it: more epochs, and slices of a tenth of a second. What is done
# once a trial or an evaluation, also in MLflow, would take most of the time: fewer of both.
EPOCHS = 200 if KILLS == 1 else 600 * KILLS
LONG = SMALL.replace("epochs = 8\n", f"epochs = {EPOCHS}\n")
LONG = LONG.replace("epochs = 4\n", f"epochs = {EPOCHS // 4}\n")
LONG = LONG.replace("epochs = 2\n", f"epochs = {4 * KILLS}\n")
for many, few in ((6, 3), (8, 4), (14, 5)) if KILLS == 1 else ((6, 4), (8, 5), (14, 8)):
    LONG = LONG.replace(f"trials = {many}\n", f"trials = {few}\n")
LONG = LONG.replace("seeds = 3\ntest_seeds = 2\n", "seeds = 2\ntest_seeds = 1\n")
LONG += "[evaluation]\nevery = 10\n[execution]\nslice_seconds = 0.1\n"
CASES = [("gp", 2), ("tpe", 1)][: 1 + (KILLS > 1)]
FILES = {"gp": LONG, "tpe": LONG + '[sampler]\nname = "tpe"\n'}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the stores of an undisturbed run by sampler, beside its file."""

    @cache
    def stores(sampler: str) -> Path:
        folder = tmp_path_factory.mktemp(sampler)
        (folder / "long.toml").write_text(FILES[sampler])
        run_study(folder / "long.toml", home=new_home(folder / "home"), workers=0)
        return folder / "home"

    return stores


@pytest.mark.timeout(420)
@pytest.mark.parametrize(("sampler", "workers"), CASES)
def test_kills_change_nothing(
    tmp_path: Path, quiet: Callable[[str], Path], sampler: str, workers: int
) -> None:
    calm = quiet(sampler)
    path = calm.parent / "long.toml"
    troubled = tmp_path / "troubled"
    run_killed(path, troubled, workers, KILLS)
    expected, found = table(calm), table(troubled)
    assert list(expected) == list(found)
    assert [key for key in expected if expected[key] != found[key]] == []
    assert projected(calm) == projected(troubled)
