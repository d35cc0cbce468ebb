"""Starting with the best configurations of an existing Optuna study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from hpsearch import run_study, verify_study
from hpsearch.errors import HpsearchError, StorageError, StudyChangedError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.study.starting.warm_start import warm_started
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records
from tests.harness.study_files import SMALL
from tests.harness.study_mistakes import message

SHORT = SMALL.replace("trials = 14", "trials = 5").replace("trials = 8", "trials = 2")
SHORT = SHORT.replace("trials = 6", "trials = 2").replace("high = 1e6", "high = 1.0")
ASKED = '[warm_start]\nstorage = "old.db"\ntop = 2\nnames = { lr = "learning_rate" }\n'
TRAINERS = CategoricalDistribution(["sgd", "momentum", "adam"])
# Values of (trainer, lr, momentum, batch_size), and an error rate: lower is better there.
OLD = [
    ("sgd", 0.5, None, 10, 0.3),
    ("momentum", 0.0123456789, 0.75, 10, 0.1),
    ("adam", 1e-5, None, 10, 0.2),  # below what is searched now
    ("momentum", 0.0123456789, 0.75, 10, 0.25),  # that of trial 1 again
]


def old_study(storage: str | optuna.storages.BaseStorage, name: str = "old") -> None:
    study = optuna.create_study(storage=storage, study_name=name, direction="minimize")
    for trainer, lr, momentum, batch_size, value in OLD:
        params = {"trainer": trainer, "lr": lr, "batch_size": batch_size}
        kinds = {"trainer": TRAINERS, "lr": FloatDistribution(1e-6, 1.0, log=True)}
        kinds["batch_size"] = optuna.distributions.IntDistribution(1, 64)
        if momentum is not None:
            params["momentum"], kinds["momentum"] = momentum, FloatDistribution(0.0, 1.0)
        study.add_trial(optuna.trial.create_trial(params=params, distributions=kinds, value=value))
    study.enqueue_trial({"lr": 0.9})


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A study that starts with the old one beside it."""
    old_study(f"sqlite:///{tmp_path}/old.db")
    path = tmp_path / "small.toml"
    path.write_text(SHORT + ASKED)
    return path


