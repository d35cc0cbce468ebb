"""Studies with several objectives and with constraints: what is refused, found and repeated."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest

from hpsearch.analysis.ranking import ranked, standing
from hpsearch.api.plan import plan_study
from hpsearch.errors import StudyFileError
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import GOALS, observe
from hpsearch.samplers.settled import settled
from hpsearch.studyfile.reading import read_study
from tests.harness.rungs import PARETO, at_rungs
from tests.harness.study import records, run, stored
from tests.harness.study_files import FEW, LIMIT, NAMES, TWO

MAXIMIZE, MINIMIZE = optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE


def dominated(record: TrialRecord, others: list[TrialRecord], at: int) -> bool:
    """By the definition, for the two objectives above."""
    accuracy, steps = (record.values[at][name] for name in NAMES)
    return any(
        o.values[at][NAMES[0]] >= accuracy
        and o.values[at][NAMES[1]] <= steps
        and (o.values[at][NAMES[0]] > accuracy or o.values[at][NAMES[1]] < steps)
        for o in others
        if o.violations[at][LIMIT] <= 0
    )


def test_a_study_goes_through_its_stages_to_a_front(two: Path, home: Path) -> None:
    result = run(two, home)
    trials = records(home)
    first = [r for r in trials if 2 in r.scores]
    feasible = [r for r in first if r.violations[2][LIMIT] <= 0]
    best = [r for r in feasible if not dominated(r, feasible, 2)]
    went_on = {r.number for r in first if r.stage == 0 and 5 in r.scores}
    assert 0 < len(best) < len(feasible) < len(first) < len(trials)  # some diverged
    assert len(went_on) == 4
    mine = {r.number for r in best if r.stage == 0}
    assert mine <= went_on or went_on <= mine
    for record in first:
        assert record.scores[2] == record.values[2]["validation_accuracy"]
    # The front is that of the means over fresh seeds, and the winner its first.
    assert result.objectives == {NAMES[0]: "maximize", NAMES[1]: "minimize"}
    assert result.front[0].number == result.best_number
    assert result.front[0].values[NAMES[0]] == result.validation
    means = [(m.values[NAMES[0]].mean, m.values[NAMES[1]].mean) for m in result.front]
    assert means == sorted(means, reverse=True)
    assert len({steps for _, steps in means}) == len(set(means))
    assert {str(m.number) for m in result.front} <= result.confirmed.keys()
    assert result.unmet == []
    assert all(len(m.values[NAMES[1]].values) == 2 for m in result.front)
    assert result.test_score is not None
    # One configuration alone sees the test set.
    assert result.test_uses == 2  # the winner, and the defaults


def test_a_pruner_ends_those_behind_in_all_objectives(two: Path, home: Path) -> None:
    run(two, home, *PARETO, "stages=[{trials=16, epochs=5}]", "pruner.rungs=[2]")
    trials = [record for record in records(home) if 2 in record.rungs]
    came, ended = list[TrialRecord](), {record.number for record in at_rungs(home)}
    for batch in sorted({record.batch for record in trials}):
        new = [record for record in trials if record.batch == batch]
        came += new
        order = ranked([standing(r, 2) for r in came], ["maximize", "minimize"])
        kept = {s.number for s in order[: math.ceil(len(came) / 2)]}
        assert {r.number for r in new if r.number not in ended} == {r.number for r in new} & kept
    assert 4 <= len(ended) < len(trials)
    for record in at_rungs(home):
        assert record.reason == "pruned after 2 epochs by the pareto pruner"
        assert record.rungs[2] == record.values[2][NAMES[0]]
        assert all(member.epoch == 2 for member in record.members)
    kept_in_optuna = {t.number: t for t in stored(home).trials}
    for number in ended:
        assert kept_in_optuna[number].state == optuna.trial.TrialState.PRUNED
        assert "2" in kept_in_optuna[number].user_attrs[GOALS]["values"]


def test_optuna_has_values_directions_and_constraints(two: Path, home: Path) -> None:
    run(two, home)
    study = stored(home)
    assert study.directions == [MAXIMIZE, MINIMIZE]
    for record, trial in zip(records(home), study.get_trials(), strict=True):
        if record.outcome == "complete":
            assert trial.values == list(record.values[5].values())
            assert trial.constraints == record.violations[5]
        if record.values:
            kept = {
                "values": {str(n): v for n, v in record.values.items()},
                "violations": {str(n): v for n, v in record.violations.items()},
            }
            assert trial.user_attrs[GOALS] == kept
    best = {t.number for t in study.best_trials}
    ended = [r for r in records(home) if r.outcome == "complete"]
    feasible = [r for r in ended if r.violations[5][LIMIT] <= 0]
    assert best == {r.number for r in feasible if not dominated(r, feasible, 5)}


def test_a_plan_counts_the_trials_of_the_front(two: Path, tmp_path: Path) -> None:
    two.write_text(TWO.replace("top = 4\n", ""))
    plan = plan_study(two, trials=0)
    again = next(phase for phase in plan.phases if phase.name == "confirmation")
    assert again.runs == 8 * 2 + 2  # and the defaults


def test_an_unreached_level_is_a_missed_constraint(two: Path, home: Path) -> None:
    level = "{metric='validation_accuracy', rises_to=2.0, direction='minimize'}"
    goal = "{metric='validation_accuracy', direction='maximize'}"
    result = run(two, home, f"objectives=[{level}, {goal}]", "constraints=[]", *FEW)
    assert result.objective == "epochs to validation_accuracy 2"
    assert result.front == []
    assert result.unmet[0].startswith("validation_accuracy 2 (by ")
    assert result.test_score is not None
    assert result.test_score == result.test["test_accuracy"]


@pytest.mark.parametrize("name", ["random", "qmc"])
def test_samplers_that_look_at_no_score_do_any_number(two: Path, home: Path, name: str) -> None:
    assert run(two, home, f"sampler.name={name}", *FEW).front


@pytest.mark.parametrize("name", ["grid", "brute-force"])
def test_grids_do_any_number(two: Path, home: Path, name: str) -> None:
    options = ["space.learning_rate={choices=[0.01, 0.1]}", "stages=[{trials=16, epochs=1}]"]
    assert run(two, home, f"sampler.name={name}", *options, "constraints=[]").front
    drawn = {
        (r.params["trainer"], r.params["batch_size"], r.params["learning_rate"])
        for r in records(home)
    }
    assert len(drawn) == 16


def trial(number: int, goals: dict[str, Any], **attrs: Any) -> optuna.trial.FrozenTrial:
    found = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params={"x": float(number)},
        distributions={"x": optuna.distributions.FloatDistribution(0.0, 100.0)},
        user_attrs=({GOALS: goals} if goals else {}) | attrs,
    )
    found.number = number
    return found


def test_samplers_see_several_objectives_at_full_length() -> None:
    trials = [
        trial(0, {"values": {"1": {"a": 0.2, "b": 5.0}, "3": {"a": 0.6, "b": 9.0}}}),
        trial(1, {"values": {"1": {"a": 0.5, "b": 2.0}}}),
        trial(2, {}),
        trial(3, {}, **{"hpsearch:outcome": "diverged"}),
    ]
    seen = settled(trials, [MAXIMIZE, MINIMIZE])
    # Longer training made .4 more of a and 4 more of b; the diverged one is worst in both.
    assert seen[0].values == [0.6, 9.0]
    assert seen[1].values == pytest.approx([0.9, 6.0])
    assert seen[2].state == optuna.trial.TrialState.FAIL
    assert seen[3].values == [0.6, 9.0]


def test_samplers_see_the_last_violations_and_the_diverged_as_the_farthest() -> None:
    def limits(**by_epoch: float) -> dict[str, Any]:
        return {"values": {}, "violations": {k[1:]: {"m": v} for k, v in by_epoch.items()}}

    trials = [
        trial(0, limits(e1=0.5, e3=-0.1)),
        trial(1, limits(e1=0.7)),
        trial(2, {}, **{"hpsearch:outcome": "diverged"}),
    ]
    trials[0].intermediate_values = {1: 3.0, 3: 2.0}
    trials[1].intermediate_values = {1: 1.0}
    seen = settled(trials, [MINIMIZE])
    assert [t.constraints for t in seen] == [{"m": -0.1}, {"m": 0.7}, {"m": 0.7}]
    # Our own sampler, which knows no constraints, sees infeasible scores as worse than all others.
    first, second, last = observe(trials, MINIMIZE)
    assert (first.number, first.score) == (0, 2.0)
    assert second.number == 1
    assert second.score == pytest.approx(2.0 + 0.7 / 1.7)
    assert not last.usable


def test_the_searchs_own_sampler_is_drawn_to_where_the_constraint_is_kept() -> None:
    from hpsearch import CoarseToFineSampler

    def late(constrained: bool) -> list[float]:
        study = optuna.create_study(sampler=CoarseToFineSampler(seed=1))
        for _ in range(30):
            asked = study.ask()
            x = asked.suggest_float("x", 0.0, 1.0)
            if constrained:
                asked.set_constraint("x at least 0.6", 0.6 - x)
            study.tell(asked, (x - 0.1) ** 2)
        return [t.params["x"] for t in study.trials[20:]]

    free, held = (pd.Series(late(constrained)).median() for constrained in (False, True))
    assert free < 0.3
    assert held > 0.55


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "sampler.name=coarse-to-fine",
            "sampler.name: must be able to do 2 objectives, as tpe, nsga2, gp, random, qmc, grid",
        ),
        ("sampler.proposal=gp", "sampler.proposal: must be left out: it belongs to coarse-to-f"),
        ("objective.metric=validation_loss", "objective: must be left out beside [[objectives]]"),
        ("objectives=[{metric='validation_loss', direction='minimize'}]", "must be two or more"),
        ("objectives.1.metric=passes/forwards", "objectives.1.metric: must be one of passes/forw"),
        (
            "evaluation.passes=false",
            "objectives.1.metric: must be measured to be used here: set e",
        ),
        ("objectives.1.metric=train_loss", "objectives.1.metric: must be measured on validatio"),
        ("objectives.0.metric=test_accuracy", "objectives.0.metric: must not look at the test s"),
        ("objectives.0.direction=up", "objectives.0.direction: must be one of maximize, minim"),
        ("objectives.0.best_epoch=true", "objectives.0.best_epoch: must be left out with several"),
        ("objectives.0.goal=0.9", "objectives.0.goal: must be one of metric, direction"),
        ("objectives.1.metric=validation_accuracy", "must differ from the earlier ones"),
        ("objectives.0.count=passes/images", "objectives.0.count: must go with rises_to or fal"),
        ("constraints.0.at_least=0.5", "constraints.0: must have at_most or at_least"),
        ("constraints.0.metric=test_loss", "constraints.0.metric: must not look at the test set"),
        ("constraints.0.metric=resources/array_bytes", "set evaluation.resources = true"),
        ("constraints.0.metric=validation_los", "did you mean 'validation_loss'"),
        ("budget.plateau=3", "budget.plateau: must be left out with several objectives"),
        ("pruner={name='median', rungs=[1]}", 'pruner.name: must be "pareto" with 2'),
        ("protocol=paper", 'protocol: must not be "paper" with several objectives'),
    ],
)
def test_mistakes_are_named(two: Path, override: str, said: str) -> None:
    with pytest.raises(StudyFileError, match=re.escape(said)):
        read_study(two, [override])


def test_what_a_trainer_cant_count_is_refused(two: Path) -> None:
    forest = "space.trainer.choices=['sgd', 'sklearn.svm.SVC']"
    said = "must be counted by every trainer, got sklearn.svm.SVC, which can't"
    with pytest.raises(StudyFileError, match=f"objectives.1.metric: {said}"):
        read_study(two, [forest])
    level = "{metric='validation_accuracy', rises_to=0.9, direction='minimize', count='COUNT'}"
    goal = "{metric='validation_accuracy', direction='maximize'}"
    for count, rule in (("passes/images", said), ("images", "must be one of epochs, passes/forw")):
        with pytest.raises(StudyFileError, match=f"objectives.1.count: {rule}"):
            read_study(two, [forest, f"objectives=[{goal}, {level.replace('COUNT', count)}]"])


def test_a_first_objective_that_is_wrong_is_one_mistake(two: Path) -> None:
    with pytest.raises(StudyFileError, match="has 1 mistake;"):
        read_study(two, ["objectives.0.direction=up"])


def test_the_sampler_is_tpe_where_none_is_named(two: Path) -> None:
    assert read_study(two).file.sampler.name == "tpe"
    assert read_study(two, ["sampler.name=nsga2"]).file.sampler.name == "nsga2"


def test_a_constraint_may_look_at_training_scores(two: Path) -> None:
    file = read_study(two, ["constraints.0.metric=train_loss"]).file
    assert file.constraints[0].name == "train_loss at most 2.35"
