"""Studies with several objectives: stopped, verified, compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.verify import verify_study
from hpsearch.audit.optuna_comparison import compare_optuna
from hpsearch.errors import StudyStopped
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.samplers.history import GOALS
from hpsearch.study.opening import open_run
from hpsearch.study.storage.refill import refill_optuna
from hpsearch.study.storage.trials import open_storage, stored_trials
from hpsearch.study.stored_space import kept_arms
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.study import goals, records, run, stored, table
from tests.harness.study_files import FEW, LIMIT, NAMES


@pytest.mark.parametrize("name", ["tpe", "nsga2"])
def test_stopping_again_and_again_changes_nothing(two: Path, tmp_path: Path, name: str) -> None:
    options = [f"sampler.name={name}", "execution.slice_seconds=0.001"]
    if name == "nsga2":
        options.append("sampler.options.population_size=4")
    run(two, tmp_path / "quiet", *options)
    stores = Home(tmp_path / "stopped")
    stores.create()
    finished = None
    for patience in (25, 60, 90, 10**9):
        asked = iter(range(patience))
        opened = open_run(read_study(two, options), stores, fresh=False)
        study = Study(
            read_study(two, options),
            opened,
            stores.storage_url,
            0,
            stop=lambda asked=asked: next(asked, None) is None,  # type: ignore[misc]
        )
        try:
            study.execute()
        except StudyStopped:
            assert study.finished() is None
        else:
            finished = study.finished()
        opened.close()
    assert finished is not None
    assert table(tmp_path / "quiet") == table(tmp_path / "stopped")
    assert goals(tmp_path / "quiet") == goals(tmp_path / "stopped")
    attributes = [
        [t.user_attrs for t in stored(tmp_path / n).trials] for n in ("quiet", "stopped")
    ]
    assert attributes[0] == attributes[1]


def test_draws_scores_and_the_front_are_derived_again(two: Path, home: Path) -> None:
    run(two, home)
    verified = verify_study("small", home=home, trials=1)
    assert verified.problems == []
    assert verified.replay.result
    folder = RunFolder(home / "studies" / "small" / "1")
    record = next(r for r in folder.read_all("trial") if r.outcome == "complete")
    record.values[5][NAMES[1]] += 1
    folder.write(record)
    found = verify_study("small", home=home, trials=0).problems
    assert len(found) == 1
    assert f"trial {record.number}: values " in found[0]


def test_optuna_is_made_anew_from_the_records(two: Path, home: Path) -> None:
    run(two, home)
    stores, folder = Home(home), RunFolder(home / "studies" / "small" / "1")
    (arm,) = kept_arms(folder)
    storage, study = open_storage(stores.storage_url), stored(home)
    assert not list(
        compare_optuna(
            stored_trials(storage, study.study_name), study.study_name, "small", folder, arm
        )
    )
    before = table(home)
    record = records(home)[0]
    record.violations[2] = {LIMIT: 17.0}
    folder.write(record)
    (difference,) = compare_optuna(
        stored_trials(storage, study.study_name), study.study_name, "small", folder, arm
    )
    assert difference.subject == "small trial 0"
    assert difference.problem.startswith(f"violations must be {{2: {{'{LIMIT}': 17.0}}")
    directions = read_study(two).file.directions
    refill_optuna(storage, study.study_name, folder, arm, directions)
    assert not list(
        compare_optuna(
            stored_trials(storage, study.study_name), study.study_name, "small", folder, arm
        )
    )
    assert table(home) == before
    assert stored(home).trials[0].user_attrs[GOALS]["violations"]["2"] == {LIMIT: 17.0}


def test_arms_share_a_front_and_have_a_winner_each(two: Path, home: Path) -> None:
    result = run(two, home, "compare=['trainer']", *FEW)
    assert [arm.values["trainer"] for arm in result.arms] == ["sgd", "adam"]
    assert result.front[0].number == result.best_number
    assert result.best_number in [arm.best_number for arm in result.arms]
    again = {int(number) for number in result.confirmed}
    assert {n % 2 for n in again} == {0, 1}
    assert {member.number for member in result.front} <= again
    folder = RunFolder(home / "studies" / "small" / "1")
    means = {}
    for number in again:
        runs = [r for r in folder.read_all("confirmation") if r.number == number]
        if sum(r.violations[2][LIMIT] for r in runs) <= 0:
            rows = [[r.values[2][name] for name in NAMES] for r in runs]
            means[number] = tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))
    best = {
        number
        for number, (accuracy, steps) in means.items()
        if not any(
            a >= accuracy and s <= steps and (a, s) != (accuracy, steps) for a, s in means.values()
        )
    }
    assert {member.number for member in result.front} == best


ONE = [
    "constraints=[{metric='validation_loss', at_most=LIMIT}]",
    "space.learning_rate={low=0.001, high=1.0, log=true}",
]


def test_with_one_objective_the_infeasible_rank_last(study_file: Path, home: Path) -> None:
    result = run(study_file, home, ONE[0].replace("LIMIT", "2.2"), ONE[1])
    name = "validation_loss at most 2.2"
    trials = records(home)
    assert all(not r.values for r in trials)
    here = [r for r in trials if r.stage == 0 and 2 in r.scores]
    feasible = {r.number for r in here if r.violations[2][name] <= 0}
    went_on = {r.number for r in here if len(r.scores) > 1}
    assert 0 < len(feasible) < len(here)
    assert feasible <= went_on or went_on <= feasible
    assert (result.front, result.unmet) == ([], [])
    trial = stored(home).trials[result.best_number]
    assert trial.constraints[name] <= 0
    assert verify_study("small", home=home, trials=0).problems == []


def test_a_winner_that_misses_what_all_miss_says_so(study_file: Path, home: Path) -> None:
    result = run(study_file, home, ONE[0].replace("LIMIT", "0.001"), ONE[1], *FEW)
    (missed,) = result.unmet
    assert missed.startswith("validation_loss at most 0.001 (by ")
    # Without anything feasible, who misses least wins: the least loss, not the best accuracy.
    lengths = [r for r in records(home) if 2 in r.scores]
    order = sorted(lengths, key=lambda r: r.violations[2]["validation_loss at most 0.001"])
    assert {int(n) for n in result.confirmed} == {r.number for r in order[:2]}
