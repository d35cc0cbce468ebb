"""A study from its file to its result, with real stores."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import pytest
from optuna.distributions import FloatDistribution

from hpsearch.analysis.estimates import estimate
from hpsearch.datasets.base import Examples
from hpsearch.datasets.selection import open_pool
from hpsearch.errors import StudyChangedError, StudyFailed, StudyFileError
from hpsearch.execution.executors import InlineExecutor
from hpsearch.records.layout import KINDS, Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.stages import promoted
from hpsearch.study.storage.trials import TrialStore, open_storage
from hpsearch.studyfile.reading import read_study
from tests.harness.study import grid_file, records, run, stored
from tests.harness.study_files import ALONE, SMALL


class Ran(NamedTuple):
    """A study that was run once for several tests: its home, to be read only, and its result."""

    home: Path
    result: Result


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The small study."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.toml").write_text(SMALL)
    return Ran(folder / "home", run(folder / "small.toml", folder / "home"))


@pytest.fixture(scope="module")
def by_best_epoch(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The small study, scored by the best epoch."""
    folder = tmp_path_factory.mktemp("best")
    (folder / "small.toml").write_text(SMALL)
    result = run(folder / "small.toml", folder / "home", "objective.best_epoch=true")
    return Ran(folder / "home", result)


@pytest.fixture
def copied(small: Ran, tmp_path: Path) -> Ran:
    """The small study with a home of its own, to go on in."""
    home = tmp_path / "copied"
    shutil.copytree(small.home, home)
    folder = small.result.folder.replace(str(small.home), str(home))
    return Ran(home, replace(small.result, folder=folder))


def test_stages_hold_what_the_file_says(small: Ran) -> None:
    result, trials = small.result, records(small.home)
    # 14 new, then 8 of which 4 are promoted, then 6 of which 3 are promoted.
    assert [r.number for r in trials] == list(range(14 + 4 + 3))
    assert [sum(r.stage == stage for r in trials) for stage in range(3)] == [14, 4, 3]
    reached = [sum(epochs in r.scores for r in trials) for epochs in (2, 4, 8)]
    diverged = sum(r.outcome == "diverged" for r in trials)
    assert reached[2] == result.counts["complete"]
    assert sum(result.counts.values()) == len(trials)
    assert reached[0] + diverged >= len(trials)
    assert len(result.confirmed) == 2
    assert len(result.validation.values) == 3
    score = result.test_score
    assert score is not None
    assert len(score.values) == 2
    assert result.test_uses == 1


def test_a_grid_runs_every_combination_once(study_file: Path, home: Path) -> None:
    options = ["sampler.name=grid", "stages=[{trials=16, epochs=2}]"]
    run(grid_file(study_file), home, *options)
    names = ("trainer", "learning_rate", "batch_size", "momentum")
    cells: list[tuple[Any, ...]] = [
        tuple(r.params.get(name) for name in names) for r in records(home)
    ]
    plain: list[tuple[Any, ...]] = [
        ("sgd", rate, size, None) for rate in (0.1, 0.01) for size in (5, 10)
    ]
    moved: list[tuple[Any, ...]] = [
        ("momentum", rate, size, momentum)
        for rate in (0.1, 0.01)
        for momentum in (0.5, 0.7, 0.9)
        for size in (5, 10)
    ]
    assert sorted(cells, key=repr) == sorted(plain + moved, key=repr)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("stages=[{trials=15, epochs=2}]", "stages.0.trials: must be 16, the cells of the grid"),
        ("stages.0.epochs=2", "stages: must be only one if the sampler is a grid, got 3"),
        ("space.learning_rate={low=0.1, high=1.0}", "space.learning_rate: must have choices"),
        (
            "space.learning_rate={low=0.1, high=1.0, step=1e-9}",
            "space.learning_rate: must leave at most 1000000 combinations in a grid, got more",
        ),
    ],
)
def test_a_grid_that_is_none_is_refused(study_file: Path, override: str, said: str) -> None:
    with pytest.raises(StudyFileError, match=re.escape(said)):
        read_study(grid_file(study_file), ["sampler.name=grid", override])


