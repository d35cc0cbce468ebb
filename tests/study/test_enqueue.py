"""Configurations that a study tries first."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from hpsearch import verify_study
from hpsearch.errors import StudyFileError
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run
from tests.harness.study_files import SMALL

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


def test_an_entry_of_defaults_is_the_configuration_that_nobody_tuned(tmp_path: Path) -> None:
    path, home = tmp_path / "first.toml", tmp_path / "home"
    momentum = '[[enqueue]]\ndefaults = true\ntrainer = "momentum"\n'
    path.write_text(SMALL + "\n[[enqueue]]\ndefaults = true\n" + momentum)
    run(path, home)
    first, second, *_ = RunFolder(home / "studies/small/1").read_all("trial")
    assert (first.params["trainer"], first.params["learning_rate"]) == ("sgd", 0.01)
    assert (second.params["trainer"], second.params["momentum"]) == ("momentum", 0.9)
    assert verify_study("small", home=home, trials=0).problems == []


@pytest.mark.parametrize(
    ("override", "mistake"),
    [
        ("enqueue.0.momentum=0.995", "enqueue.0.momentum: must lie in 0.5 … 0.99, got 0.995"),
        ("enqueue.0.trainer=sdg", "enqueue.0.trainer: must lie in 'sgd', 'momentum', 'adam', got"),
        ("enqueue.0.batch_size=3", "enqueue.0.batch_size: must be searched in [space]; must be"),
        ("enqueue.0.defaults=false", "enqueue.0.defaults: must be true, or left out, got False"),
        ('enqueue=[{ defaults = true, trainer = "sdg" }]', "enqueue.0.trainer: must lie in 'sgd'"),
        ("stages.0.trials=1", "enqueue: must have at most the 1 trial of the first stage, got 2"),
    ],
)
def test_mistakes_are_named(override: str, mistake: str, written: Path) -> None:
    with pytest.raises(StudyFileError) as raised:
        read_study(written, [override])
    assert mistake in str(raised.value)


@pytest.mark.parametrize("sampler", ["random", "tpe", "qmc"])
def test_samplers_by_name_draw_the_rest(sampler: str, tmp_path: Path) -> None:
    whole = WANTED.split("[[enqueue]]")[1]
    path = tmp_path / "named.toml"
    path.write_text(SMALL + f'[sampler]\nname = "{sampler}"\n[[enqueue]]' + whole)
    run(path, tmp_path / "home", "stages.0.trials=8")
    first, second, *_ = RunFolder(tmp_path / "home/studies/small/1").read_all("trial")
    assert (first.params["trainer"], first.params["learning_rate"]) == ("momentum", 0.125)
    assert second.params["learning_rate"] != 0.125


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[[enqueue]]\nlearning_rate = -1.0", "enqueue.0.learning_rate: must lie in 0.001"),
        ("[[enqueue]]\nmomentum = 0.9", "enqueue.0.momentum: must have its condition met"),
        ('[sampler]\nname = "listed"', "enqueue: is missing: [[enqueue]] tables make up the list"),
        (
            '[sampler]\nname = "random"\n[[enqueue]]\nlearning_rate = 0.1',
            "enqueue.0.trainer: is missing: sampler.name = 'random' can't draw a part of a",
        ),
    ],
)
def test_what_can_t_be_taken_is_refused(text: str, mistake: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(f"{SMALL}{text}\n")
    with pytest.raises(StudyFileError) as raised:
        read_study(path)
    assert mistake in str(raised.value)


def test_a_list_is_complete_in_every_arm(tmp_path: Path) -> None:
    path = tmp_path / "arms.toml"
    listed = '[sampler]\nname = "listed"\n[[enqueue]]\nlearning_rate = 0.1\n'
    path.write_text('compare = ["trainer"]\n' + SMALL + listed)
    with pytest.raises(
        StudyFileError, match=r"enqueue\.0\.momentum: is missing.*trainer=momentum"
    ):
        read_study(path)
