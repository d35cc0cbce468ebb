"""Comparisons: every combination gets a search, a budget and a test of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.answer import Answer
from hpsearch.reports.parent import write_parent
from hpsearch.reports.study_view import StudyView
from hpsearch.study.opening import open_run
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run

ARMS = """
name = "arms"
compare = ["trainer", "shots"]
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
split = { kind = "k-fold", folds = 2 }
[network]
name = "two-layer"
hidden = 10
[space]
shots = { choices = [2, 4] }
trainer = { choices = ["sgd", "adam"] }
learning_rate = { low = 1e-3, high = 1.0, log = true }
[[stages]]
trials = 4
epochs = 2
[[stages]]
trials = 2
epochs = 4
[confirmation]
top = 1
seeds = 2
test_seeds = 2
"""
PAPER = """
name = "paper"
protocol = "paper"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 2
split = { kind = "fixed", validation = [1000, 1100] }
[network]
name = "two-layer"
[space]
trainer = "sgd"
learning_rate = 0.1
hidden = { choices = [5, 10] }
[sampler]
name = "grid"
[[stages]]
trials = 2
epochs = 3
[confirmation]
top = 1
seeds = 2
test_seeds = 2
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "arms.toml"
    path.write_text(ARMS)
    return path


def records(home: Path, name: str) -> RunFolder:
    return RunFolder(home / "studies" / name / "1")


def test_every_combination_has_its_own_trials_winner_and_test(
    written: Path, tmp_path: Path
) -> None:
    result = run(written, tmp_path / "home")
    arms = [(arm.values["trainer"], arm.values["shots"]) for arm in result.arms]
    assert arms == [("sgd", 2), ("sgd", 4), ("adam", 2), ("adam", 4)]
    trials = list(records(tmp_path / "home", "arms").read_all("trial"))
    for index, (trainer, shots) in enumerate(arms):
        mine = [t for t in trials if t.number % 4 == index]
        # Four in the first stage, one of the two of the second is promoted.
        assert len(mine) == 5
        assert {(t.params["trainer"], t.params["shots"]) for t in mine} == {(trainer, shots)}
        assert result.arms[index].best_number in {t.number for t in mine}
        assert len(result.arms[index].test["test_accuracy"].values) == 2
    # Each number of shots is a data set of its own, and the trainers of one see the same.
    assert len({t.digests["data"] for t in trials}) == 2
    assert result.test_uses == 4 + 4  # winners and defaults
    best = max(result.arms, key=lambda arm: arm.validation.mean if arm.validation else 0)
    assert (result.best_number, result.validation) == (best.best_number, best.validation)


def test_an_arm_without_a_result_leaves_the_others_theirs(written: Path, tmp_path: Path) -> None:
    text = ARMS.replace('"sgd", "adam"', '"sgd", "proposal-search"')
    low = 'learning_rate = { low = 1e30, high = 1e35, log = true, when = { trainer = "sgd" } }'
    written.write_text(text.replace("learning_rate = { low = 1e-3, high = 1.0, log = true }", low))
    result = run(written, tmp_path / "home")
    failed = [arm for arm in result.arms if arm.best_number is None]
    assert [arm.values["trainer"] for arm in failed] == ["sgd", "sgd"]
    assert all("must reach the last stage with a score" in arm.failure for arm in failed)
    assert result.best_params["trainer"] == "proposal-search"


def test_more_trials_in_the_last_stage_keep_the_numbers(written: Path, tmp_path: Path) -> None:
    run(written, tmp_path / "home")
    before = [t.to_json() for t in records(tmp_path / "home", "arms").read_all("trial")]
    run(written, tmp_path / "home", "stages.1.trials=3")
    after = [t.to_json() for t in records(tmp_path / "home", "arms").read_all("trial")]
    assert len(after) == len(before) + 4
    assert set(before) <= set(after)


def test_seeds_are_members_and_confirmed_on_others(written: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(written, home, "evaluation.seeds=2", "compare=['shots']", "space.trainer=sgd")
    folder = records(home, "arms")
    first = next(folder.read_all("trial"))
    assert [(m.split, m.entropy.repeat) for m in first.members] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    again = {m.entropy.repeat for r in folder.read_all("confirmation") for m in r.members}
    assert again == {2, 3, 4, 5}


def test_the_papers_protocol_scores_the_test_set_after_every_epoch(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_text(PAPER)
    read = read_study(path)
    assert read.file.data is not None
    assert read.file.data.draw == "first"
    assert read.file.objective.best_epoch
    assert (read.space.fixed["dtype"], read.space.fixed["random_streams"]) == ("float64", "legacy")
    assert "best of all epochs on the test set" in str(read.file.optimistic())
    result = run(path, tmp_path / "home")
    folder = records(tmp_path / "home", "paper")
    for trial in folder.read_all("trial"):
        (member,) = trial.members
        assert len(member.history["test_accuracy"]) == 3
        assert trial.scores[3] == max(member.history["validation_accuracy"])
    for again in folder.read_all("confirmation"):
        assert "test_accuracy" not in again.members[0].history
    assert result.test_uses == 3  # of all trials, the winner among them, and the defaults
    told = dict(Answer.of(StudyView.of(folder, result)).told)
    assert told["test set"] == "used for 3 configurations, after every epoch of the search"
    opened = open_run(read, Home(tmp_path / "home"), fresh=False)
    write_parent(read, opened, result)
    opened.close()
    note = folder.read_json(folder.files.parent)["tags"]["mlflow.note.content"]
    assert "**Test set, used for 3 configurations, after every epoch of the search:**" in note


@pytest.mark.parametrize(
    ("text", "override", "mistake"),
    [
        (ARMS, "compare=['learning_rate']", "compare.0: must name a parameter of [space] with"),
        (ARMS, "compare=['shots','shots']", "compare.1: must not be repeated, got 'shots' again"),
        (ARMS, "compare=['trainer']", "space.shots: must be compared"),
        (ARMS, "data.shots=3", "data.shots: must be left out where [space] has it"),
        (ARMS, "space.shots=3", "space.shots: must be { choices = [1, 3, 5] }"),
        (ARMS, "space.shots.choices=[1,2]", "space.shots.choices: must be at least 2 for the"),
        (PAPER, "objective.best_epoch=false", "objective.best_epoch: must be true under protocol"),
        (PAPER, "space.dtype=float32", 'space.dtype: must be "float64" under protocol = "paper"'),
        (PAPER, "data.split.kind=k-fold", 'data.split: must be of kind "fixed" under protocol'),
    ],
)
def test_mistakes_are_named(text: str, override: str, mistake: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(StudyFileError) as raised:
        read_study(path, [override])
    assert mistake in str(raised.value)


def test_looks_at_the_test_set_are_counted_under_any_protocol(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_text(PAPER)
    assert run(path, tmp_path / "home").test_uses == 3
    path.write_text(PAPER.replace('protocol = "paper"\n', ""))
    result = run(path, tmp_path / "home", fresh=True)
    assert result.test_uses == 5
    folder = RunFolder(tmp_path / "home" / "studies" / "paper" / "2")
    told = dict(Answer.of(StudyView.of(folder, result)).told)
    assert told["test set"] == "used for 5 configurations, after the search"


def test_compared_shots_with_other_images_for_validation_are_optimistic(tmp_path: Path) -> None:
    path = tmp_path / "arms.toml"
    fixed = '{ kind = "fixed", validation = [1000, 1100] }'
    path.write_text(ARMS.replace('{ kind = "k-fold", folds = 2 }', fixed))
    assert "labelled images beyond the shots" in str(read_study(path).file.optimistic())
