"""Trials that are stopped before their other folds, as they are behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.study import StudyDirection

from hpsearch import reproduce_trial, study_methods, verify_study
from hpsearch.api.plan import plan_study
from hpsearch.api.support.trials import study_trials
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import observe
from hpsearch.study.events import Event
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from hpsearch.tracking.run_content import changing_tags, points
from tests.harness.interrupts import interrupt
from tests.harness.study import records, run, stored, table
from tests.harness.study_files import LITTLE_TESTED
from tests.harness.tampering import tamper

SVC = """\
name = "small"
seed = 5
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 12
split = { kind = "k-fold", folds = 4, folds_as_needed = true }
[space]
trainer = "sklearn.svm.SVC"
C = { low = 1e-2, high = 1e3, log = true }
gamma = { low = 1e-5, high = 10.0, log = true }
[[stages]]
trials = 20
epochs = 1
"""
NETWORK = """\
name = "small"
seed = 5
objective = { metric = "validation_loss", direction = "minimize" }
[data]
name = "digits"
shots = 8
split = { kind = "k-fold", folds = 4, folds_as_needed = true }
[network]
name = "two-layer"
hidden = 8
[space]
trainer = "adam"
learning_rate = { low = 1e-4, high = 0.3, log = true }
[[stages]]
trials = 12
epochs = 2
[[stages]]
trials = 8
epochs = 8
controls = 1
"""
FILES = {"svc": SVC, "network": NETWORK, "rows": SVC}
FILES["rows"] = SVC.replace("trials = 20\nepochs = 1", "trials = 10\nepochs = 1\nrows = 40")
FILES["rows"] += "[[stages]]\ntrials = 10\nepochs = 1\ncontrols = 1\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "small.toml"
    path.write_text(text + LITTLE_TESTED)
    return path


@pytest.fixture(params=FILES, scope="module")
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study."""
    folder = tmp_path_factory.mktemp(request.param)
    run(written(folder, FILES[request.param]), folder / "home")
    return folder


def stopped(home: Path) -> list[TrialRecord]:
    return [record for record in records(home) if record.folds]


def test_trials_that_are_behind_are_pruned_without_a_score(finished: Path) -> None:
    found = stopped(finished / "home")
    assert found
    lengths = read_study(finished / "small.toml").file.lengths
    for record in found:
        assert record.outcome is Outcome.PRUNED
        assert record.reason.startswith(f"pruned after {record.folds} of 4 folds, behind trial ")
        until = max(member.epoch for member in record.members)
        assert until in lengths
        assert until not in record.scores
        assert [m.epoch for m in record.trained] == [until] * record.folds
        assert all(m.epoch < until for m in record.members if m.split >= record.folds)


def test_who_is_promoted_confirmed_or_tested_has_all_folds(finished: Path) -> None:
    home = finished / "home"
    folder = RunFolder(home / "studies" / "small" / "1")
    lengths = read_study(finished / "small.toml").file.lengths
    for record in records(home):
        for length in record.scores:
            assert all(length in member.epochs for member in record.members)
        if record.outcome is Outcome.COMPLETE:
            assert record.folds == 0
            assert all(member.epoch == lengths[-1] for member in record.members)
        if record.folds:  # of a promoted one the curves before have all folds
            assert all(record.length in (0, *member.epochs) for member in record.members)
            assert all(
                member.epoch == max(record.before, record.length)
                for member in record.members[record.folds :]
            )
    again = [*folder.read_all("confirmation"), *folder.read_all("test")]
    assert all(record.outcome is Outcome.COMPLETE for record in again)
    winner = folder.read("trial", again[0].number)
    assert winner is not None
    assert winner.outcome is Outcome.COMPLETE


def test_controls_have_all_folds(finished: Path) -> None:
    found = records(finished / "home")
    lengths = read_study(finished / "small.toml").file.lengths
    controls = [record for record in found if record.controls]
    assert bool(controls) == (len(lengths) > 1)
    for record in controls:
        if record.controls[-1] == len(lengths) - 1:
            assert record.folds == 0
            assert record.outcome is Outcome.COMPLETE


def test_the_sampler_is_told_an_estimate_at_the_stage_s_end(finished: Path) -> None:
    home = finished / "home"
    trials = stored(home).trials
    for record in stopped(home):
        until = max(member.epoch for member in record.members)
        ((length, estimate),) = record.estimates.items()
        assert length == until
        assert np.isfinite(estimate)
        told = trials[record.number].intermediate_values
        assert told == {**record.scores, until: estimate}
        assert until not in record.scores


def test_an_estimate_is_ranked_as_a_score_at_its_stage_s_end(finished: Path) -> None:
    """Stages of 2 and 8 epochs: gains from one to the other are added to shorter trials alone."""
    home = finished / "home"
    study = stored(home)
    lengths = read_study(finished / "small.toml").file.lengths
    first, last = lengths[0], lengths[-1]
    by_number = {record.number: record for record in records(home)}
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    both = [r.reported for r in by_number.values() if first in r.reported and last in r.reported]
    gain = float(np.median([sign * (one[last] - one[first]) for one in both]))
    seen = {one.number: one for one in observe(study.trials, study.direction)}
    for record in stopped(home):
        (until,) = record.estimates
        shift = 0.0 if until == last else gain
        expected = sign * record.estimates[until] + shift
        assert seen[record.number].score == pytest.approx(expected)
        assert seen[record.number].curve.keys() <= {first, last}
    for record in by_number.values():
        if [*record.scores] == [first] and not record.estimates and first < last:
            expected = sign * record.scores[first] + gain
            assert seen[record.number].score == pytest.approx(expected)
    if first < last:  # one that is drawn in the second stage, too
        assert any(last in r.estimates and first not in r.scores for r in stopped(home))


