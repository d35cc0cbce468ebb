"""Whether short trainings predict long ones: controls, the correlation, the warning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from hpsearch.analysis.fidelity import fidelities
from hpsearch.api.support.trials import study_trials
from hpsearch.api.verify import verify_study
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.study_file import StudyFile
from tests.harness.study import records, run
from tests.harness.study_files import CALM

CONTROLS = [*CALM, "stages.1.controls=3", "stages.2.controls=2"]


def trial(number: int, stage: int = 0, **scores: float) -> TrialRecord:
    """A record with scores, {"e2": score after 2 epochs}."""
    record = TrialRecord(
        "u", "trial", number, {}, [MemberRecord(0, SeedKey(0, number, 0, 0))], {}, stage=stage
    )
    record.scores = {int(name.removeprefix("e")): score for name, score in scores.items()}
    return record


@pytest.fixture
def file(study_file: Path) -> StudyFile:
    """Of stages of 2, 4 and 8 epochs."""
    return read_study(study_file).file


def test_controls_are_drawn_from_those_not_promoted_and_trained_on(
    study_file: Path, home: Path
) -> None:
    run(study_file, home, *CONTROLS)
    folder, trials = RunFolder(home / "studies/small/1"), {r.number: r for r in records(home)}
    assert len(trials) == 14 + 4 + 3  # they are on top of the stage's trials
    for stage, epochs, wanted in ((0, 4, 3), (1, 8, 2)):
        decision = folder.read_json(folder.files.stage(stage, None))
        assert len(decision["controls"]) == wanted
        assert not set(decision["controls"]) & set(decision["promoted"])
        for number in decision["controls"]:
            assert stage + 1 in trials[number].controls
            assert epochs in trials[number].scores
        others = trials.keys() - decision["controls"]
        assert all(stage + 1 not in trials[number].controls for number in others)
    table = study_trials("small", home=home).set_index("trial")["control_in"].dropna()
    assert dict(table) == {
        n: " ".join(str(s + 1) for s in r.controls) for n, r in trials.items() if r.controls
    }
    found = verify_study("small", home=home, trials=2)
    assert found.problems == []
    assert found.replay.decisions == 3


def test_the_interval_is_fishers_with_the_variance_of_ranks(file: StudyFile) -> None:
    # By hand: rho = 1 - 6 * 4 / (5 * 24) = .8; z = 1.098612; half = 1.959964 * sqrt(1.32 / 2)
    longs = [2.0, 1.0, 4.0, 3.0, 5.0]
    trials = [trial(n, e2=float(n), e4=score) for n, score in enumerate(longs)]
    (found,) = fidelities(file, trials)
    assert found.rho == pytest.approx(0.8)
    assert found.tau == pytest.approx(0.6)
    assert found.low == pytest.approx(-0.458, abs=1e-3)
    assert found.high == pytest.approx(0.990, abs=1e-3)


@pytest.mark.parametrize("n", [5, 6, 20, 300])
def test_ranks_with_ties_correlate_as_scipy_has_it(n: int, file: StudyFile) -> None:
    rng = np.random.default_rng(n)
    for levels in (3, n, 10 * n):
        short, long = rng.integers(0, levels, (2, n)).astype(float)
        (found,) = fidelities(
            file, [trial(i, e2=short[i], e4=short[i] / 2 + long[i]) for i in range(n)]
        )
        expected = [how(short, short / 2 + long).statistic for how in (spearmanr, kendalltau)]
        assert [found.rho, found.tau] == pytest.approx(expected, abs=1e-15)


def test_a_perfect_order_is_no_certainty(file: StudyFile) -> None:
    (found,) = fidelities(file, [trial(n, e2=n / 10, e4=n / 5) for n in range(6)])
    assert (found.rho, found.high) == (1.0, 1.0)
    assert found.low is not None
    assert 0 < found.low < 0.95


def test_what_diverged_later_is_worst(file: StudyFile) -> None:
    trials = [trial(n, e2=float(n), e4=float(n)) for n in range(5)]
    trials.append(trial(5, e2=9.0))
    trials[-1].outcome = Outcome.DIVERGED
    (found,) = fidelities(file, trials)
    expected = spearmanr([0, 1, 2, 3, 4, 9], [0, 1, 2, 3, 4, -1]).statistic
    assert found.rho == pytest.approx(expected)


def test_few_or_equal_scores_say_nothing(file: StudyFile) -> None:
    few = [trial(n, e2=float(n), e4=float(n)) for n in range(4)]
    equal = [trial(n, e2=1.0, e4=float(n)) for n in range(8)]
    for trials in (few, equal):
        (found,) = fidelities(file, trials)
        assert (found.rho, found.low, found.tau, found.predicts) == (None,) * 4
        assert "unknown" in str(found)
    assert list(fidelities(file, [trial(0, e2=1.0)])) == []


MISLEADING = """
def train(params, data, seed):
    epoch = 0
    while True:
        epoch += 1
        x = params["x"]
        yield {"validation_accuracy": x if epoch <= 2 else 1 - x}
"""


def test_short_trainings_that_mislead_are_warned_of_and_a_control_wins(
    tmp_path: Path, home: Path
) -> None:
    (tmp_path / "misleading_trainer.py").write_text(MISLEADING)
    path = tmp_path / "own.toml"
    path.write_text("""
name = "small"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 4
[space]
trainer = "misleading_trainer:train"
x = { low = 0.0, high = 1.0 }
[sampler]
proposal = "uniform"
[[stages]]
trials = 10
epochs = 2
[[stages]]
trials = 4
epochs = 4
promote = 1.0
controls = 6
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
""")
    result = run(path, home)
    (found,) = result.fidelity
    assert (found["n"], found["new"], found["controls"]) == (10, 0, 6)
    assert found["rho"] == pytest.approx(-1.0)
    assert found["predicts"] is False
    assert found["text"].startswith("2 to 4 epochs: rank correlation -1.00 (95 % inter")
    winner = next(r for r in records(home) if r.number == result.best_number)
    assert winner.controls == [1]
