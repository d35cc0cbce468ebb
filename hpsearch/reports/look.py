"""What the prepared views of a study in MLflow are made of; part of parent.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.study_view import StudyView
from hpsearch.study.opening import Run
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.tracking.markdown import plain


def look_of(read: ReadStudy, run: Run, result: Result | None) -> dict[str, Any]:
    """Directions, names and numbers that views, notes and run names are made of.

    Returns:
        direction, metric, objectives: of what is optimised, see Result.
        parameters: hyperparameters that are searched, the most important first once a result
            says which; ranges: those of them that are numbers in a range; unconditional: those
            that every trial has.
        test_metrics: what was measured on the test set.
        lengths: the stages' epochs.
        digits: of the largest number that a trial may have.
        top: uids of the best trials; outer, defaults: whether there are runs of such.
        winner: uid of the winner's trial; finals: what became of trials that were confirmed, in
            Markdown, by uid.
    """
    file = read.file
    searched: list[Parameter] = [p for arm in read.arms for p in arm.space.parameters]
    compared = dict.fromkeys(name for arm in read.arms for name in arm.values)
    names = [*compared, *dict.fromkeys(p.key for p in searched)]
    shares = _shares(run.folder, result, {p.name: p.key for p in searched})
    names.sort(key=lambda name: -shares.get(name, 0.0))  # ties keep the study file's order
    choices = {p.key for p in searched if hasattr(p.distribution, "choices")}
    n_trials = run.chapter.first + sum(stage.trials for stage in file.stages)
    n_trials *= len(read.arms)
    return {
        "direction": file.objective.direction,
        "metric": file.objective.metric,
        "objectives": [goal.name for goal in file.objectives],
        "parameters": names,
        "ranges": [n for n in names if n not in choices and n not in compared],
        "unconditional": [
            n
            for n in names
            if n in compared
            or all(
                in_every(n, arm.space.parameters, {**arm.space.fixed, **arm.values})
                for arm in read.arms
            )
        ],
        "test_metrics": list(result.test) if result else [],
        "lengths": [*file.lengths],
        "digits": len(str(max(n_trials - 1, 0))),
        "outer": file.outer is not None,
        "defaults": next(iter(run.folder.read_all("default")), None) is not None,
        "top": [_uid(run, entry["number"]) for entry in result.top] if result else [],
        "winner": _uid(run, result.best_number) if result else None,
        "finals": _finals(run, result) if result else {},
    }


def in_every(key: str, searched: Sequence[Parameter], given: Mapping[str, Any]) -> bool:
    """Whether every trial has a hyperparameter: one of its ranges has no condition, or there is
    one for each choice of another.

    Args:
        given: what all trials have.
    """
    conditions = [
        {name: values for name, values in p.when.items() if given.get(name) not in values}
        for p in searched
        if p.key == key
    ]
    if not all(conditions):
        return True
    others = {name for when in conditions for name in when}
    if len(others) != 1:
        return False
    (other,) = others
    covered = {value for when in conditions for value in when[other]}
    choices = [
        getattr(p.distribution, "choices", None) for p in searched if p.key == other and not p.when
    ]
    return any(of is not None and covered.issuperset(of) for of in choices)


def _uid(run: Run, number: object) -> str:
    return f"{run.id}:trial:{number}"


def _finals(run: Run, result: Result) -> dict[str, str]:
    """A sentence for each trial that was confirmed."""
    objective, best = plain(result.objective), result.best_number
    found = {
        _uid(
            run, number
        ): f"**Confirmed**, but not the winner, which is trial {best}: {objective} {estimate}."
        for number, estimate in result.confirmed.items()
    }
    test = f" On the test set: {result.test_score}." if result.test_score else ""
    won = f"**The winner** of {run.name}: {objective}, confirmed: {result.validation}.{test}"
    return found | {_uid(run, best): won}


def _shares(folder: RunFolder, result: Result | None, keys: Mapping[str, str]) -> dict[str, float]:
    """Each hyperparameter's share in what made trials good; the larger one of several ranges.

    Args:
        keys: of the names in Optuna.
    """
    if result is None:
        return {}
    shares: dict[str, float] = {}
    for name, share in StudyView.of(folder, result).importance.items():
        key = keys.get(name, name)
        shares[key] = max(share, shares.get(key, 0.0))
    return shares