@pytest.mark.parametrize("top", [1, 3])
def test_in_the_last_stage_those_that_are_confirmed_go_on(top: int, tmp_path: Path) -> None:
    run(written(tmp_path, SVC), tmp_path / "home", f"confirmation.top={top}")
    found = records(tmp_path / "home")
    behind = [record for record in found if record.folds]
    assert behind
    for record in behind:
        known = [one for one in found if one.batch < record.batch and 1 in one.scores]
        known.sort(key=lambda one: (-one.scores[1], one.number))
        assert record.reason.endswith(f", behind trial {known[top - 1].number}")


def test_verify_and_reproduce_find_it_equal(finished: Path) -> None:
    home = finished / "home"
    found = verify_study("small", trials=3, home=home)
    assert found.problems == []
    assert found.replay.draws == len(records(home))
    assert found.replay.result
    for record in stopped(home)[:4]:
        assert reproduce_trial("small", record.number, home=home).equal


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.update(reason="pruned after 1 of 4 folds, behind trial 99"), "not recorded"),
        (lambda r: r.update(estimates={"1": 0.5, "2": 0.4}), "estimates"),
        (lambda r: r.update(folds=4), "folds 4 recorded"),
    ],
)
def test_verify_finds_what_was_changed(
    finished: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    home = finished / "home"
    record = stopped(home)[0]
    folder = RunFolder(home / "studies" / "small" / "1")
    path = folder.files.record("trial", record.number).json
    content = path.read_bytes()
    try:
        tamper(path, change)
        problems = verify_study("small", trials=0, home=home).problems
    finally:
        path.write_bytes(content)
    assert said in problems[0]
    assert f"trial {record.number}" in problems[0]


def _is_at(n: int, numbers: Iterator[int], event: Event) -> bool:
    return next(numbers) == n


@pytest.mark.parametrize("kind", FILES)
def test_interrupted_anywhere_it_comes_to_the_same(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, FILES[kind])
    run(path, tmp_path / "whole")
    cut = 0
    for n_events in (4, 7, 5, 9, 7, 8):
        read, home = read_study(path), Home(tmp_path / "cut")
        home.create()
        opened = open_run(read, home, fresh=False)
        try:
            study = Study(read, opened, home.storage_url, 0)
            cut += interrupt(study, partial(_is_at, n_events, count(1)))
        finally:
            opened.close()
    assert cut >= 3
    run(path, tmp_path / "cut")
    assert table(tmp_path / "cut") == table(tmp_path / "whole")
    assert verify_study("small", trials=0, home=tmp_path / "cut").problems == []


@pytest.mark.parametrize("kind", ["svc", "network"])
def test_workers_change_nothing(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, FILES[kind])
    run(path, tmp_path / "one")
    run(path, tmp_path / "two", "execution.slice_seconds=0.001", workers=2)
    assert table(tmp_path / "two") == table(tmp_path / "one")
    estimates = [[r.estimates for r in records(tmp_path / home)] for home in ("one", "two")]
    assert estimates[0] == estimates[1]


def test_a_budget_counts_the_folds_that_were_trained(tmp_path: Path) -> None:
    text = SVC.replace("trials = 20", "trials = 200")
    run(written(tmp_path, text), tmp_path / "home", "budget.epochs=60")
    fits = sum(member.epoch for record in records(tmp_path / "home") for member in record.members)
    assert 60 - 16 < fits <= 60
    assert len(records(tmp_path / "home")) > 60 // 4
    assert verify_study("small", trials=0, home=tmp_path / "home").problems == []


def test_a_plan_counts_all_folds_and_says_so(tmp_path: Path) -> None:
    found = plan_study(written(tmp_path, SVC), trials=0)
    assert found.phases[0].total_epochs == 20 * 4
    assert "trials that are behind train on fewer folds; all are counted here" in found.budget


def test_without_the_key_all_have_all_folds(tmp_path: Path) -> None:
    run(written(tmp_path, SVC.replace(", folds_as_needed = true", "")), tmp_path / "home")
    for record in records(tmp_path / "home"):
        assert record.outcome is Outcome.COMPLETE
        assert not {"folds", "estimates"} & record.content().keys()


def test_tables_texts_and_mlflow_say_it(finished: Path) -> None:
    home = finished / "home"
    shown = study_trials("small", home=home).set_index("trial")["folds_trained"].dropna()
    found = {record.number: record.folds for record in stopped(home)}
    assert dict(shown) == found
    record = stopped(home)[0]
    assert changing_tags(record)["hpsearch.folds"] == str(record.folds)
    assert record.mean_history()
    names = {name for name, _, _, _ in points(record, 0)}
    assert "validation_accuracy" in names or "validation_loss" in names
    assert "objective" not in names
    assert "behind after some folds" in study_methods("small", home=home).text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            SVC + "[pruner]\nname = 'median'\nrungs = [1]\n",
            "data.split.folds_as_needed: must be left out beside [pruner], which ends trials by "
            "the scores of all folds, got true",
        ),
        (
            SVC + "[[constraints]]\nmetric = 'validation_loss'\nat_most = 1.0\n",
            "data.split.folds_as_needed: must be left out beside [[constraints]], which rank",
        ),
        (
            SVC.replace("k-fold", "hold-out").replace("folds = 4", "fraction = 0.2"),
            "data.split.folds_as_needed",
        ),
        (
            SVC + "[validation]\nouter = { kind = 'k-fold', folds_as_needed = true }\n",
            "validation.outer.folds_as_needed: must be left out: every outer fold is searched",
        ),
    ],
)
def test_where_it_has_no_place_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read_study(written(tmp_path, text))
    assert message in str(caught.value)