def test_a_refit_that_fails_is_said(tmp_path: Path, home: Path) -> None:
    (tmp_path / "picky.py").write_text(
        "def train(params, data, seed):\n"
        "    assert len(data.y_validation) < 100, 'too many images'\n"
        "    while True:\n"
        "        yield {'validation_accuracy': 0.5}\n"
    )
    path = tmp_path / "own.toml"
    path.write_text(ALONE.replace("TRAINER", "picky:train"))
    result = run(path, home)
    assert result.test == {}
    assert "refit failed: AssertionError: too many images" in result.untested


LUCK = """
import json, math, pathlib
def train(params, data, seed):
    seen = pathlib.Path(__file__).with_name("seen.json")
    x = params["x"]
    before = json.loads(seen.read_text()) if seen.exists() else []
    seen.write_text(json.dumps([*before, x]))
    lucky = x < max(before, default=0.0) or before.count(x) not in UNLUCKY  # of the best
    while True:
        yield {"validation_accuracy": x if lucky else math.nan}
"""


@pytest.mark.parametrize("unlucky", [range(1, 99), [2]])
def test_a_trial_that_diverges_on_a_fresh_seed_is_no_winner_and_is_said(
    tmp_path: Path, home: Path, unlucky: Sequence[int]
) -> None:
    (tmp_path / "luck.py").write_text(f"UNLUCKY = {[*unlucky]}\n{LUCK}")
    path = tmp_path / "small.toml"
    path.write_text(SMALL.split("[network]")[0] + OWN.replace("MODULE:train", "luck:train"))
    result = run(path, home, "data.split={kind='hold-out'}", "confirmation.top=3")
    best, second, third, *others = result.top
    assert (best["not_confirmed"], best["confirmed"]) == ("diverged", None)
    assert (second["not_confirmed"], third["not_confirmed"]) == ("", "")
    assert result.best_number == second["number"] != best["number"]
    assert {entry["not_confirmed"] for entry in others} == {""}


def test_no_two_trainings_share_a_seed_but_pairs(small: Ran) -> None:
    """Those of a trial are its own; a repeat has the same ones whatever the configuration."""
    folder = RunFolder(small.home / "studies/small/1")
    keys = {
        (kind, record.number, record.seed_number): [m.entropy for m in record.members]
        for kind in KINDS
        for record in folder.read_all(kind)
    }
    assert {kind for kind, _, _ in keys} == {"trial", "confirmation", "test"}
    by_pair: dict[tuple[Any, ...], list[Any]] = {}
    for (kind, number, repeat), entropies in keys.items():
        tests = kind in ("test", "default-test")
        pair = (number,) if kind == "trial" else (tests, repeat)
        assert by_pair.setdefault(("trial" if kind == "trial" else "again", pair), entropies) == (
            entropies
        )
    every = [key for entropies in by_pair.values() for key in entropies]
    assert len(set(every)) == len(every)


def test_a_param_that_optuna_lost_is_restored_from_the_record(
    study_file: Path, copied: Ran
) -> None:
    home = copied.home
    with sqlite3.connect(home / "optuna.db") as database:
        lost = "delete from trial_params where trial_id = 2 and param_name = 'learning_rate'"
        assert database.execute(lost).rowcount == 1
    run(study_file, home, "stages.2.trials=8")
    for trial, record in zip(stored(home).trials, records(home), strict=True):
        assert trial.params["learning_rate"] == pytest.approx(record.params["learning_rate"])


def test_a_failed_trial_keeps_no_value_in_optuna(tmp_path: Path, home: Path) -> None:
    path = own_study(tmp_path, "later", 0.6)
    module = tmp_path / "later.py"
    late = module.read_text().replace('params["x"] > 0.6', 'params["x"] < 0.4 and epoch > 3')
    module.write_text(late)
    run(path, home, "stages=[{trials=8, epochs=2}, {trials=6, epochs=6, promote=0.5}]")
    failed = [r for r in records(home) if r.outcome is Outcome.FAILED]
    trials = stored(home).trials
    for record in failed:
        assert trials[record.number].values is None
    assert any(trials[record.number].intermediate_values for record in failed)  # of a stage before


def test_optuna_holds_every_trial_with_its_scores_and_state(small: Ran) -> None:
    for trial, record in zip(stored(small.home).trials, records(small.home), strict=True):
        assert trial.number == record.number
        assert trial.intermediate_values == {int(e): s for e, s in record.scores.items()}
        states = {"complete": "COMPLETE", "pruned": "PRUNED", "diverged": "PRUNED"}
        assert trial.state.name == states[record.outcome]
        assert all(record.params[name] == value for name, value in trial.params.items())


