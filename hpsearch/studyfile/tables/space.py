"""From the [network] and [space] tables of a study file to a Space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from graphlib import CycleError, TopologicalSorter
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.errors import Problem, StudyFileError, unknown_name
from hpsearch.hyperparameters import Hyperparameter, ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.studyfile.space import Parameter, Space
from hpsearch.trainers import TRAINERS, TrainerKind, load_training_function, trainer_kind

RANGE_KEYS = ("low", "high", "log", "step", "int", "when")
CHOICE_KEYS = ("choices", "when")
NONE = "none"  # TOML has no None
NO_TEXT = "(no text that any estimator knows)"
NAMED_HINT = "lists, tables and None get names: choices = { small = [50], deep = [50, 50] }"
LARGEST = 1e300  # of bounds; beyond it the width of a range is no finite number
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")  # a table's key
Conditions = dict[str, tuple[ParamValue, ...]]


def read_space(
    network: Mapping[str, Any], entries: Mapping[str, Any]
) -> tuple[Space | None, list[Problem]]:
    """The space that the two tables describe, or None and what is wrong with them."""
    reader = _Reader(network, entries)
    space = reader.read()
    return (None if reader.problems else space), reader.problems


def trainer_names(entries: Mapping[str, Any]) -> list[Any] | None:
    """What [space] names as trainers; None where it does so in no valid form."""
    entry = entries.get("trainer")
    names = entry.get("choices") if isinstance(entry, Mapping) else [entry]
    return names if isinstance(names, list) else None


def trainers_of(entries: Mapping[str, Any]) -> dict[str, TrainerKind]:
    """The trainers of [space] that there are, by name."""
    found: dict[str, TrainerKind] = {}
    for name in trainer_names(entries) or []:
        with suppress(StudyFileError):
            kind = trainer_kind(name) if isinstance(name, str) else None
            found |= {name: kind} if kind else {}
    return found


def named_choices(entries: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The choices of [space] that have names, as the file says them, by parameter."""
    tables = {name: entry for name, entry in entries.items() if isinstance(entry, Mapping)}
    choices = {name: table.get("choices") for name, table in tables.items()}
    return {name: said for name, said in choices.items() if isinstance(said, Mapping)}


def _divides(step: float, low: float, high: float) -> bool:
    """Whether whole steps lead from low to high, by their decimals as written.

    Optuna counts so, and would move `high` where they don't.
    """
    try:
        width = Decimal(str(high)) - Decimal(str(low))
        return width % Decimal(str(step)) == 0
    except InvalidOperation:  # more steps than 28 digits can count
        return False


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, text or boolean, or a list or table of such values."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    return isinstance(value, bool | int | float | str)


def meant(said: Any) -> Any:
    """What the value of a named choice stands for: "none" for None; in tables keys of digits are
    whole numbers, such as classes in { 0 = 10, 1 = 1 }."""
    return None if said == NONE else _with_numbers(said)


def _with_numbers(said: Any) -> Any:
    if isinstance(said, list):
        return [_with_numbers(one) for one in said]
    if isinstance(said, Mapping):
        return {
            int(key) if WHOLE.fullmatch(key) else key: _with_numbers(one)
            for key, one in said.items()
        }
    return said


