"""The audit of narrowing: what was discarded, re-openings, alarms at the ends of ranges."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, create_trial

from hpsearch.analysis.edges import wider_end
from hpsearch.analysis.narrowing import narrowing
from hpsearch.records.range_row import RangeRow
from hpsearch.samplers import CoarseToFineSampler
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run

RATES = FloatDistribution(1e-3, 1e6, log=True)
TRAINERS = CategoricalDistribution(["sgd", "momentum", "adam"])


@pytest.fixture
def arm(study_file: Path) -> Arm:
    """Of a space with a learning rate from 1e-3 to 1e6 and three trainers."""
    return read_study(study_file).arms[0]


def searched(trials: list[tuple[str, float, float]]) -> optuna.Study:
    """A study of (trainer, learning rate, score) as they ended."""
    study = optuna.create_study(direction="maximize")
    for trainer, rate, score in trials:
        study.add_trial(
            create_trial(
                params={"trainer": trainer, "learning_rate": rate},
                distributions={"trainer": TRAINERS, "learning_rate": RATES},
                value=score,
            )
        )
    return study


def rates(rows: list[RangeRow], branch: str = "") -> RangeRow:
    return next(r for r in rows if (r.parameter, r.branch) == ("learning_rate", branch))


def test_trials_are_read_once_for_all_parameters(
    arm: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, reads = searched([("sgd", 10.0**i, -abs(i)) for i in range(-3, 3)]), list[None]()
    read = study.get_trials

    def get_trials(deepcopy: bool = True) -> list[FrozenTrial]:
        reads.append(None)
        return read(deepcopy)

    monkeypatch.setattr(study, "get_trials", get_trials)
    rows = narrowing(study, CoarseToFineSampler(seed=0, n_startup=4), arm, 0, [])
    assert {row.parameter for row in rows} == {"trainer", "learning_rate"}
    assert len(reads) == 1


def test_steps_say_what_they_took_and_gave_back(arm: Arm) -> None:
    sampler = CoarseToFineSampler(seed=0, n_startup=4, bandwidth=0.05)
    inside = [("sgd", 10.0**i, -abs(i - 0.0)) for i in (-3, -2, -1, 0, 0.2, 0.4)]
    first = narrowing(searched(inside), sampler, arm, 0, [])
    row = rates(first)
    assert (row.before, row.survivors[0]) == (row.declared, 3)
    assert row.low is not None
    assert row.high is not None
    assert row.discarded == pytest.approx(1 - row.share, abs=1e-3)
    assert (row.reopened, row.reopened_by) == (0.0, [])
    # Draws far outside that range turn out best: it is opened towards them.
    outside = [("adam", 1e3, 5.0), ("adam", 2e3, 6.0)]
    again = rates(narrowing(searched(inside + outside), sampler, arm, 1, first))
    assert again.before == row.now
    assert again.reopened > 0.3
    assert again.reopened_by == [7, 6]
    third = narrowing(searched(inside + outside), sampler, arm, 2, [again])
    assert (rates(third).reopened, rates(third).discarded) == (0.0, 0.0)


def test_a_choice_nobody_had_is_open_again_where_somebody_survives_with_it(arm: Arm) -> None:
    sampler = CoarseToFineSampler(seed=0, n_startup=3)
    early = [("sgd", 1.0, float(i)) for i in range(6)]
    first = narrowing(searched(early), sampler, arm, 0, [])
    row = next(r for r in first if r.parameter == "trainer")
    assert row.weights is not None
    assert row.discarded == pytest.approx(row.weights["sgd"] - 1 / 3, abs=1e-3)
    late = [*early, ("adam", 1.0, 9.0), ("adam", 2.0, 8.0)]
    (again,) = (r for r in narrowing(searched(late), sampler, arm, 1, first) if r.weights)
    assert again.reopened_by == [6, 7]
    assert again.weights is not None
    assert again.reopened == pytest.approx(again.weights["adam"] - row.weights["adam"], abs=1e-3)


def test_the_best_at_an_end_of_the_range_raise_an_alarm(arm: Arm) -> None:
    sampler = CoarseToFineSampler(seed=0, n_startup=3)
    rising = [("sgd", 10.0**i, float(i)) for i in (-3, -1, 1, 2, 5.5, 5.7, 5.9)]
    rows = narrowing(searched(rising), sampler, arm, 0, [])
    assert rates(rows).edges == ["high"]
    (line,) = rates(rows).alarms
    assert line == (
        "learning_rate: the best trial, 6 with 7.943e+05, and 3 of 3 survivors are at the "
        "upper end of the declared range, 1e+06: the optimum may be outside. Widen "
        "the range in [space], e.g. high = 1e+07"
    )
    (of_sgd,) = rates(rows, "trainer=sgd").alarms
    assert of_sgd.startswith("learning_rate where trainer = sgd: the best trial, 6")
    falling = [("sgd", 10.0**i, -float(i)) for i in (-2.9, -2.5, -2, 0, 1, 2, 3)]
    low = rates(narrowing(searched(falling), sampler, arm, 0, []))
    assert (low.edges, low.alarms[0][-12:]) == (["low"], "low = 0.0001")


def test_the_best_in_the_middle_raise_none(arm: Arm) -> None:
    sampler = CoarseToFineSampler(seed=0, n_startup=3)
    humped = [("sgd", 10.0**i, -abs(i)) for i in (-3, -1, 0, 0.5, 2, 3.9)]
    assert all(row.edges == [] for row in narrowing(searched(humped), sampler, arm, 0, []))


RISING = """
def train(params, data, seed):
    while True:
        yield {"validation_accuracy": params["x"] / 2 + params["y"] * (1 - params["y"])}
