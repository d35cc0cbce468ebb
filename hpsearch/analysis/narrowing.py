"""Narrowing as an audited decision: what each stage's end left of each parameter, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.study import Study

from hpsearch.analysis.edges import Advise, edges, in_space
from hpsearch.records.range_row import RangeRow, branch_text
from hpsearch.samplers import StudySampler
from hpsearch.samplers.base import Narrowing
from hpsearch.samplers.unit import Numeric, to_unit
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space

NO_NEWS = 0.01  # part of the declared range that a step opens or closes by rounding alone


def narrowing(
    study: Study,
    sampler: StudySampler,
    arm: Arm,
    stage: int,
    earlier: list[RangeRow],
    advise: Advise = in_space,
) -> list[RangeRow]:
    """The ranges a stage ends with, for all trials and for each branch that has enough of them.

    Args:
        advise: as for `edges`.
    """
    last = {(row.parameter, row.branch): row for row in earlier}
    trials = study.get_trials(deepcopy=False)  # once: those not finished are read from the storage
    params = {arm.number(t.number): t.params for t in trials}
    rows = []
    for parameter in arm.space.parameters:
        name = parameter.name
        for by_key, branch in _branches(arm.space, parameter):
            found = sampler.narrowed(
                trials, study.directions[0], name, parameter.distribution, branch
            )
            if found is None:
                continue
            where = {key: str(value) for key, value in (arm.values | by_key).items()}
            values = {n: drawn[name] for n, drawn in params.items() if name in drawn}
            before = last.get((name, branch_text(where)))
            rows.append(_row(arm, stage, parameter, where, found, before, values, advise))
    return rows


def _row(
    arm: Arm,
    stage: int,
    parameter: Parameter,
    where: dict[str, str],
    found: Narrowing,
    before: RangeRow | None,
    values: Mapping[int, Any],
    advise: Advise,
) -> RangeRow:
    """A line of the audit.

    Args:
        values: what each trial drew, by number.
    """
    distribution = parameter.distribution
    survivors = [arm.number(survivor) for survivor in found.survivors]
    best = [values[number] for number in survivors]
    earlier = [values[number] for number in before.survivors] if before else []
    step = (
        _step_of_choices(distribution, found.weights, before, earlier, best)
        if isinstance(distribution, CategoricalDistribution)
        else _step_of_range(distribution, found, before, earlier, best)  # type: ignore[arg-type]
    )
    alarms = {e.side: e.text for e in edges(arm.space, parameter, found, survivors, best, advise)}
    declared = _text(distribution)
    return RangeRow(
        stage=stage,
        parameter=parameter.name,
        branch=branch_text(where),
        where=where,
        declared=declared,
        before=before.now if before else declared,
        now=_numeric(found.low, found.high) if found.weights is None else _weights(found.weights),
        low=found.low,
        high=found.high,
        share=round(found.share, 4),
        survivors=survivors,
        weights=found.weights,
        discarded=round(step.discarded, 4),
        reopened=round(step.reopened, 4),
        reopened_by=[n for n, is_new in zip(survivors, step.opens, strict=True) if is_new],
        edges=[*alarms],
        alarms=[*alarms.values()],
        key="" if parameter.entry is None else parameter.key,
        when={} if parameter.entry is None else _open_conditions(arm.space, parameter),
    )


def _open_conditions(space: Space, parameter: Parameter) -> dict[str, list[str]]:
    """Its conditions on what differs between trials, as texts."""
    return {
        name: [*map(str, values)]
        for name, values in parameter.when.items()
        if name not in space.fixed
    }


@dataclass(frozen=True)
class _Step:
    """What one narrowing step took and gave back, and of each survivor whether it is why."""

    discarded: float
    reopened: float
    opens: Sequence[bool]


def _step_of_range(
    distribution: Numeric,
    found: Narrowing,
    before: RangeRow | None,
    earlier: Sequence[float],
    best: Sequence[float],
) -> _Step:
    """In the unit interval of the declared (log) range, where whole numbers own a cell each."""
    half = 0.5 * distribution.step if isinstance(distribution, IntDistribution) else 0.0

    def places(low: float | None, high: float | None) -> tuple[float, float]:
        assert low is not None
        assert high is not None
        return to_unit(distribution, low - half), to_unit(distribution, high + half)

    was = (0.0, 1.0) if before is None else places(before.low, before.high)
    now = places(found.low, found.high)
    down, up = was[0] - now[0], now[1] - was[1]  # above 0: wider
    discarded = max(0.0, -down) + max(0.0, -up)
    if before is None or max(down, up) <= NO_NEWS:
        return _Step(discarded, 0.0, [False] * len(best))
    opens = [
        (down > NO_NEWS and value < min(earlier)) or (up > NO_NEWS and value > max(earlier))
        for value in best
    ]
    return _Step(discarded, max(0.0, down) + max(0.0, up), opens)


def _step_of_choices(
    distribution: CategoricalDistribution,
    weights: Mapping[str, float] | None,
    before: RangeRow | None,
    earlier: Sequence[Any],
    best: Sequence[Any],
) -> _Step:
    """In probability; a choice is open again where survivors have it and none had before."""
    assert weights is not None
    even = dict.fromkeys(weights, 1 / len(weights))
    was = even if before is None or before.weights is None else before.weights
    discarded = sum(max(0.0, was[choice] - weight) for choice, weight in weights.items())
    opens = [before is not None and value not in earlier for value in best]
    again = {str(value) for value, is_new in zip(best, opens, strict=True) if is_new}
    return _Step(discarded, sum(max(0.0, weights[c] - was[c]) for c in again), opens)


def last_alarms(rows: Sequence[RangeRow], params: Mapping[str, Any]) -> list[str]:
    """The alarms of a configuration's branches: of each end of a range the narrowest branch's.

    Args:
        rows: of a search's last stage.
        params: compared and searched ones of the configuration.
    """
    found: dict[tuple[str, str], str] = {}
    for row in rows:  # a branch's row comes after that of all trials
        if row.hyperparameter in params and row.holds(params):
            for edge in ("low", "high"):
                found.pop((row.parameter, edge), None)
            for edge, line in zip(row.edges, row.alarms, strict=True):
                found[row.parameter, edge] = line
    return list(found.values())


def _branches(space: Space, of: Parameter) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """All trials, then the values of the first categorical parameter, on which others depend.

    Yields:
        The values by hyperparameter, and by its name in Optuna.
    """
    yield {}, {}
    for parameter in space.parameters:
        if isinstance(parameter.distribution, CategoricalDistribution):
            if parameter.name != of.name:
                for choice in parameter.distribution.choices:
                    yield {parameter.key: choice}, {parameter.name: choice}
            return


def _text(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(str(choice) for choice in distribution.choices)
    return _numeric(distribution.low, distribution.high)  # type: ignore[attr-defined]


def _numeric(low: float | None, high: float | None) -> str:
    return f"{low:.4g} … {high:.4g}"


def _weights(weights: dict[str, float]) -> str:
    ordered = sorted(weights.items(), key=lambda item: -item[1])
    return ", ".join(f"{choice} {weight:.0%}" for choice, weight in ordered)
