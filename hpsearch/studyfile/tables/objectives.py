"""What a study file optimises, one objective or several, and within which limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from hpsearch.errors import Problem, StudyFileError, unknown_name
from hpsearch.execution.gains import IMAGES, PASSES
from hpsearch.execution.meter import RESOURCES
from hpsearch.execution.scoring.own_scores import load_score
from hpsearch.metrics import better, higher_is_better, is_decided, lower_is_better, own_score
from hpsearch.metrics.catalogue import OWN, SCORES, WITH_NUMBER, part_of, score_of, usual_name
from hpsearch.studyfile.tables.base import Table
from hpsearch.trainers import Task, TrainerKind, is_program
from hpsearch.trainers.backprop import METRICS
from hpsearch.trainers.base import Trainer

Direction = Literal["maximize", "minimize"]
EPOCHS = "epochs"
ONE = 'objective = { metric = "validation_accuracy", direction = "maximize" }'
SAMPLER = "tpe"  # where there are several objectives
TOP = 8  # configurations that are confirmed then: three are no front
NO_PROBABILITIES = "must be a score that needs no probabilities, which a trainer doesn't give"
MEASURED = {"passes": (*PASSES, IMAGES), "resources": RESOURCES}


class Objective(Table):
    """The metric to optimize."""

    metric: str = Field(
        description="a metric that the trainer reports, e.g. validation_accuracy, or one of "
        "[evaluation] passes and resources"
    )
    direction: Direction = Field(
        description="default: the known direction of the metric; required for your own metrics"
    )
    best_epoch: bool = Field(
        default=False,
        description="score by the best epoch instead of the last; this selection makes scores "
        "optimistic",
    )
    rises_to: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="score by the effort until the metric rises to this level, counted in "
        "`count`; a trial that never reaches it is infeasible, by the fraction that is missing",
    )
    falls_to: float | None = Field(
        default=None, allow_inf_nan=False, description="the same for a metric that falls"
    )
    count: str = Field(
        default=EPOCHS,
        description="what rises_to and falls_to count: epochs, or a metric that grows during "
        "training, e.g. passes/images",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_direction(cls, said: Any) -> Any:
        """With the direction of a metric that is known; what it took to a level is to be low."""
        if not isinstance(said, Mapping) or "direction" in said:
            return said
        level = said.get("rises_to") is not None or said.get("falls_to") is not None
        known = "minimize" if level else better(str(said.get("metric", "")))
        return {**said, "direction": known} if known else said

    @property
    def level(self) -> float | None:
        """What the metric is to come to, if its score is what that took."""
        return self.falls_to if self.rises_to is None else self.rises_to

    @property
    def name(self) -> str:
        """As tables, figures and MLflow call its values."""
        return self.metric if self.level is None else f"{self.count} to {self.target}"

    @property
    def target(self) -> str:
        """The metric with the level it is to come to."""
        text = f"{self.level:g}".replace("+", "")  # which MLflow takes in no name
        return f"{self.metric} {text}"

    @property
    def doubt(self) -> str:
        """What its direction makes of a metric whose name says otherwise; "" if it fits."""
        wrong = lower_is_better if self.direction == "maximize" else higher_is_better
        if self.level is not None or not wrong(self.metric):
            return ""
        better, other = (
            ("lower", "minimize") if wrong is lower_is_better else ("higher", "maximize")
        )
        return (
            f"{self.metric} is usually better when it is {better}, and direction = "
            f'"{self.direction}" makes the worst trial the winner: write direction = "{other}" '
            "unless you want that"
        )

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        names: list[str] = []
        for key, goal in tables.items():
            if goal.name in names:
                yield Problem(key, "must differ from the earlier ones", f"{goal.name} again")
            names.append(goal.name)
            yield from goal._contradictions(key)
            if goal.best_epoch and len(tables) > 1:
                rule = "must be left out with several objectives, whose best epochs differ"
                yield Problem(f"{key}.best_epoch", rule)

    def _contradictions(self, key: str) -> Iterator[Problem]:
        if self.rises_to is not None and self.falls_to is not None:
            yield Problem(f"{key}.falls_to", "must be left out beside rises_to")
        if self.level is None and self.count != EPOCHS:
            yield Problem(f"{key}.count", "must go with rises_to or falls_to")
        if self.best_epoch and self.level is not None:
            rule = "must be left out beside rises_to and falls_to"
            yield Problem(f"{key}.best_epoch", rule)


class Constraint(Table):
    """A limit on a metric after the last epoch; a trial that violates it is infeasible."""

    metric: str = Field(description="a metric as in an objective, or a training metric")
    at_most: float | None = Field(
        default=None, allow_inf_nan=False, description="the largest feasible value"
    )
    at_least: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="the smallest feasible value; give one of the two",
    )

    @property
    def name(self) -> str:
        """As Optuna, tables and messages call it."""
        if self.at_most is not None:
            return f"{self.metric} at most {self.at_most:g}"
        return f"{self.metric} at least {self.at_least:g}"

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        names: list[str] = []
        for key, limit in tables.items():
            if (limit.at_most is None) == (limit.at_least is None):
                rule = "must have at_most or at_least; for both write two constraints"
                yield Problem(key, rule)
                continue
            if limit.name in names:
                yield Problem(key, "must not be repeated", f"{limit.name} again")
            names.append(limit.name)


def follow_objectives(said: dict[str, Any]) -> list[Problem]:
    """Fill in what [[objectives]] imply; what contradicts them is a problem.

    The first is the study's `objective`. The sampler is TPE where the file names none: our own
    knows one objective, and NSGA-II draws its first population, 50 trials, at random, which is
    more than most studies have.
    """
    several = said.get("objectives")
    if not isinstance(several, list) or not several:
        return []
    problems = []
    if len(several) == 1:
        problems.append(Problem("objectives", "must be two or more", hint=f"one is written {ONE}"))
    if "objective" in said:
        rule = "must be left out beside [[objectives]], the first of which takes its place"
        problems.append(Problem("objective", rule))
    if said.get("protocol") == "paper":
        rule = 'must not be "paper" with several objectives: it scores by the best epoch of one'
        problems.append(Problem("protocol", rule))
    said["objective"] = several[0]
    for table, key, default in (("sampler", "name", SAMPLER), ("confirmation", "top", TOP)):
        place = said.setdefault(table, {})
        if isinstance(place, dict):
            place.setdefault(key, default)
    return problems


def metric_problems(
    said: Mapping[str, Any], trainers: Mapping[str, TrainerKind]
) -> Iterator[Problem]:
    """Metrics that nobody reports, or that must not decide."""
    evaluation = said.get("evaluation")
    evaluation = evaluation if isinstance(evaluation, Mapping) else {}
    named = evaluation.get("metrics", [])
    for place, name in enumerate(named if isinstance(named, list) else []):
        if isinstance(name, str):
            yield from _beside_problems(f"evaluation.metrics.{place}", name, trainers)
    yield from _threshold_problems(said, evaluation, trainers)
    for key, table in _tables(said):
        metric, count = table.get("metric"), table.get("count", EPOCHS)
        if isinstance(metric, str):
            yield from _metric_problems(f"{key}.metric", metric, evaluation, trainers)
        if isinstance(count, str) and count != EPOCHS:
            yield from _count_problems(f"{key}.count", count, evaluation, trainers)
    for key, table in _list(said, "constraints"):
        metric = table.get("metric")
        if isinstance(metric, str):
            yield from _metric_problems(f"{key}.metric", metric, evaluation, trainers, train=True)


def _threshold_problems(
    said: Mapping[str, Any], evaluation: Mapping[str, Any], trainers: Mapping[str, TrainerKind]
) -> Iterator[Problem]:
    """What is wrong with a threshold: no score of classes, or a trainer without probabilities."""
    threshold, beside = evaluation.get("threshold"), evaluation.get("metrics")
    if threshold is None:
        return
    named = [t.get("metric") for _, t in [*_tables(said), *_list(said, "constraints")]]
    named += [f"validation_{name}" for name in (beside if isinstance(beside, list) else [])]
    if not any(isinstance(m, str) and is_decided(m) and m.startswith("valid") for m in named):
        rule = "must go with a score of predicted classes, such as validation_f1"
        yield Problem("evaluation.threshold", rule, repr(threshold))
    for name, kind in trainers.items():
        if not kind.open and not _tells_probabilities(kind):
            rule = "must be left out for a trainer that gives no probabilities"
            yield Problem("evaluation.threshold", rule, name)


def _tells_probabilities(kind: TrainerKind) -> bool:
    """Whether it may give the probability of every class: then it reports the log loss."""
    return "validation_loss" in kind.metrics


def _beside_problems(
    key: str, name: str, trainers: Mapping[str, TrainerKind]
) -> Iterator[Problem]:
    """What is wrong with a score that is computed beside those that decide."""
    part, bare = part_of(name)
    if part and score_of(bare) is not None:
        yield Problem(key, "must be only the name of a score", repr(name), f'write "{bare}"')
        return
    if OWN.fullmatch(name):
        yield from _own_problems(key, name)
        return
    if any(map(is_program, trainers)):
        rule = "must be left out where a program trains, which reports its own metrics"
        yield Problem(key, rule, repr(name))
        return
    tasks = {kind.task for kind in trainers.values()} - {None}
    score = score_of(name)
    silent = [n for n, k in trainers.items() if not (k.open or _tells_probabilities(k))]
    if score is not None and score.needs == "probabilities" and silent:
        yield Problem(key, NO_PROBABILITIES, f"{name!r} of {silent[0]}")
        return
    if score is None or (tasks and score.task not in tasks):
        fitting = [s.shown for s in SCORES.values() if not tasks or s.task in tasks]
        problem = unknown_name(key, name, fitting)
        yield replace(problem, nearest=usual_name(name) or problem.nearest)


def _tables(said: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The objectives with their keys, as far as they are tables."""
    several = _list(said, "objectives")
    one = said.get("objective")
    return several or ([("objective", one)] if isinstance(one, Mapping) else [])


