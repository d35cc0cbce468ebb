"""Reading what a study optimises: one objective or several, and constraints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hpsearch.errors import unknown
from hpsearch.execution.meter import RESOURCES
from hpsearch.execution.population import IMAGES, PASSES
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.objectives import EPOCHS
from hpsearch.trainers import TrainerKind
from hpsearch.trainers.backprop import METRICS
from hpsearch.trainers.base import Trainer

ONE = 'objective = { metric = "validation_accuracy", direction = "maximize" }'
SAMPLER = "tpe"  # where there are several objectives
TOP = 8  # configurations that are confirmed then: three are no front
MEASURED = {"passes": (*PASSES, IMAGES), "resources": RESOURCES}


def follow_objectives(said: dict[str, Any]) -> list[Mistake]:
    """Fill in what [[objectives]] imply; what contradicts them is a mistake.

    The first is the study's `objective`. The sampler is TPE where the file names none: our own
    knows one objective, and NSGA-II draws its first population, 50 trials, at random, which is
    more than most studies have.
    """
    several = said.get("objectives")
    if not isinstance(several, list) or not several:
        return []
    mistakes = []
    if len(several) == 1:
        mistakes.append(Mistake("objectives", f"must be two or more; one is written {ONE}"))
    if "objective" in said:
        rule = "must be left out where there are [[objectives]], of which the first is it"
        mistakes.append(Mistake("objective", rule))
    if said.get("protocol") == "paper":
        rule = 'must not be "paper" with several objectives: it scores by the best epoch of one'
        mistakes.append(Mistake("protocol", rule))
    said["objective"] = several[0]
    for table, key, default in (("sampler", "name", SAMPLER), ("confirmation", "top", TOP)):
        place = said.setdefault(table, {})
        if isinstance(place, dict):
            place.setdefault(key, default)
    return mistakes


def objective_mistakes(file: StudyFile) -> Iterator[Mistake]:
    """What of the objectives can't go together."""
    goals = _tables(file.model_dump())
    names = [goal.name for goal in file.goals]
    for (key, _), goal, place in zip(goals, file.goals, range(len(names)), strict=False):
        if names.index(goal.name) < place:
            yield Mistake(key, f"must be another than those before it, got {goal.name} again")
        if goal.rises_to is not None and goal.falls_to is not None:
            yield Mistake(f"{key}.falls_to", "must be left out beside rises_to")
        if goal.level is None and goal.count != EPOCHS:
            yield Mistake(f"{key}.count", "must go with rises_to or falls_to")
        if goal.best_epoch and goal.level is not None:
            yield Mistake(f"{key}.best_epoch", "must be left out beside rises_to and falls_to")
        if goal.best_epoch and len(names) > 1:
            rule = "must be left out with several objectives, whose best epochs are others"
            yield Mistake(f"{key}.best_epoch", rule)
    for place, limit in enumerate(file.constraints):
        if (limit.at_most is None) == (limit.at_least is None):
            rule = "must have at_most or at_least; for both write two constraints"
            yield Mistake(f"constraints.{place}", rule)
        elif limit.name in [other.name for other in file.constraints[:place]]:
            yield Mistake(f"constraints.{place}", f"must stand once, got {limit.name} again")
    if len(names) > 1 and file.budget.plateau is not None:
        rule = "must be left out with several objectives, of which a trial seldom betters all"
        yield Mistake("budget.plateau", rule)


def metric_mistakes(
    said: Mapping[str, Any], trainers: Mapping[str, TrainerKind]
) -> Iterator[Mistake]:
    """Metrics that nobody reports, or that must not decide."""
    evaluation = said.get("evaluation")
    evaluation = evaluation if isinstance(evaluation, Mapping) else {}
    for key, table in _tables(said):
        metric, count = table.get("metric"), table.get("count", EPOCHS)
        if isinstance(metric, str):
            yield from _metric_mistakes(f"{key}.metric", metric, evaluation, trainers)
        if isinstance(count, str) and count != EPOCHS:
            yield from _count_mistakes(f"{key}.count", count, evaluation, trainers)
    for key, table in _list(said, "constraints"):
        metric = table.get("metric")
        if isinstance(metric, str):
            yield from _metric_mistakes(f"{key}.metric", metric, evaluation, trainers, train=True)


def _tables(said: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The objectives with their keys, as far as they are tables."""
    several = _list(said, "objectives")
    one = said.get("objective")
    return several or ([("objective", one)] if isinstance(one, Mapping) else [])


def _list(said: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    found = said.get(name)
    rows = found if isinstance(found, list) else []
    return [(f"{name}.{i}", row) for i, row in enumerate(rows) if isinstance(row, Mapping)]


def _metric_mistakes(
    key: str,
    metric: str,
    evaluation: Mapping[str, Any],
    trainers: Mapping[str, TrainerKind],
    *,
    train: bool = False,
) -> Iterator[Mistake]:
    if metric.startswith("test"):
        rule = f"must not look at the test set, got {metric!r}: it is opened once, at the end"
        yield Mistake(key, rule)
        return
    if metric.startswith("train") and not train:
        yield Mistake(key, f"must be measured on validation data, got {metric!r}")
        return
    if metric.startswith(("passes/", "resources/")):
        yield from _measured_mistakes(key, metric, evaluation, trainers)
        return
    # A user's own function may report what it likes.
    reported = {name: kind.metrics for name, kind in trainers.items() if not kind.open}
    if not trainers:
        reported = {"": METRICS}
    for name, metrics in reported.items():
        valid = [m for m in metrics if m.startswith("validation") or train]
        if metric not in valid:
            whose = f"; {name} reports these" if len({*reported.values()}) > 1 else ""
            yield Mistake(key, unknown(metric, valid) + whose)
            return


def _measured_mistakes(
    key: str, metric: str, evaluation: Mapping[str, Any], trainers: Mapping[str, TrainerKind]
) -> Iterator[Mistake]:
    switch = metric.partition("/")[0]
    if metric not in MEASURED[switch]:
        yield Mistake(key, unknown(metric, MEASURED[switch]))
        return
    if evaluation.get(switch) is not True:
        yield Mistake(key, f"must be measured for that: set evaluation.{switch} = true")
    if switch != "passes":
        return
    for name, kind in trainers.items():
        counts = kind.trainer.images if metric == IMAGES else kind.trainer.passes
        if not kind.open and counts in (Trainer.images, Trainer.passes):
            yield Mistake(key, f"must be counted by every trainer, got {name}, which can't")
            return


def _count_mistakes(
    key: str, count: str, evaluation: Mapping[str, Any], trainers: Mapping[str, TrainerKind]
) -> Iterator[Mistake]:
    known = (EPOCHS, *MEASURED["passes"])
    if count in known:
        yield from _measured_mistakes(key, count, evaluation, trainers)
    elif not any(kind.open for kind in trainers.values()):
        yield Mistake(key, unknown(count, known))
