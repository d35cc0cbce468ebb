"""Rungs: who is pruned repeats with any workers and restarts, by any of Optuna's pruners."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import optuna
import pytest

from hpsearch import verify_study
from hpsearch.errors import StudyFailed
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from tests.harness.rungs import OPTIONS
from tests.harness.study import records, run, stored
from tests.harness.study_files import CALM
from tests.harness.study_mistakes import message
from tests.harness.tampering import tamper


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


def test_the_words_of_older_records_are_known(study_file: Path, home: Path) -> None:
    early = "pruner={name='median', rungs=[1], options={n_startup_trials=2, n_warmup_steps=0}}"
    run(study_file, home, *CALM, "stages=[{trials=8, epochs=2}]", "sampler.batch=2", early)
    pruned = [record for record in records(home) if record.reason]
    assert pruned[0].reason == "pruned after 1 epoch by the median pruner"
    path = RunFolder(home / "studies/small/1").files.record("trial", pruned[0].number, 0).json
    for reason, equal in (("pruned after 1 epochs by the median pruner", True), ("tired", False)):
        tamper(path, partial(dict.update, reason=reason))
        assert verify_study("small", home=home, trials=0).equal == equal


def test_optuna_is_told_of_rungs(study_file: Path, home: Path) -> None:
    run(study_file, home, *OPTIONS)
    for trial, record in zip(stored(home).trials, records(home), strict=True):
        assert trial.intermediate_values == record.reported
        if record.reason:
            assert trial.state == optuna.trial.TrialState.PRUNED
            assert trial.value == record.reported[len(record.epochs)]


def test_a_pruner_that_leaves_nobody_is_said(study_file: Path, home: Path) -> None:
    strict = "pruner={name='threshold', rungs=[1], options={lower=2.0}}"
    with pytest.raises(StudyFailed, match=r"were pruned at rungs: have \[pruner\] prune fewer"):
        run(study_file, home, *CALM, "stages=[{trials=4, epochs=2}]", strict)


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