def test_data_that_changed_is_refused_on_resume(
    study_file: Path, copied: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Examples, "digest", lambda self: "another")
    with pytest.raises(StudyChangedError, match=r"other data \(digest"):
        run(study_file, copied.home, "stages.2.trials=8")


def test_runs_before_this_one_count_as_uses_of_the_test_set(study_file: Path, home: Path) -> None:
    short = "stages=[{trials=4, epochs=2}]"
    assert [run(study_file, home, short, fresh=True).test_uses for _ in range(3)] == [1, 2, 3]


def test_diverged_trials_are_an_outcome_of_their_own(small: Ran) -> None:
    assert small.result.counts["diverged"] > 0
    bad = [r for r in records(small.home) if r.outcome == "diverged"]
    assert all("loss not finite after epoch" in r.reason for r in bad)
    assert all(value == value for r in bad for m in r.members for value in m.history["train_loss"])


def test_validation_rows_are_never_trained_on(study_file: Path) -> None:
    pool = open_pool(read_study(study_file).file.selection())
    assert len(pool.splits) == 3
    for train, validation in pool.splits:
        assert not set(train) & set(validation)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("space.learning_rate.high=10", "+space.learning_rate.high = 10"),
        ("seed=8", "-seed = 7"),
        ("sampler.name=random", '+sampler.name = "random"'),
        ("sampler.options.n_startup=3", "+sampler.options.n_startup = 3"),
        ("stages.2.epochs=9", "+stages.2.epochs = 9"),
        ("stages.2.trials=4", "must not shrink"),
        ("stages.0.trials=20", "raise stages.2.trials instead"),
    ],
)
def test_other_changes_are_refused_with_a_diff_and_ways_out(
    study_file: Path, copied: Ran, override: str, line: str
) -> None:
    with pytest.raises(StudyChangedError) as caught:
        run(study_file, copied.home, override)
    assert line in str(caught.value)
    assert "--fresh" in str(caught.value)
    assert 'name = "small-2"' in str(caught.value)
    assert caught.value.exit_code == 2


def test_other_workers_and_slices_are_no_change(study_file: Path, copied: Ran) -> None:
    options = ("execution.workers=3", "execution.slice_seconds=1.0")
    assert run(study_file, copied.home, *options) == copied.result


def test_fresh_starts_a_new_run_and_deletes_nothing(study_file: Path, copied: Ran) -> None:
    home, first = copied
    second = run(study_file, home, "seed=8", fresh=True)
    assert second.study == "small/2"
    assert first.study == "small"
    assert (home / "studies/small/1/artifacts/result.json").exists()
    assert len(optuna.get_all_study_names(Home(home).storage_url)) == 2


FUNCTION = """
def train(params, data, seed):
    for epoch in range(1, 9):
        if params["x"] > {limit}:
            raise RuntimeError("x is too large")
        yield {{"validation_accuracy": 1 - params["x"] + epoch / 100}}
"""
OWN = """
[space]
trainer = "MODULE:train"
x = { low = 0.0, high = 1.0 }
[[stages]]
trials = 12
epochs = 4
"""


def own_study(folder: Path, module: str, limit: float) -> Path:
    (folder / f"{module}.py").write_text(FUNCTION.format(limit=limit))
    path = folder / "small.toml"
    path.write_text(SMALL.split("[network]")[0] + OWN.replace("MODULE", module))
    return path


def test_a_failed_trial_is_recorded_and_the_study_goes_on(tmp_path: Path, home: Path) -> None:
    result = run(own_study(tmp_path, "sometimes", 0.6), home)
    assert result.counts["failed"] > 0
    assert result.counts["complete"] > 0
    failed = [r for r in records(home) if r.outcome == "failed"]
    assert all("RuntimeError: x is too large" in r.reason for r in failed)


def test_a_batch_that_fails_whole_ends_the_study_with_the_reason(
    tmp_path: Path, home: Path
) -> None:
    with pytest.raises(StudyFailed, match="x is too large"):
        run(own_study(tmp_path, "never", -1), home)


def test_one_failure_in_a_batch_of_one_does_not_end_the_study(tmp_path: Path, home: Path) -> None:
    result = run(own_study(tmp_path, "alone", 0.6), home, "sampler.batch=1")
    assert result.counts["failed"] > 0
    assert result.counts["complete"] > 0