def taken(path: Path, *overrides: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What a first start takes, and what is said."""
    said: list[str] = []
    home = Home(path.parent / "nowhere")
    started = warm_started(read_study(path, overrides), home, fresh=False, warn=said.append)
    return started.read.file.enqueue, said


def test_the_first_trials_are_the_old_study_s_best_and_repeat_without_it(
    asked: Path, tmp_path: Path, home: Path
) -> None:
    said: list[str] = []
    run_study(asked, home=home, workers=0, warn=said.append)
    assert any("lr" not in line and "learning_rate, which lies outside" in line for line in said)
    first, second, third, *_ = records(home)
    assert (first.params["trainer"], first.params["learning_rate"]) == ("momentum", 0.0123457)
    assert first.params["momentum"] == 0.75
    assert second.params["trainer"] == "adam"  # its learning rate was drawn
    assert third.params["learning_rate"] not in (0.5, 0.0123457)
    source = json.loads((home / "studies/small/1/artifacts/warm_start.json").read_text())
    assert (source["study"], [trial["number"] for trial in source["trials"]]) == ("old", [1, 2])
    (tmp_path / "old.db").unlink()
    assert verify_study("small", home=home, trials=1).problems == []
    again = run_study(asked, home=home, workers=0, overrides=["stages.2.trials=3"])
    assert again.result.counts["complete"] == 3
    with pytest.raises(StudyFileError, match=r"warm_start\.storage must exist"):
        run_study(asked, home=home, workers=0, fresh=True)
    asked.write_text(SHORT + ASKED.replace("top = 2", "top = 1"))
    old_study(f"sqlite:///{tmp_path}/old.db")
    with pytest.raises(StudyChangedError, match=r"-warm_start\.top = 2"):
        run_study(asked, home=home, workers=0)


def test_what_is_there_twice_or_in_the_file_is_taken_once(asked: Path) -> None:
    asked.write_text(
        SHORT + ASKED.replace("top = 2", "top = 4") + "[[enqueue]]\ntrainer = 'adam'\n"
    )
    configurations, _ = taken(asked)
    assert configurations == [
        {"trainer": "adam"},
        {"trainer": "momentum", "learning_rate": 0.0123457, "momentum": 0.75},
        {"trainer": "sgd", "learning_rate": 0.5},
    ]


def test_a_sampler_that_draws_no_part_takes_whole_configurations(asked: Path) -> None:
    configurations, said = taken(asked, "sampler.name=tpe")
    assert [c["trainer"] for c in configurations] == ["momentum", "sgd"]
    assert any("all, because sampler 'tpe' needs learning_rate" in line for line in said)


def test_journals_and_variables_are_storages_too(
    asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, _ = taken(asked)
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "old.log"))
    old_study(optuna.storages.JournalStorage(backend))
    assert taken(asked, "warm_start.storage=old.log")[0] == wanted
    monkeypatch.setenv("OLD_STUDIES", f"sqlite:///{tmp_path}/old.db")
    assert taken(asked, "warm_start.storage=env:OLD_STUDIES")[0] == wanted
    assert taken(asked, "warm_start.storage=sqlite:///old.db")[0] == wanted


def test_a_study_of_hpsearch_goes_by_its_own_name(asked: Path, tmp_path: Path, home: Path) -> None:
    run_study(asked, home=home, workers=0)
    other = tmp_path / "other.toml"
    text = SHORT.replace('name = "small"', 'name = "other"')
    other.write_text(
        text + f'[warm_start]\nstorage = "{home}/optuna.db"\nstudy = "small"\ntop = 1'
    )
    best = min(
        (r for r in records(home) if r.outcome == "complete"),
        key=lambda r: (-r.scores[8], r.number),
    )
    ((configuration,), _) = taken(other)
    assert configuration.items() <= best.params.items()
    assert "learning_rate" in configuration


@pytest.mark.parametrize(
    ("override", "error", "said"),
    [
        ("warm_start.study=odl", StudyFileError, "warm_start.study must be one of old, got 'odl'"),
        ("warm_start.storage=new.db", StudyFileError, "warm_start.storage must exist"),
        (
            "warm_start.storage=sqlite:///new.db",
            StudyFileError,
            "warm_start.storage must exist",
        ),
        ("warm_start.storage=small.toml", StorageError, "must be a readable Optuna storage"),
        ("warm_start.storage=env:NOT_SET", StudyFileError, "variable NOT_SET must hold the old"),
        ("space={trainer='sgd', batch_size={choices=[32]}}", StudyFileError, "searched here: bat"),
    ],
)
def test_what_can_t_be_taken_is_said_before_anything_is_made(
    asked: Path, nowhere: Path, override: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as caught:
        run_study(asked, home=nowhere, overrides=[override], workers=0)
    assert said in str(caught.value)
    assert not nowhere.exists()
    assert not (asked.parent / "new.db").exists()


def test_a_port_in_a_variable_that_is_none_is_one_line(
    asked: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLD_STUDIES", "postgresql+psycopg://me:s3cret@host:99999/old")
    with pytest.raises(HpsearchError, match="OLD_STUDIES holds, must have a port") as caught:
        run_study(asked, home=nowhere, overrides=["warm_start.storage=env:OLD_STUDIES"], workers=0)
    assert "s3cret" not in str(caught.value)


def test_of_several_studies_one_must_be_named(asked: Path, tmp_path: Path) -> None:
    old_study(f"sqlite:///{tmp_path}/old.db", "another")
    with pytest.raises(StudyFileError, match="must name one of the studies there: another, old"):
        taken(asked)
    assert taken(asked, "warm_start.study=old")[0]


def test_passwords_stay_out_of_the_file_and_of_what_is_said(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql+psycopg://me:s3cret@127.0.0.1:1/old"
    said = message(asked, f"warm_start.storage={address}")
    assert "warm_start.storage: must hold no password" in said
    assert "s3cret" not in said
    monkeypatch.setenv("OLD_STUDIES", address)
    with pytest.raises(StorageError) as caught:
        taken(asked, "warm_start.storage=env:OLD_STUDIES")
    assert "s3cret" not in str(caught.value)


def test_more_than_the_first_stage_holds_is_a_mistake(asked: Path) -> None:
    assert "warm_start.top: must be at most the 5 trials of the first stage that [[enqueue]]" in (
        message(asked, "warm_start.top=6")
    )
    assert "warm_start: must be left out where sampler.name = 'listed'" in (
        message(asked, "sampler.name=listed", "enqueue=[{trainer='adam'}]")
    )