"""
OWN = """
name = "small"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 4
[space]
trainer = "rising_trainer:train"
x = { low = 0.001, high = 0.1, log = true }
y = { low = 0.0, high = 1.0 }
[[stages]]
trials = 20
epochs = 1
[[stages]]
trials = 20
epochs = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
"""


def test_a_space_whose_optimum_lies_outside_is_told_of(tmp_path: Path, home: Path) -> None:
    (tmp_path / "rising_trainer.py").write_text(RISING)
    (tmp_path / "own.toml").write_text(OWN)
    result = run(tmp_path / "own.toml", home)
    (alarm,) = result.alarms  # y has its optimum in the middle
    assert alarm.startswith("x: the best trial, ")
    line = next(n for n, text in enumerate(OWN.splitlines(), 1) if text.startswith("x = "))
    assert alarm.endswith(
        f"Widen the range in line {line} of the study file, space.x, e.g. high = 1; also raise "
        "trials in [[stages]], then go on with --extend"
    )


@pytest.mark.parametrize(
    ("entry", "wider"),
    [
        ("momentum={low=0.5, high=0.99}", 0.998),  # below 1
        ("learning_rate={low=1e-3, high=1.0, log=true}", 10.0),
        ("hidden={low=5, high=50}", 73),
        ("learning_rate={low=0.1, high=0.5}", 0.7),
    ],
)
def test_the_wider_end_obeys_the_hyperparameters_own_rule(
    study_file: Path, entry: str, wider: float
) -> None:
    name = entry.partition("=")[0]
    overrides = [f"space.{entry}", "space.trainer=momentum"]
    if name == "hidden":
        overrides.append("network={name='two-layer'}")
    space = read_study(study_file, overrides).space
    (parameter,) = (p for p in space.parameters if p.name == name)
    assert wider_end(space, name, parameter.distribution, "high") == wider  # type: ignore[arg-type]


def test_an_end_that_nothing_may_lie_beyond_raises_none(study_file: Path) -> None:
    space = read_study(study_file, ["space.weight_decay={low=0.0, high=1.0}"]).space
    (parameter,) = (p for p in space.parameters if p.name == "weight_decay")
    assert wider_end(space, "weight_decay", parameter.distribution, "low") is None  # type: ignore[arg-type]