class _Reader:
    def __init__(self, network: Mapping[str, Any], entries: Mapping[str, Any]) -> None:
        self.network, self.entries = network, entries
        self.problems: list[Problem] = []
        self.named: dict[str, dict[str, Any]] = {}  # what names among choices stand for
        self.kinds: dict[str, TrainerKind] = {}  # of the trainers the study may use
        # What may be named in [space], by trainer and name; the network's belong to its trainers.
        self.taken: dict[str, dict[str, Hyperparameter]] = {}

    def wrong(self, key: str, rule: str, got: str = "", hint: str = "") -> None:
        self.problems.append(Problem(key, rule, got, hint))

    def unknown(self, key: str, name: object, valid: Iterable[str], first: str = "") -> None:
        self.problems.append(unknown_name(key, name, valid, first=first))

    def read(self) -> Space:
        self._trainers()
        self._network()
        searched: dict[str, tuple[BaseDistribution, Conditions]] = {}
        fixed: dict[str, ParamValue] = {
            k if k != "name" else "network": v for k, v in self.network.items()
        }
        for name, entry in self.entries.items():
            if not self._known(name):
                continue
            if isinstance(entry, Mapping):
                distribution = self._distribution(name, entry)
                if distribution is not None:
                    searched[name] = (distribution, self._when(name, entry.get("when", {})))
            elif self._exists(name):
                self._plain(f"space.{name}", name, entry)
                fixed[name] = entry
        return Space(self._ordered(searched), fixed, self.named)

    def _trainers(self) -> None:
        entry = self.entries.get("trainer")
        if entry is None:
            self.unknown("space.trainer", None, self._trainer_names(), "is missing: ")
            return
        names = trainer_names(self.entries)
        if names is None or (isinstance(entry, Mapping) and "when" in entry):
            self.wrong("space.trainer", "must be a name or choices alone", repr(entry))
            return
        for name in names:
            try:
                kind = trainer_kind(name) if isinstance(name, str) else None
                if kind is None:
                    self.unknown("space.trainer", name, self._trainer_names())
                    continue
                self.kinds[name] = kind
                if kind.open:
                    load_training_function(name)
            except StudyFileError as error:
                self.wrong("space.trainer", str(error))
        self.taken = {name: kind.hyperparameters() for name, kind in self.kinds.items()}

    @staticmethod
    def _trainer_names() -> list[str]:
        return [*TRAINERS, "module:function", "sklearn.module.Class"]

    def _network(self) -> None:
        needed = [name for name, kind in self.kinds.items() if kind.trainer.uses_network]
        name = self.network.get("name")
        if name is None:
            if needed or self.network:
                who = f" ({needed[0]} trains a network)" if needed else ""
                self.unknown("network.name", None, NETWORKS, f"is missing{who}: ")
            return
        if self.kinds and not needed and not any(kind.open for kind in self.kinds.values()):
            self.wrong("network", f"must be left out: {', '.join(self.kinds)} trains no network")
        if name not in NETWORKS:
            self.unknown("network.name", name, NETWORKS)
            return
        described = hyperparameters(NETWORKS[name])
        for trainer in needed:
            try:
                of_trainer = self.kinds[trainer].trainer.network_hyperparameters(name)
            except ValueError as error:
                self.wrong("network.name", f"{error} ({trainer} trains no others)")
                return
            self.taken[trainer] |= of_trainer
        for key, value in self.network.items():
            if key == "name":
                continue
            if key not in described:
                self.unknown(f"network.{key}", key, ["name", *described])
            elif key in self.entries:
                self.wrong(f"space.{key}", "must stand once", f"it in [network] too ({value!r})")
            elif problem := described[key].problem(value):
                self.wrong(f"network.{key}", problem)
            else:
                self._value(f"network.{key}", key, value)

    def _known(self, name: str) -> bool:
        names = dict.fromkeys(name for taken in self.taken.values() for name in taken)
        if name == "trainer" or name in names or any(k.open for k in self.kinds.values()):
            return True
        if self.kinds:  # else the trainer itself is wrong, and nothing can be said of the rest
            self.unknown(f"space.{name}", name, ["trainer", *names])
        return False

    def _meanings(self, name: str) -> dict[str, Hyperparameter]:
        """What a name means to each trainer that takes it under its condition."""
        takers = {t: taken[name] for t, taken in self.taken.items() if name in taken}
        entry = self.entries.get(name)
        when = entry.get("when") if isinstance(entry, Mapping) else None
        asked = when.get("trainer") if isinstance(when, Mapping) else None
        wanted = asked if isinstance(asked, list) else [asked]
        return {t: h for t, h in takers.items() if asked is None or t in wanted}

    def _value(self, key: str, name: str, value: Any) -> None:
        meanings = self._meanings(name)
        for trainer, described in meanings.items():
            if problem := described.problem(value):
                shared = all(other == described for other in meanings.values())
                shared &= name not in self._limits(trainer)
                way_out = "; `when` can leave it out" if name in self.entries else ""
                whose = "" if shared else f" ({trainer} says so{way_out})"
                self.wrong(key, problem + whose)
                return

    def _plain(self, key: str, name: str, value: Any) -> None:
        """As `_value`, of one that stands alone or in a list of choices: there "none" is None
        where an estimator takes that and no such text."""
        if value == NONE and self._is_taken(name, None) and not self._is_taken(name, NONE):
            self.named.setdefault(name, {})[NONE] = None
            return
        self._value(key, name, value)

    def _is_taken(self, name: str, value: Any) -> bool:
        """Whether estimators alone take this hyperparameter, and all of them this value."""
        meanings = self._meanings(name).values()
        return bool(meanings) and all(h.judge and h.problem(value) is None for h in meanings)

    def _limits(self, trainer: str) -> Mapping[str, Any]:
        """What this trainer narrows of the network's hyperparameters."""
        networks = self.kinds[trainer].trainer.networks or {}
        return networks.get(str(self.network.get("name")), {})

    def _distribution(self, name: str, entry: Mapping[str, Any]) -> BaseDistribution | None:
        key, before = f"space.{name}", len(self.problems)
        valid = CHOICE_KEYS if "choices" in entry else RANGE_KEYS
        for extra in entry:
            if extra not in valid:
                self.unknown(f"{key}.{extra}", extra, valid)
        if "choices" in entry:
            made = self._choices(name, entry["choices"])
        else:
            made = self._range(name, entry)
        return made if len(self.problems) == before else None

    def _choices(self, name: str, choices: Any) -> BaseDistribution | None:
        key = f"space.{name}.choices"
        if isinstance(choices, Mapping) and choices:
            return self._named_choices(name, key, choices)
        if not isinstance(choices, list) or not choices:
            self.wrong(key, "must be a list of at least one value", repr(choices))
            return None
        for value in choices:
            if not isinstance(value, bool | int | float | str):
                rule = "must hold numbers, texts or booleans"
                self.wrong(key, rule, repr(value), NAMED_HINT)
            else:
                self._plain(key, name, value)
        if any(not isinstance(value, bool | int | float | str) for value in choices):
            return None
        # 1, 1.0 and true are equal, and one of them is all that Optuna would hand back.
        if len(set(choices)) < len(choices):
            self.wrong(key, "must differ from each other", repr(choices))
        return CategoricalDistribution(choices)

    def _named_choices(
        self, name: str, key: str, choices: Mapping[str, Any]
    ) -> BaseDistribution | None:
        """Choices that are called by a name: { small = [50], deep = [50, 50] }."""
        takers = self._meanings(name).values()
        if name == "trainer" or any(h.judge is None for h in takers):
            rule = "must be a list: names are for arguments of estimators and of your functions"
            self.wrong(key, rule, repr(choices))
            return None
        before = len(self.problems)
        for called, said in choices.items():
            if not _is_plain(said):
                rule = "must be a number, a text, a boolean, or a list or table of these"
                self.wrong(f"{key}.{called}", rule, repr(said))
                continue
            value = self._meant(name, said)
            self._value(f"{key}.{called}", name, value)
            if value in self.named.get(name, {}).values():
                self.wrong(f"{key}.{called}", "must differ from the other choices", repr(said))
            self.named.setdefault(name, {})[called] = value
        return CategoricalDistribution([*choices]) if len(self.problems) == before else None

    def _meant(self, name: str, said: Any) -> Any:
        """The value that is meant by what TOML can say: see `meant`. An estimator that knows the
        text "none", and no text whatever, gets that; one that takes no list gets a tuple."""
        if said == NONE and self._is_taken(name, NONE) and not self._is_taken(name, NO_TEXT):
            return NONE
        value = meant(said)
        if not isinstance(value, list) or self._is_taken(name, value):
            return value
        return tuple(value) if self._is_taken(name, tuple(value)) else value

    def _range(self, name: str, entry: Mapping[str, Any]) -> BaseDistribution | None:
        key, before = f"space.{name}", len(self.problems)
        for bound in ("low", "high"):
            value = entry.get(bound)
            if value is None:
                self.wrong(f"{key}.{bound}", "is missing: a range has low and high")
            elif (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not abs(value) < LARGEST
            ):
                self.wrong(f"{key}.{bound}", "must be a finite number", repr(value))
            else:
                self._value(f"{key}.{bound}", name, value)
        log, step = entry.get("log", False), entry.get("step")
        if not isinstance(log, bool):
            self.wrong(f"{key}.log", "must be true or false", repr(log))
        number = isinstance(step, int | float) and not isinstance(step, bool)
        if step is not None and not (number and 0 < step < LARGEST):
            self.wrong(f"{key}.step", "must be a finite number above 0", repr(step))
        if len(self.problems) > before:
            return None
        low, high = entry["low"], entry["high"]
        if low >= high:
            self.wrong(f"{key}.high", f"must be above low ({low!r})", repr(high))
        if log and low <= 0:
            self.wrong(f"{key}.low", "must be above 0 where log = true", repr(low))
        if log and step is not None:
            self.wrong(f"{key}.step", "must be left out where log = true")
        elif step is not None and not _divides(step, low, high):
            rule = f"must divide the range from {low!r} to {high!r}"
            self.wrong(f"{key}.step", rule, repr(step))
        meanings = self._meanings(name)
        kinds = {described.kind for described in meanings.values()}
        if str in kinds:
            rule = next(h.rule() for h in meanings.values() if h.kind is str)
            self.wrong(key, f"must have choices instead of a range: it is {rule}")
        whole = self._whole(name, entry)
        if whole and step is not None and not isinstance(step, int):
            self.wrong(f"{key}.step", "must be a whole number", repr(step))
        if len(self.problems) > before:
            return None
        if whole:
            return IntDistribution(low, high, log=log, step=1 if step is None else step)
        return FloatDistribution(low, high, log=log, step=step)

    def _whole(self, name: str, entry: Mapping[str, Any]) -> bool:
        """Whether a range draws whole numbers alone: where the file says so, where the trainer
        takes no others, or where every step leads to one."""
        key, said, low = f"space.{name}.int", entry.get("int"), entry["low"]
        meanings = self._meanings(name).values()
        integers = all(isinstance(entry[bound], int) for bound in ("low", "high"))
        if said is None:
            kinds = {described.kind for described in meanings}
            known = int in kinds or any(h.judge and h.problem(low + 0.5) for h in meanings)
            return integers and (known or (isinstance(entry.get("step"), int) and not kinds))
        if not isinstance(said, bool):
            self.wrong(key, "must be true or false", repr(said))
        elif said and not integers:
            rule = "must be left out where low or high is no whole number"
            self.wrong(key, rule, f"{low!r} and {entry['high']!r}")
        elif not said:
            whole = (h for h in meanings if h.kind is int and h.judge is None)
            for described in whole:
                self.wrong(key, f"must be left out: {name} must be {described.rule()}")
        return bool(said)

    def _when(self, name: str, when: Any) -> Conditions:
        key = f"space.{name}.when"
        conditions: Conditions = {}
        if not isinstance(when, Mapping):
            self.wrong(key, 'must be a table such as { trainer = "momentum" }', repr(when))
            return conditions
        for parent, wanted in when.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            if not values:
                self.wrong(f"{key}.{parent}", "must hold at least one value", "[]")
                continue
            choices = self._choices_of(parent)
            if choices is None:
                parents = [
                    n for n in self.entries if self._choices_of(n) is not None and n != name
                ]
                rule = "must name a parameter with choices; "
                self.unknown(f"{key}.{parent}", parent, parents, rule)
                continue
            for value in values:
                if not any(type(value) is type(c) and value == c for c in choices):
                    self.unknown(f"{key}.{parent}", value, map(str, choices))
            conditions[parent] = tuple(values)
        self._own_trainers(name, key, conditions)
        self._own_part(name, key, conditions)
        return conditions

    def _choices_of(self, name: str) -> list[Any] | None:
        """The values a condition on `name` may ask for."""
        entry = self.entries.get(name)
        if isinstance(entry, Mapping):
            choices = entry.get("choices")
            return list(choices) if isinstance(choices, list | Mapping) else None
        return None if entry is None else [entry]

    def _own_trainers(self, name: str, key: str, conditions: Conditions) -> None:
        """Narrow the condition to the trainers that take this hyperparameter."""
        takers = tuple(t for t, kind in self.kinds.items() if kind.open or name in self.taken[t])
        if name == "trainer" or len(takers) == len(self.kinds):
            return
        asked = conditions.get("trainer", takers)
        both = tuple(t for t in asked if t in takers)
        if not both:
            rule = f"must be one that takes {name}; "
            self.unknown(f"{key}.trainer", asked[0], takers, rule)
        conditions["trainer"] = both

    def _own_part(self, name: str, key: str, conditions: Conditions) -> None:
        """Narrow the condition to the value of another that this hyperparameter belongs to."""
        belongs = self._belongs(name)
        if belongs is None or not self._exists(name):
            return
        parent, value = belongs
        if parent not in self.entries:  # then it is fixed, and has this value
            return
        asked = conditions.get(parent, (value,))
        if value not in asked:
            self.unknown(f"{key}.{parent}", asked[0], [str(value)])
        conditions[parent] = (value,)

    def _exists(self, name: str) -> bool:
        """Whether some trial can have it; a problem if the value it belongs to is never taken."""
        belongs = self._belongs(name)
        if belongs is None:
            return True
        parent, value = belongs
        values = self._choices_of(parent)
        if values is None:
            default = next(t[parent].default for t in self.taken.values() if parent in t)
            values = [self.network.get(parent, default)]
        if value not in values:
            self.wrong(
                f"space.{name}",
                f"must go with {parent} = {value!r}",
                ", ".join(map(repr, values)),
            )
        return value in values

    def _belongs(self, name: str) -> tuple[str, ParamValue] | None:
        """The name and value of another that it belongs to; a user's function takes it anyway."""
        conditions = {h.when for h in self._meanings(name).values()}
        taken_anyway = any(kind.open for kind in self.kinds.values())
        return None if len(conditions) != 1 or taken_anyway else conditions.pop()

    def _ordered(
        self, searched: Mapping[str, tuple[BaseDistribution, Conditions]]
    ) -> tuple[Parameter, ...]:
        graph = {name: set(when) & set(searched) for name, (_, when) in searched.items()}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            names = " -> ".join(reversed(error.args[1]))
            key = f"space.{error.args[1][0]}.when"
            self.wrong(key, "must not lead back to itself", names)
            return ()
        return tuple(Parameter(name, *searched[name]) for name in order)
