"""What is damaged between a stop and the next start is made up for, or told in one line."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from hpsearch.records.layout import Home
from hpsearch.study.events import OptunaRefilled
from tests.harness.damage import KINDS, damage, damageable, go_on, outcome, stop_in_the_middle
from tests.harness.study import table


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was stopped in its second stage; beside it the stores of a quiet run."""
    folder = tmp_path_factory.mktemp("stopped")
    stop_in_the_middle(folder)
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "update trial_params set param_value = param_value * 1.5"
            " where param_name = 'learning_rate'",
            "learning_rate must be",
        ),
        (
            "update trial_intermediate_values set intermediate_value = 0.99 where trial_id = 2",
            "scores must be",
        ),
        ("update trials set state = 'FAIL' where state = 'PRUNED'", "state must be PRUNED"),
    ],
)
def test_a_database_that_says_otherwise_than_the_records_is_made_anew(
    stopped: Path, tmp_path: Path, change: str, said: str
) -> None:
    shutil.copytree(stopped / "home", tmp_path / "home")
    with sqlite3.connect(tmp_path / "home" / "optuna.db") as database:
        assert database.execute(change).rowcount
    database.close()
    told = go_on(stopped / "tiny.toml", tmp_path / "home")
    (refilled,) = [event for event in told if isinstance(event, OptunaRefilled)]
    assert said in refilled.problems[0]
    assert table(tmp_path / "home") == table(stopped / "quiet")


def test_trials_that_optunas_own_api_added_are_left_out(stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped / "home", tmp_path / "home")
    storage = Home(tmp_path / "home").storage_url
    (name,) = optuna.get_all_study_names(storage)
    study = optuna.load_study(study_name=name, storage=storage)
    for trial in [t for t in study.trials if not t.state.is_finished()]:
        study.tell(trial.number, state=TrialState.FAIL)
    study.add_trial(optuna.trial.create_trial(value=0.5))
    told = go_on(stopped / "tiny.toml", tmp_path / "home")
    (refilled,) = [event for event in told if isinstance(event, OptunaRefilled)]
    assert "must have a record, has none" in refilled.problems[-1]
    assert table(tmp_path / "home") == table(stopped / "quiet")


def test_a_stop_alone_is_no_difference(stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped / "home", tmp_path / "home")
    told = go_on(stopped / "tiny.toml", tmp_path / "home")
    assert not [event for event in told if isinstance(event, OptunaRefilled)]
    assert table(tmp_path / "home") == table(stopped / "quiet")


def test_trials_whose_study_json_is_gone_are_no_new_run(stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped / "home", tmp_path / "home")
    (tmp_path / "home/studies/small/1/study.json").unlink()
    assert "study.json must hold what hpsearch wrote, got no file" in outcome(
        stopped, tmp_path / "home"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_made_up_for_or_told(stopped: Path, tmp_path: Path, kind: str) -> None:
    """A few of each kind; tests/system/test_many_damages.py has many."""
    for number, name in enumerate(damageable(stopped / "home")[::7]):
        home = tmp_path / str(number)
        shutil.copytree(stopped / "home", home)
        damage(home / name, kind, number)
        outcome(stopped, home)
