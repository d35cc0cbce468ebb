"""Hyperparameters are dataclass fields; what may be said of one is said here, once.

A component (network, trainer, optimizer) is a frozen dataclass. Each field made with
`hyperparameter(...)` carries its range, unit and the reason for its default. Search-space names,
their checks and MLflow params are read from these fields and never typed a second time.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

ParamValue = bool | int | float | str
Component = TypeVar("Component")


@dataclass(frozen=True)
class Hyperparameter:
    """One tunable number or choice.

    Attributes:
        name: the key in a study file's [space] or [network].
        kind: int, float or str; object where values of several kinds are valid.
        default: the value used where a study file says nothing; None: left to the component.
        low, high: the closed range of valid values; None where there is no bound.
        above: an open lower bound (the value must be greater).
        below: an open upper bound.
        choices: the valid values of a categorical one.
        unit: what the number counts, e.g. "images".
        why: the reason for the default.
        shared: members of one population must have the same value (it fixes array shapes).
        judge: says what is wrong with a value, in place of the ranges above (a scikit-learn
            estimator knows its own rules).
    """

    name: str
    kind: type
    default: ParamValue | None
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[ParamValue, ...] = ()
    unit: str = ""
    why: str = ""
    shared: bool = False
    judge: Callable[[object], str | None] | None = None

    def rule(self) -> str:
        """What a valid value is, in words, e.g. "a number of at least 0 and below 1"."""
        if self.choices:
            return "one of " + ", ".join(repr(c) for c in self.choices)
        bounds = [
            text.format(bound)
            for text, bound in (
                ("of at least {:g}", self.low),
                ("above {:g}", self.above),
                ("of at most {:g}", self.high),
                ("below {:g}", self.below),
            )
            if bound is not None
        ]
        noun = {int: "a whole number", float: "a number"}.get(self.kind, "a text")
        unit = f" ({self.unit})" if self.unit else ""
        return " ".join([noun, " and ".join(bounds)]).strip() + unit

    def problem(self, value: object) -> str | None:
        """None for a valid value, else "must be <rule>, got <value>"."""
        if self.judge is not None:
            return self.judge(value)
        return None if self._valid(value) else f"must be {self.rule()}, got {value!r}"

    def _valid(self, value: object) -> bool:
        if self.choices:
            return any(type(value) is type(c) and value == c for c in self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.kind is str and isinstance(value, str)
        if self.kind is str or (self.kind is int and not isinstance(value, int)):
            return False
        return (
            abs(value) <= sys.float_info.max  # not isfinite, which raises on a huge int
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def hyperparameter(default: ParamValue, **said: Any) -> Any:
    """A dataclass field that is a hyperparameter; `said` are attributes of Hyperparameter."""
    return dataclasses.field(default=default, metadata={"hyperparameter": said})


def hyperparameters(component: type) -> dict[str, Hyperparameter]:
    """The hyperparameters of a component class by name, in the order of its fields."""
    found = {}
    for field in dataclasses.fields(component):
        said = field.metadata.get("hyperparameter")
        if said is not None:
            default: Any = field.default
            found[field.name] = Hyperparameter(
                name=field.name, kind=type(default), default=default, **said
            )
    return found


def build(component: type[Component], params: Mapping[str, ParamValue]) -> Component:
    """An instance of `component` from those of `params` that are its hyperparameters.

    Raises:
        ValueError: a value breaks the rule of its hyperparameter.
    """
    known = hyperparameters(component)
    values: dict[str, ParamValue] = {}
    for name, described in known.items():
        if name not in params:
            continue
        problem = described.problem(params[name])
        if problem:
            raise ValueError(f"{name} {problem}")
        values[name] = float(params[name]) if described.kind is float else params[name]
    return component(**values)