def test_the_best_epoch_is_labelled_optimistic(by_best_epoch: Ran) -> None:
    assert by_best_epoch.result.optimistic == "scored by the best epoch"


def test_a_missing_objective_metric_is_said(tmp_path: Path, home: Path) -> None:
    with pytest.raises(StudyFailed, match=r"objective.metric 'validation_f1', got validation_acc"):
        run(own_study(tmp_path, "other", 2), home, "objective.metric=validation_f1")


def test_promotion_takes_the_best_and_the_earlier_of_equals() -> None:
    scores = [0.5, 0.9, 0.7, 0.9, 0.1]
    paused = [
        TrialRecord(
            "u", "trial", n, {}, [MemberRecord(0, SeedKey(0, n, 0, 0))], {}, scores={3: score}
        )
        for n, score in enumerate(scores)
    ]
    for record in paused:
        record.outcome = Outcome.PAUSED
    assert promoted(paused, 3, 3, ["maximize"]) == [1, 3, 2]
    assert promoted(paused, 3, 2, ["minimize"]) == [4, 0]
    paused[1].outcome = Outcome.DIVERGED
    assert promoted(paused, 3, 1, ["maximize"]) == [3]


def test_the_interval_is_students() -> None:
    # scipy-free check: t(0.975, 4) = 2.776445 (printed tables), sd of 1..5 = 1.5811388.
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.mean == 3
    assert found.high is not None
    assert found.high - 3 == pytest.approx(2.776445 * 1.5811388 / 5**0.5, rel=1e-6)


def test_best_epoch_scores_by_the_best_and_refits_for_its_epochs(by_best_epoch: Ran) -> None:
    home = by_best_epoch.home
    folder = RunFolder(home / "studies/small/1")
    for record in records(home):
        for epochs, score in record.scores.items():
            best = [max(m.history["validation_accuracy"][: int(epochs)]) for m in record.members]
            assert score == pytest.approx(sum(best) / len(best))
    (test, *_) = folder.read_all("test")
    winner = next(r for r in records(home) if r.number == test.number)
    peaks = [m.history["validation_accuracy"] for m in winner.members]
    assert test.members[0].epoch == round(sum(h.index(max(h)) + 1 for h in peaks) / len(peaks))


def test_a_trial_asked_for_before_a_restart_is_found_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    first = TrialStore(open_storage(url), "s", ["maximize"])
    value = first.trial(0).suggest_float("x", 0, 1)
    second = TrialStore(open_storage(url), "s", ["maximize"])
    assert second.trial(0).suggest_float("x", 0, 1) == value
    second.report(0, {3: 0.5})
    second.report(0, {3: 0.5, 9: 0.6})
    second.finish(0, "complete", {2: 0.6})
    second.finish(0, "complete", {2: 0.6})
    (trial,) = second.study.trials
    assert trial.intermediate_values == {3: 0.5, 9: 0.6}
    assert trial.value == 0.6


def test_the_inline_executor_hands_exceptions_on() -> None:
    future = InlineExecutor().submit(int, "x")
    assert isinstance(future.exception(), ValueError)


def test_a_new_trial_is_stored_with_its_params_in_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    store = TrialStore(open_storage(url), "s", ["maximize"])
    known = {name: FloatDistribution(0, 1) for name in "zxy"}
    monkeypatch.delattr("optuna.storages._CachedStorage.set_trial_param")
    store.restore(0, {"x": 0.25, "y": 0.75, "z": 1.5}, known)  # of a wider range, once
    assert store.trial(0).suggest_float("x", 0, 1) == 0.25
    (trial,) = TrialStore(open_storage(url), "s", ["maximize"]).study.trials
    assert [*trial.params.items()] == [("z", 1.5), ("x", 0.25), ("y", 0.75)]
    assert trial.distributions == known
    assert trial.state.name == "RUNNING"
    assert trial.datetime_start is not None


def test_a_trial_that_was_asked_for_gets_the_params_that_its_record_has(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    TrialStore(open_storage(url), "s", ["maximize"]).trial(0)  # and no parameter drawn
    known = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
    TrialStore(open_storage(url), "s", ["maximize"]).restore(0, {"x": 0.25}, known)
    again = TrialStore(open_storage(url), "s", ["maximize"])
    again.restore(0, {"x": 0.25, "y": 0.75}, known)
    assert again.study.trials[0].params == {"x": 0.25, "y": 0.75}
