"""Every pruner, and what verify derives of what they pruned."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.verify import verify_study
from hpsearch.records.run_folder import RunFolder
from tests.harness.rungs import MEDIAN, OPTIONS, PARETO, at_rungs
from tests.harness.study import records, run
from tests.harness.study_files import CALM, NAMES
from tests.harness.tampering import tamper


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("percentile", "{percentile=25.0, n_startup_trials=1}"),
        ("successive-halving", "{reduction_factor=2}"),
        ("hyperband", "{reduction_factor=2}"),
        ("threshold", "{lower=0.15}"),
        ("patient", "{wrapped_pruner={name='threshold', options={lower=0.9}}, patience=0}"),
        ("wilcoxon", "{p_threshold=0.4}"),
        ("pareto", "{keep=0.6, n_startup_trials=2}"),
        ("optuna.pruners:MedianPruner", "{n_startup_trials=1}"),
    ],
)
def test_each_pruner_prunes_and_repeats(
    study_file: Path, home: Path, name: str, options: str
) -> None:
    pruner = f"pruner={{name='{name}', rungs=[1, 2, 3, 5], options={options}}}"
    stages = "stages=[{trials=14, epochs=4}, {trials=4, epochs=7}]"
    result = run(study_file, home, *CALM, stages, pruner)
    assert at_rungs(home) or name == "patient"
    assert result.counts["complete"] > 0
    found = verify_study("small", home=home, trials=0)
    assert found.problems == []
    assert found.replay.result


def test_what_decided_at_a_rung_is_held_against_the_curves(two: Path, home: Path) -> None:
    run(two, home, *PARETO)
    assert verify_study("small", home=home, trials=2).problems == []
    ended = at_rungs(home)[0]
    path = RunFolder(home / "studies/small/1").files.record("trial", ended.number, 0).json
    tamper(path, lambda known: known["values"]["1"].update({NAMES[1]: 1.0}))
    problems = verify_study("small", home=home, trials=0).problems
    assert any(f"trial {ended.number}: values" in problem for problem in problems)


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
    stored = home / "studies/small/1/study.json"
    tamper(stored, lambda known: known["file"]["pruner"].update(pruner))
    problems = verify_study("small", home=home, trials=0).problems
    assert any(said in problem for problem in problems)


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
