"""Hyperparameters are dataclass fields, each defined once with all its properties.

A component (network, trainer, optimizer) is a frozen dataclass. Each field made with
`hyperparameter(...)` carries its range, unit and the reason for its default. Search-space names,
their checks and MLflow params are read from these fields and never typed a second time.

A field may name one of several components (`parts`), e.g. a learning-rate policy: it is a choice
of their names, and the hyperparameters of a part exist only if that part is chosen.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

from hpsearch.value_texts import value_text

# Names of hyperparameters and metrics: what MLflow takes as a key.
NAME = re.compile(r"(?!.*//)(?!.*\.\.)(?![/.])[\w./ :-]{0,249}[\w:-]", re.ASCII)
NAME_RULE = "1 to 250 letters, digits, '_', '-', '.', ':' or ' ', with '/' between parts"

ParamValue = bool | int | float | str
Component = TypeVar("Component")


@dataclass(frozen=True)
class Hyperparameter:
    """One tunable number or choice.

    Attributes:
        name: the key in a study file's [space] or [network].
        kind: int, float or str; object if values of several kinds are valid.
        default: the value if a study file gives none; None: left to the component.
        low, high: the closed range of valid values; None if there is no bound.
        above: an open lower bound (the value must be greater).
        below: an open upper bound.
        choices: the valid values of a categorical hyperparameter.
        parts: the components that its values name; the choices are then these names.
        each: the bounds of every number in a text such as "0.5, 0.75": low, high, above, below.
        when: (name, value) of the hyperparameter that must have this value for it to exist.
        unit: what the number counts, e.g. "images".
        why: the reason for the default.
        shared: members of one population must have the same value (it fixes array shapes).
        judge: a function that says what is wrong with a value, instead of the ranges above (a
            scikit-learn estimator has its own rules).
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
    parts: Mapping[str, type] = field(default_factory=dict)
    each: Mapping[str, float] | None = None
    when: tuple[str, ParamValue] | None = None
    judge: Callable[[object], str | None] | None = None

    def exists(self, params: Mapping[str, ParamValue]) -> bool:
        """Whether a component with these complete hyperparameters has this one."""
        return self.when is None or params.get(self.when[0]) == self.when[1]

    def rule(self) -> str:
        """The rule for a valid value, in words, e.g. "a number of at least 0 and below 1"."""
        if self.choices:
            return "one of " + ", ".join(
                value_text(c) if isinstance(c, bool) else repr(c) for c in self.choices
            )
        if self.each is not None:
            unit = f" ({self.unit})" if self.unit else ""
            return f"numbers with commas between, each {self._number().rule()}{unit}"
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
        if self.each is not None:
            listed = _numbers(value)
            return bool(listed) and all(self._number()._valid(number) for number in listed)
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

    def _number(self) -> Hyperparameter:
        """The rule for each number of a text."""
        return Hyperparameter(self.name, float, 0.0, **(self.each or {}))  # type: ignore[arg-type]


def numbers(value: ParamValue) -> tuple[float, ...]:
    """The numbers of a valid value: those of a text such as "0.5, 0.75", or the number itself."""
    return _numbers(value) if isinstance(value, str) else (float(value),)


def _numbers(value: object) -> tuple[float, ...]:
    """The numbers of a comma-separated text; none if it is not such a text."""
    try:
        return (
            tuple(float(part) for part in str(value).split(",")) if isinstance(value, str) else ()
        )
    except ValueError:
        return ()


def hyperparameter(default: ParamValue, **said: Any) -> Any:
    """A dataclass field that is a hyperparameter.

    Args:
        default: of the field.
        said: attributes of Hyperparameter, e.g. low, high, above, below, choices, unit, why.

    Raises:
        TypeError: it has no such attribute.
    """
    known = {one.name for one in dataclasses.fields(Hyperparameter)} - {"name", "kind", "default"}
    if not said.keys() <= known:
        wrong = ", ".join(sorted(said.keys() - known))
        raise TypeError(f"hyperparameter() must be given {', '.join(sorted(known))}, got {wrong}")
    return dataclasses.field(default=default, metadata={"hyperparameter": said})


def hyperparameters(component: type) -> dict[str, Hyperparameter]:
    """The hyperparameters of a component class by name, in the order of its fields.

    The hyperparameters of its parts follow the one that names the part, each with its condition
    in `when`.
    """
    found = {}
    for name, described in _own(component).items():
        found[name] = described
        for value, part in described.parts.items():
            for inner, of_part in hyperparameters(part).items():
                found[inner] = dataclasses.replace(of_part, when=of_part.when or (name, value))
    return found


@cache  # asked for every member of a population
def _own(component: type) -> dict[str, Hyperparameter]:
    """The hyperparameters that are fields of the component itself; not to be changed."""
    found = {}
    for one in dataclasses.fields(component):
        said = one.metadata.get("hyperparameter")
        if said is not None:
            default: Any = one.default
            if "parts" in said:
                said = {**said, "choices": tuple(said["parts"])}
            found[one.name] = Hyperparameter(
                name=one.name, kind=type(default), default=default, **said
            )
    return found


def build(component: type[Component], params: Mapping[str, ParamValue]) -> Component:
    """An instance of `component`, made from its own hyperparameters in `params`.

    Raises:
        ValueError: a value breaks the rule of its hyperparameter.
    """
    values: dict[str, ParamValue] = {}
    own = _own(cast(type, component))  # mypy calls type[Component] not hashable
    for name, described in own.items():
        if name not in params:
            continue
        problem = described.problem(params[name])
        if problem:
            raise ValueError(f"{name} {problem}")
        values[name] = float(params[name]) if described.kind is float else params[name]
    return component(**values)
