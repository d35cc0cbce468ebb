"""Configurations that a study tries first."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from hpsearch.errors import StudyFileError
from hpsearch.search.reading import read_study
from hpsearch.tracking.record import RunFolder
from tests.conftest import SMALL
from tests.search.test_study import run

WANTED = """
[[enqueue]]
trainer = "momentum"
learning_rate = 0.125
momentum = 0.75
[[enqueue]]
learning_rate = 0.25
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "first.toml"
    path.write_text(SMALL + WANTED)
    return path


def test_the_first_trials_take_them_and_the_rest_is_drawn(written: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(written, home)
    first, second, third, *_ = RunFolder(home / "studies/small/1").read_all("trial")
    assert (first.params["trainer"], first.params["momentum"]) == ("momentum", 0.75)
    assert [t.params["learning_rate"] for t in (first, second)] == [0.125, 0.25]
    assert second.params["trainer"] in ("sgd", "momentum", "adam")
    assert third.params["learning_rate"] not in (0.125, 0.25)
    names = optuna.get_all_study_names(f"sqlite:///{home}/optuna.db")
    stored = optuna.load_study(study_name=names[0], storage=f"sqlite:///{home}/optuna.db")
    assert stored.trials[0].params == {
        "trainer": "momentum",
        "learning_rate": 0.125,
        "momentum": 0.75,
    }


@pytest.mark.parametrize(
    ("override", "mistake"),
    [
        ("enqueue.0.momentum=0.995", "enqueue.0.momentum: must lie in 0.5 … 0.99, got 0.995"),
        ("enqueue.0.trainer=sdg", "enqueue.0.trainer: must lie in 'sgd', 'momentum', 'adam', got"),
        ("enqueue.0.batch_size=3", "enqueue.0.batch_size: must be searched in [space]; must be"),
        ("stages.0.trials=1", "enqueue: must have at most the 1 trials of the first stage, got 2"),
    ],
)
def test_mistakes_are_named(override: str, mistake: str, written: Path) -> None:
    with pytest.raises(StudyFileError) as raised:
        read_study(written, [override])
    assert mistake in str(raised.value)