def _list(said: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    found = said.get(name)
    rows = found if isinstance(found, list) else []
    return [(f"{name}.{i}", row) for i, row in enumerate(rows) if isinstance(row, Mapping)]


def _metric_problems(
    key: str,
    metric: str,
    evaluation: Mapping[str, Any],
    trainers: Mapping[str, TrainerKind],
    *,
    train: bool = False,
) -> Iterator[Problem]:
    if metric.startswith("test"):
        rule, hint = "must not look at the test set", "it is opened once, at the end"
        yield Problem(key, rule, repr(metric), hint)
        return
    if metric.startswith("train") and not train:
        yield Problem(key, "must be measured on validation data", repr(metric))
        return
    own = own_score(metric)
    if own and not all(kind.open for kind in trainers.values()):
        yield from _own_problems(key, own)
        return
    if metric.startswith(("passes/", "resources/")):
        yield from _measured_problems(key, metric, evaluation, trainers)
        return
    # A user's own function may report what it likes.
    reported = {name: kind for name, kind in trainers.items() if kind.metrics}
    metrics = {kind.metrics for kind in reported.values()}
    _, bare = part_of(metric)
    score = score_of(bare)
    for name, kind in reported.items():
        silent = kind.task == "classification" and not _tells_probabilities(kind)
        if silent and score is not None and score.needs == "probabilities":
            yield Problem(key, NO_PROBABILITIES, f"{metric!r} of {name}")
            return
        valid = [m for m in kind.metrics if m.startswith("validation") or train]
        if metric not in valid and not _computed(metric, kind.task, train=train):
            yield _unknown_metric(key, metric, valid, kind.task, name if len(metrics) > 1 else "")
            return
    valid = [m for m in METRICS if m.startswith("validation") or train]
    if not trainers and metric not in valid and not _computed(metric, None, train=train):
        yield _unknown_metric(key, metric, valid, None, "")


def _own_problems(key: str, name: str) -> Iterator[Problem]:
    """What is wrong with a score of a user's own."""
    try:
        load_score(name)
    except StudyFileError as error:
        yield Problem(key, str(error), hint=f"write def {name.partition(':')[2]}(y_true, y_pred)")


def _computed(metric: str, task: Task | None, *, train: bool) -> bool:
    """Whether it is a score of what is predicted for rows that may decide."""
    part, name = part_of(metric)
    score = score_of(name) if part == "validation" or (train and part == "train") else None
    return score is not None and task in (score.task, None)


def _unknown_metric(
    key: str, metric: str, valid: Sequence[str], task: Task | None, trainer: str
) -> Problem:
    """The problem with a metric that is neither reported nor computed.

    Args:
        valid: what is reported.
        task: of the trainer.
        trainer: its name, where others report other metrics; else "".
    """
    _, name = part_of(metric)
    fitting = [s for s in SCORES.values() if task in (s.task, None)]
    problem = unknown_name(key, metric, [*valid, *(f"validation_{s.shown}" for s in fitting)])
    example = "validation_rmse" if task == "regression" else "validation_roc_auc"
    whose = f"{trainer} reports these; " if trainer else ""
    hint = f"{whose}computed are scores such as {example}, which docs/metrics.md lists"
    numbered = WITH_NUMBER.fullmatch(name)
    bare = SCORES.get(numbered[1] if numbered else name)
    if bare is not None and bare.parameter is not None:
        hint = f"the number behind {bare.name}_, its {bare.parameter.name}, {bare.parameter.rule}"
    near = usual_name(name) and f"validation_{usual_name(name)}"
    return replace(
        problem,
        rule=f"must be one of {', '.join(valid)}, or a score",
        hint=hint,
        nearest=near or problem.nearest,
    )


def _measured_problems(
    key: str, metric: str, evaluation: Mapping[str, Any], trainers: Mapping[str, TrainerKind]
) -> Iterator[Problem]:
    switch = metric.partition("/")[0]
    if metric not in MEASURED[switch]:
        yield unknown_name(key, metric, MEASURED[switch])
        return
    if evaluation.get(switch) is not True:
        hint = f"set evaluation.{switch} = true"
        yield Problem(key, "must be measured to be used here", hint=hint)
    if switch != "passes":
        return
    for name, kind in trainers.items():
        counts = kind.trainer.images if metric == IMAGES else kind.trainer.passes
        if kind.metrics and counts in (Trainer.images, Trainer.passes):
            yield Problem(key, "must be counted by every trainer", f"{name}, which can't")
            return


def _count_problems(
    key: str, count: str, evaluation: Mapping[str, Any], trainers: Mapping[str, TrainerKind]
) -> Iterator[Problem]:
    known = (EPOCHS, *MEASURED["passes"])
    if count in known:
        yield from _measured_problems(key, count, evaluation, trainers)
    elif all(kind.metrics for kind in trainers.values()):
        yield unknown_name(key, count, known)
