"""Rungs: who is pruned repeats with any workers and restarts, by any of Optuna's pruners."""

from __future__ import annotations

import json
from pathlib import Path

import optuna
import pytest

from hpsearch.api.verify import verify_study
from hpsearch.errors import StudyFailed, StudyStopped
from hpsearch.records.home import Home
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.search.test_budget import CALM
from tests.search.test_kill_resume import stored, table
from tests.search.test_reading import message
from tests.search.test_study import records, run

STAGES = "stages=[{trials=10, epochs=4}, {trials=6, epochs=12, controls=2}]"
MEDIAN = "pruner={name='median', rungs=[2, 6, 9], options={n_startup_trials=2}}"
OPTIONS = [*CALM, STAGES, MEDIAN]


def at_rungs(home: Path) -> list[TrialRecord]:
    """The trials that a pruner ended."""
    return [r for r in records(home) if r.outcome == "pruned" and r.reason]


def stopped_after(study_file: Path, home: Path, questions: int, options: list[str]) -> bool:
    """Run until `stop` was asked so often; whether the study was not over before."""
    stores, asked = Home(home), 0
    stores.create()

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > questions

    read = read_study(study_file, options)
    opened = open_run(read, stores, fresh=False)
    try:
        Study(read, opened, stores.storage_url, 0, stop=stop).execute()
        return False
    except StudyStopped:
        return True
    finally:
        opened.close()


def test_the_table_is_the_same_with_any_workers_and_stops(
    study_file: Path, tmp_path: Path
) -> None:
    homes = [tmp_path / name for name in ("inline", "two", "stopped")]
    run(study_file, homes[0], *OPTIONS)
    run(study_file, homes[1], *OPTIONS, workers=2)
    sliced, stops = [*OPTIONS, "execution.slice_seconds=0.001"], 0
    while stopped_after(study_file, homes[2], 12 + 14 * stops, sliced):
        stops += 1
    assert stops >= 3
    tables = [table(home) for home in homes]
    assert tables[0] == tables[1] == tables[2]
    assert [r.reason for r in records(homes[0])] == [r.reason for r in records(homes[2])]
    assert [r.rungs for r in records(homes[0])] == [r.rungs for r in records(homes[2])]
    assert {len(r.epochs) for r in at_rungs(homes[0])} <= {2, 6, 9}
    assert at_rungs(homes[0])
    assert all(record.stage == 0 for record in records(homes[0]) if record.controls)
    assert sum(bool(record.controls) for record in records(homes[0])) == 2


