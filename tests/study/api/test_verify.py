"""Verifying studies: what was recorded follows from file, seed and data, and trains again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpsearch import reproduce_trial, verify_study
from hpsearch.api.verify import sample
from hpsearch.datasets.base import Examples
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Artifact
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from tests.harness.study import run
from tests.harness.study_files import SMALL
from tests.harness.tampering import tamper

SHORT = "stages=[{trials=4, epochs=2}, {trials=4, epochs=4}]"


def edit(home: Path, number: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Tamper with a trial's record."""
    tamper(home / f"studies/small/1/trials/{number:05d}/record.json", change)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a short study."""
    folder = tmp_path_factory.mktemp("short")
    (folder / "small.toml").write_text(SMALL)
    run(folder / "small.toml", folder / "home", SHORT, "space.learning_rate.high=0.5")
    return folder / "home"


@pytest.fixture
def ended(short: Path, home: Path) -> Path:
    """A copy of it, to tamper with."""
    shutil.copytree(short, home, dirs_exist_ok=True)
    return home


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a param": (
        lambda r: r["params"].update(learning_rate=0.5),
        r"trial 5: learning_rate = 0.5 recorded, [\d.e-]+ derived",
    ),
    "a seed": (
        lambda r: r["members"][1]["entropy"].__setitem__(2, 1),
        "trial 5: splits and seeds",
    ),
    "a score": (
        lambda r: r["scores"].update({"4": 0.99}),
        "trial 5: score 0.99 at 4 epochs, its curves say",
    ),
    "data": (lambda r: r["digests"].update(data="0"), "trial 5: digests {'data': '0'"),
    "a curve": (
        lambda r: r["members"][2]["history"]["train_loss"].__setitem__(1, 0.0),
        "trial 5: epoch 2, split 2: train_loss 0.0 recorded, ",
    ),
    "a state": (
        lambda r: r["members"][0].update(state_digest="f00"),
        "trial 5: split 0: final state f00 recorded",
    ),
    "an outcome": (lambda r: r.update(outcome="failed"), "trial 5"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_is_found(ended: Path, what: str) -> None:
    change, said = TAMPERED[what]
    # Trial 5 was drawn in the last stage, so that no other draw depends on it.
    edit(ended, 5, change)
    found = verify_study("small", home=ended, trials=6)
    assert not found.equal
    assert any(re.search(said, p) for p in found.problems), found.problems


def test_decisions_that_do_not_follow_are_found(ended: Path) -> None:
    folder = RunFolder(ended / "studies/small/1")
    decided = folder.required(folder.files.stage(0, None))
    loser = next(n for n in range(4) if n not in decided["promoted"])
    folder.write_sealed(
        folder.files.stage(0, None), decided | {"promoted": [loser, decided["promoted"][0]]}
    )
    said = folder.required(folder.files.artifact(Artifact.RESULT))
    said["result"]["best_number"] = 99
    folder.write_sealed(folder.files.artifact(Artifact.RESULT), said)
    problems = "\n".join(verify_study("small", home=ended, trials=0).problems)
    assert f"stage 1: promoted [{loser}, " in problems


def test_another_result_is_found(ended: Path) -> None:
    folder = RunFolder(ended / "studies/small/1")
    said = folder.required(folder.files.artifact(Artifact.RESULT))
    said["result"]["best_number"] = 99
    folder.write_sealed(folder.files.artifact(Artifact.RESULT), said)
    (problem,) = verify_study("small", home=ended, trials=0).problems
    assert problem.startswith("result: best_number 99 recorded, ")


def test_data_that_changed_is_found(ended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Examples, "digest", lambda self: "another")
    found = verify_study("small", home=ended, trials=1)
    assert any("'another'" in problem for problem in found.problems)


def test_another_machine_is_compared_within_a_tolerance(ended: Path) -> None:
    def elsewhere(said: dict[str, Any]) -> None:
        said["machines"] = ["a machine of 1982"]
        said["members"][0]["history"]["validation_loss"][0] += 1e-3

    edit(ended, 0, elsewhere)
    found = reproduce_trial("small", 0, home=ended)
    assert found.equal
    assert not found.exact
    assert 1e-4 < found.largest < 2e-3
    assert found.recorded_on == ("a machine of 1982",)
    strict = reproduce_trial("small", 0, home=ended, tolerance=1e-6)
    assert "validation_loss" in strict.difference


def test_draws_of_another_machine_may_differ_by_a_rounding_error(ended: Path) -> None:
    def elsewhere(said: dict[str, Any]) -> None:
        said["machines"] = ["a machine of 1982"]
        said["params"]["learning_rate"] *= 1 + 2e-6

    edit(ended, 5, elsewhere)
    found = verify_study("small", home=ended, trials=0)
    assert found.equal
    assert found.replay.tolerance > 0
    edit(ended, 5, lambda said: said["params"].update(learning_rate=0.123))
    assert not verify_study("small", home=ended, trials=0).equal


def test_a_trial_that_is_not_there_is_said(ended: Path) -> None:
    with pytest.raises(StudyFileError, match=r"\(0 to 5\), got 6"):
        reproduce_trial("small", 6, home=ended)


def test_a_sample_is_spread_over_outcomes_and_stages(ended: Path) -> None:
    def made(number: int, outcome: Outcome, stage: int) -> TrialRecord:
        return TrialRecord("", "trial", number, {}, [], {}, stage=stage, outcome=outcome)

    kinds = [(Outcome.PRUNED, 0)] * 20
    kinds += [(Outcome.COMPLETE, 0), (Outcome.COMPLETE, 1), (Outcome.DIVERGED, 0)]
    trials = [made(n, outcome, stage) for n, (outcome, stage) in enumerate(kinds)]
    assert {r.outcome for r in sample(trials, 3, 0)} == {"pruned", "complete", "diverged"}
    assert {(r.outcome, r.stage) for r in sample(trials, 4, 0)} == set(kinds)
    assert sample(trials, 4, 0) == sample(trials, 4, 0)
    assert len(sample(trials, 99, 0)) == 23
