"""Verifying a study that two worker processes ran."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from hpsearch import verify_study
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.events import Event, StageStarted, TrialReached
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.interrupts import interrupt
from tests.harness.study import grid_file, records, run
from tests.harness.study_files import ALONE


def test_a_study_of_two_workers_is_derived_and_trained_again_to_the_bit(
    study_file: Path, home: Path
) -> None:
    run(study_file, home, "execution.slice_seconds=0.001", workers=2)
    found = verify_study("small", home=home, trials=21)
    assert found.problems == []
    assert found.equal
    assert (found.replay.draws, found.replay.decisions, found.replay.result) == (21, 3, True)
    assert found.records == 21 + 2 * 3 + 2
    assert [one.trial for one in sorted(found.again, key=lambda o: o.trial)] == list(range(21))
    assert all(one.exact and one.values for one in found.again)
    # Every member that did not diverge has a final state.
    assert all(one.states == 3 for one in found.again if one.outcome != "diverged")
    assert {"diverged", "pruned", "complete"} == {one.outcome for one in found.again}
    assert len(found.table()) == 21
    assert list(found.table()["equal"].unique()) == [True]


SHORT = "stages=[{trials=4, epochs=2}, {trials=4, epochs=4}]"


@pytest.mark.parametrize("trials", [6, 10])
def test_trials_added_at_any_moment_are_derived_too(
    study_file: Path, home: Path, trials: int
) -> None:
    """The last stage had six trials; it is stopped within, and goes on with more."""
    read, stores = read_study(study_file), Home(home)
    stores.create()
    opened = open_run(read, stores, fresh=False)
    seen = list[Event]()

    def enough(event: Event) -> bool:
        seen.append(event)
        n_reached = sum(isinstance(e, TrialReached) for e in seen)
        return n_reached == 14 + 8 + 4  # the three promoted, and the first of the three new

    assert interrupt(Study(read, opened, stores.storage_url, 0), enough)
    opened.close()
    halfway = verify_study("small", home=home, trials=2)
    assert halfway.equal
    assert not halfway.replay.result
    run(study_file, home, f"stages.2.trials={trials}")
    run(study_file, home, f"stages.2.trials={trials + 5}")
    found = verify_study("small", home=home, trials=2)
    assert found.problems == []
    assert found.replay.draws == 14 + 4 + 3 + trials - 6 + 5


def test_arms_promoted_under_different_plans_are_derived(study_file: Path, home: Path) -> None:
    """One arm was over when the last stage got more trials, of which another promoted more."""
    two = ["compare=['trainer']", "space.learning_rate.high=0.5", SHORT]
    read, stores = read_study(study_file, two), Home(home)
    stores.create()
    opened = open_run(read, stores, fresh=False)
    assert interrupt(
        Study(read, opened, stores.storage_url, 0),
        lambda e: isinstance(e, StageStarted) and e.arm == "trainer=momentum",
    )
    opened.close()
    run(study_file, home, *two[:2], "stages=[{trials=4, epochs=2}, {trials=8, epochs=4}]")
    folder = RunFolder(home / "studies/small/1")
    counts = [len(folder.read_json(folder.files.stage(0, arm))["promoted"]) for arm in range(3)]
    assert counts == [2, 4, 4]
    found = verify_study("small", home=home, trials=0)
    assert found.problems == []
    assert found.replay.result


@pytest.mark.parametrize(
    ("options", "n_draws"),
    [
        (["sampler.proposal=uniform", SHORT], 6),
        (["sampler.name=grid", "stages=[{trials=16, epochs=2}]"], 16),
        (["objective.best_epoch=true", "evaluation.every=2", SHORT], 6),
    ],
)
def test_other_searches_are_derived(
    study_file: Path, home: Path, options: list[str], n_draws: int
) -> None:
    run(grid_file(study_file) if "sampler.name=grid" in options else study_file, home, *options)
    found = verify_study("small", home=home, trials=1)
    assert found.problems == []
    assert (found.replay.draws, found.replay.result) == (n_draws, True)


FAILS = """
def train(params, data, seed, state=None):
    epoch = state or 0
    while True:
        epoch += 1
        if params["x"] > 0.5 and epoch > 1:
            raise RuntimeError("x is too large")
        yield {"validation_accuracy": 1 - params["x"] + epoch / 100}, epoch
"""


def test_a_function_beside_the_file_is_found_and_failures_repeat(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fails_at_times.py").write_text(FAILS)
    path = tmp_path / "own.toml"
    text = ALONE.replace("TRAINER", "fails_at_times:train").replace("trials = 2", "trials = 6")
    path.write_text(text)
    run(path, home)
    outcomes = {r.outcome for r in records(home, "own")}
    assert outcomes == {"failed", "complete"}
    found = verify_study("own", home=home, trials=6)
    assert found.problems == []
    assert {one.outcome for one in found.again} == outcomes
    (tmp_path / "fails_at_times.py").unlink()
    monkeypatch.delitem(sys.modules, "fails_at_times")  # as in another process
    importlib.invalidate_caches()
    with pytest.raises(StudyFileError, match=r"own\.toml names must exist"):
        verify_study("own", home=home)