def test_the_pruned_ended_at_a_rung_below_the_median_of_those_before(
    study_file: Path, home: Path
) -> None:
    run(study_file, home, *OPTIONS, "sampler.batch=3")
    trials = {r.number: r for r in records(home)}
    first = [r for r in trials.values() if r.stage == 0]
    done: list[TrialRecord] = []
    for start in range(0, len(first), 3):
        batch = first[start : start + 3]
        for record in batch:
            passed = [r.rungs[2] for r in done]
            median = sorted(passed)[(len(passed) - 1) // 2] if passed else 0
            upper = sorted(passed)[len(passed) // 2] if passed else 0
            below = len(done) >= 2 and record.rungs[2] < (median + upper) / 2
            assert (record.reason != "") == below
        done += [r for r in batch if not r.reason]
    pruned = [r for r in first if r.reason]
    assert pruned
    for record in pruned:
        assert record.reason == "pruned after 2 epochs by the median pruner"
        assert all(member.epoch == 2 for member in record.members)
        assert (record.scores, record.sealed) == ({}, True)


def test_optuna_is_told_of_rungs(study_file: Path, home: Path) -> None:
    run(study_file, home, *OPTIONS)
    for trial, record in zip(stored(home).trials, records(home), strict=True):
        assert trial.intermediate_values == record.reported
        if record.reason:
            assert trial.state == optuna.trial.TrialState.PRUNED
            assert trial.value == record.reported[len(record.epochs)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("percentile", "{percentile=25.0, n_startup_trials=1}"),
        ("successive-halving", "{reduction_factor=2}"),
        ("hyperband", "{reduction_factor=2}"),
        ("threshold", "{lower=0.15}"),
        ("patient", "{wrapped_pruner={name='threshold', options={lower=0.9}}, patience=0}"),
        ("wilcoxon", "{p_threshold=0.4}"),
        ("optuna.pruners:MedianPruner", "{n_startup_trials=1}"),
    ],
)
def test_each_pruner_prunes_and_repeats(
    study_file: Path, home: Path, name: str, options: str
) -> None:
    pruner = f"pruner={{name='{name}', rungs=[1, 2, 3, 5], options={options}}}"
    stages = "stages=[{trials=10, epochs=4}, {trials=4, epochs=7}]"
    result = run(study_file, home, *CALM, stages, pruner)
    assert at_rungs(home) or name == "patient"
    assert result.counts["complete"] > 0
    found = verify_study("small", home=home, trials=0)
    assert found.problems == []
    assert found.replay.result


def test_verify_derives_the_pruned_and_trains_them_again(study_file: Path, home: Path) -> None:
    run(study_file, home, *OPTIONS)
    found = verify_study("small", home=home, trials=30)
    assert found.problems == []
    pruned = {r.number for r in at_rungs(home)}
    states = {one.trial: one.states for one in found.again}
    assert all(states[number] == 3 for number in pruned)


@pytest.mark.parametrize(
    ("pruner", "said"),
    [
        (
            {"name": "threshold", "options": {"lower": -1.0}},
            "by the median pruner recorded",
        ),
        ({"name": "threshold", "options": {"lower": 2.0}}, "by the threshold pruner derived"),
    ],
)
def test_other_decisions_than_the_pruners_are_found(
    study_file: Path, home: Path, pruner: dict[str, object], said: str
) -> None:
    run(study_file, home, *OPTIONS)
    path = home / "studies/small/1/study.json"
    known = json.loads(path.read_text())
    known["file"]["pruner"] |= pruner
    path.write_text(json.dumps(known))
    problems = verify_study("small", home=home, trials=0).problems
    assert any(said in problem for problem in problems)


def test_a_pruner_that_leaves_nobody_is_said(study_file: Path, home: Path) -> None:
    strict = "pruner={name='threshold', rungs=[1], options={lower=2.0}}"
    with pytest.raises(StudyFailed, match=r"were pruned at rungs: have \[pruner\] prune fewer"):
        run(study_file, home, *CALM, "stages=[{trials=4, epochs=2}]", strict)


def test_arms_are_pruned_apart_and_have_controls_of_their_own(
    study_file: Path, home: Path
) -> None:
    small = "stages=[{trials=6, epochs=3}, {trials=2, epochs=7, controls=1}]"
    options = [small, "compare=['trainer']", "confirmation.top=1", "budget.epochs=120"]
    result = run(study_file, home, *CALM, MEDIAN.replace("6, 9", "5"), *options)
    found = verify_study("small", home=home, trials=0)
    assert (found.problems, found.replay.result) == ([], True)
    trials = records(home)
    assert {r.number % 3 for r in trials if r.controls} == {0, 1, 2}
    assert [one["arm"] for one in result.fidelity] == [
        f"trainer={a.values['trainer']}" for a in result.arms
    ]
    for arm in range(3):
        members = [m for r in trials if r.number % 3 == arm for m in r.members]
        assert sum(member.epoch for member in members) <= 120
    assert at_rungs(home)


def test_controls_are_not_pruned(study_file: Path, home: Path) -> None:
    strict = "pruner={name='threshold', rungs=[6], options={lower=2.0}}"
    last = "stages=[{trials=6, epochs=4}, {trials=2, epochs=8, controls=2}]"
    result = run(study_file, home, *CALM, last, strict, "confirmation.top=1")
    assert result.counts == {"complete": 2, "pruned": 5}
    assert all(record.controls for record in records(home) if record.outcome == "complete")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("pruner={name='medium', rungs=[1]}", "pruner.name: must be one of"),
        ("pruner={name='median'}", "pruner.rungs: is missing"),
        ("pruner={name='median', rungs=[3, 3]}", "pruner.rungs: must rise, got [3, 3]"),
        ("pruner={name='median', rungs=[8]}", "pruner.rungs: must be below the 8 epochs"),
        ("pruner={name='median', rungs=[0]}", "pruner.rungs.0: must be greater than or equal"),
        ("pruner={name='percentile', rungs=[1]}", "pruner.options: must be arguments"),
        (
            "pruner={name='patient', rungs=[1], options={wrapped_pruner=3, patience=1}}",
            "pruner.options: must have a name as wrapped_pruner",
        ),
        ("pruner={name='nowhere:Pruner', rungs=[1]}", "pruner.name: must be importable"),
        ("pruner={name='optuna.samplers:TPESampler', rungs=[1]}", "pruner.name: must be a class"),
        ("stages.0.controls=1", "stages.0.controls: must be 0"),
        ("stages.1.controls=11", "stages.1.controls: must be at most the 10 trials"),
    ],
)
def test_what_is_wrong_is_said(study_file: Path, override: str, said: str) -> None:
    assert said in message(study_file, override)
