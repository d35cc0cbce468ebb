"""From the defaults to the winner, one parameter at a time.

    defaults = c_0,  c_1,  ...,  c_m = winner

c_i has one more of the winner's values than c_(i-1): the one by which the model of the trials
expects the best c_i. Each is run on the repeats of the confirmation, so that a step's gain is a
mean of pairs. The ends of the path were run there already.

Source: Fawcett and Hoos, "Analysing differences between algorithm configurations through
ablation" (Journal of Heuristics 22, 2016); that a model chooses the path, Biedenkapp, Lindauer,
Eggensperger, Hutter, Fawcett and Hoos (AAAI 2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.analysis.trial_model import TrialModel
from hpsearch.records.estimate import Estimate
from hpsearch.studyfile.space import Space


@dataclass(frozen=True)
class Step:
    """One change on the path.

    Attributes:
        changed: the parameters that it sets to the winner's values, with these; several where one
            brings others along, or where the budget has no runs for each.
        before: what they were; a parameter that the defaults do not have is missing.
        score: the objective after the step.
        gain: over the step before, positive where it is better; None where a run failed.
        failure: why there is no score; "" for none.
    """

    changed: dict[str, Any]
    before: dict[str, Any]
    score: Estimate | None
    gain: Estimate | None
    failure: str = ""

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Step:
        """The inverse of `asdict`."""
        known = {
            name: None if said[name] is None else Estimate(**said[name])
            for name in ("score", "gain")
        }
        return cls(**{**said, **known})

    @property
    def verdict(self) -> str:
        """What the change is good for."""
        if self.gain is None:
            return self.failure
        if self.gain.sign > 0:
            return "matters"
        return "makes it worse" if self.gain.sign < 0 else "could stay at the default"


def path(
    space: Space,
    default: Mapping[str, Any],
    winner: Mapping[str, Any],
    model: TrialModel,
    *,
    better: int,
    most: int,
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The configurations after the defaults and what each changes, the winner last.

    Args:
        default, winner: complete hyperparameters.
        better: 1 where higher scores are, else -1.
        most: configurations between the two; what is left then changes in one step.
    """
    left = _differing(space, default, winner)
    now, taken = dict(default), set[str]()
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    while left and len(found) < most:
        tried = {key: _with(space, default, winner, taken | {key}) for key in left}
        left = [key for key in left if space.broken(tried[key]) is None]
        if not left:  # those that remain change together, as none keeps the relations alone
            break
        best = max(left, key=lambda key: (better * model.predict(tried[key]), -left.index(key)))
        taken.add(best)
        found.append((tried[best], _changed(space, now, tried[best])))
        now = tried[best]
        left = [key for key in _differing(space, now, winner) if key not in taken]
    if left or not found or now != dict(winner):
        found.append((dict(winner), _changed(space, now, winner)))
    return found


def _differing(space: Space, default: Mapping[str, Any], winner: Mapping[str, Any]) -> list[str]:
    """Searched parameters that both have with other values: those alone are changed by
    themselves; what one side does not have comes with what brings it."""
    keys = dict.fromkeys(parameter.key for parameter in space.parameters)
    return [
        key
        for key in keys
        if key in winner and winner.get(key) != default.get(key) and _is_held(space, key, default)
    ]


def _is_held(space: Space, key: str, params: Mapping[str, Any]) -> bool:
    return any(p.key == key and p.active(params) for p in space.parameters)


def _with(
    space: Space, default: Mapping[str, Any], winner: Mapping[str, Any], taken: set[str]
) -> dict[str, Any]:
    """The defaults with the winner's values of these, and of what the defaults do not have."""
    params: dict[str, Any] = dict(space.fixed)
    for parameter in space.parameters:
        key = parameter.key
        if not parameter.active(params):
            continue
        mine = key in taken or not _is_held(space, key, default)
        source = winner if mine else default
        if key in source:
            params[key] = source[key]
    return dict(space.complete(params))


def _changed(space: Space, before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    keys = dict.fromkeys(parameter.key for parameter in space.parameters)
    return {key: now[key] for key in keys if key in now and before.get(key) != now[key]}


def n_configurations(trainings: int | None, seeds: int, members: int) -> int:
    """How many configurations between the ends the budget has runs for.

    Args:
        trainings: in all; None: as many as there are steps.
        seeds: repeats of each.
        members: trainings a repeat.
    """
    return 10**6 if trainings is None else trainings // (seeds * members)


def as_rows(steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
    """A row a step, for a table."""
    for number, step in enumerate(steps, start=1):
        names = ", ".join(step.changed)
        yield {
            "step": number,
            "parameter": names,
            "default": ", ".join(str(step.before.get(name, "")) for name in step.changed),
            "winner": ", ".join(map(str, step.changed.values())),
            "score": None if step.score is None else step.score.mean,
            "gain": None if step.gain is None else step.gain.mean,
            "low": None if step.gain is None else step.gain.low,
            "high": None if step.gain is None else step.gain.high,
            "verdict": step.verdict,
        }
