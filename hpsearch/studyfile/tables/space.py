"""From the [network] and [space] tables of a study file to a Space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
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
from hpsearch.preparation.settings import PREFIX
from hpsearch.studyfile.conditions import Circle, ordered, overlaps, same_names
from hpsearch.studyfile.entries import (
    NONE,
    Entry,
    entries_of,
    key_path,
    meant,
    trainer_names,
)
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.prior_reading import read_prior
from hpsearch.studyfile.relation_reading import read_relations, together_problems
from hpsearch.studyfile.relations.bounds import Bounds
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.toml import toml_value
from hpsearch.trainers import (
    TRAINERS,
    Task,
    TrainerKind,
    is_training_function,
    load_training_function,
    trainer_kind,
)

RANGE_KEYS = ("low", "high", "log", "step", "int", "when", "default", "prior", "confidence")
CHOICE_KEYS = ("choices", "when", "default", "weights")
NO_TEXT = "(no text that any estimator knows)"
NAMED_HINT = "lists, tables and None get names: choices = { small = [50], deep = [50, 50] }"
LARGEST = 1e300  # of bounds; beyond it the width of a range is no finite number
Conditions = dict[str, tuple[ParamValue, ...]]


def read_space(
    network: Mapping[str, Any],
    entries: Mapping[str, Any],
    prepare: Mapping[str, Any] = MappingProxyType({}),
    *,
    relations: Sequence[str] = (),
    prepared: bool = False,
    task: Task | None = None,
) -> tuple[Space | None, list[Problem]]:
    """The space that the tables describe, or None and what is wrong with them.

    Args:
        prepare: entries of [prepare], which are part of the space.
        relations: between parameters, as the file says them.
        prepared: the data is a table whose columns are prepared for its trainers.
        task: what is predicted; None: not known.
    """
    whole = {**entries, **{PREFIX + key: entry for key, entry in prepare.items()}}
    bounds = Bounds(whole, network)
    if bounds.problems:
        return None, bounds.problems
    reader = _Reader(network, bounds.entries, prepared=prepared, task=task)
    space = reader.read()
    if reader.problems:
        return None, reader.problems
    said, problems = read_relations(relations, space)
    space = space.with_relations([*said, *bounds.relations])
    problems += together_problems(space)
    return (None if problems else space), problems


def _divides(step: float, low: float, high: float) -> bool:
    """Whether whole steps lead from low to high, by their decimals as written.

    Optuna counts so, and would move `high` where they don't.
    """
    try:
        width = Decimal(str(high)) - Decimal(str(low))
        return width % Decimal(str(step)) == 0
    except InvalidOperation:  # more steps than 28 digits can count
        return False


def _is_number(value: object) -> bool:
    """Whether it is a text that would be a number without its quotes."""
    if not isinstance(value, str):
        return False
    try:
        return abs(float(value)) < LARGEST
    except ValueError:
        return False


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, text or boolean, or a list or table of such values."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    return isinstance(value, bool | int | float | str)


class _Reader:
    def __init__(
        self,
        network: Mapping[str, Any],
        entries: Mapping[str, Any],
        *,
        prepared: bool,
        task: Task | None,
    ) -> None:
        self.network, self.said, self.prepared, self.task = network, entries, prepared, task
        self.entries = entries_of(entries)
        self.problems: list[Problem] = []
        self.named: dict[str, dict[str, Any]] = {}  # what names among choices stand for, by path
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
        searched: list[Parameter] = []
        fixed: dict[str, ParamValue] = {
            k if k != "name" else "network": v for k, v in self.network.items()
        }
        for key, entries in self.entries.items():
            if not self._known(key) or not self._is_proper(key):
                continue
            for entry in entries:
                if isinstance(entry.said, Mapping):
                    distribution = self._distribution(entry, entry.said)
                    if distribution is not None:
                        when = self._when(entry, entry.said.get("when", {}))
                        default = self._default(entry, distribution)
                        prior = read_prior(entry.path, entry.said, distribution)
                        if isinstance(prior, Problem):
                            self.problems.append(prior)
                            continue
                        searched.append(
                            Parameter(key, distribution, when, entry.place, default, prior)
                        )
                elif self._exists(entry):
                    self._plain(entry.path, entry, entry.said)
                    fixed[key] = entry.said
        if not self.problems:
            self.problems += [*same_names(searched), *overlaps(searched)]
        return Space(self._ordered(searched), fixed, self._names(), self.prepared)

    def _is_proper(self, key: str) -> bool:
        """Whether it is no list, or one of tables with conditions; the trainer's is refused."""
        said = self.said[key]
        if not isinstance(said, list):
            return True
        if key == "trainer":
            return False
        if not any(isinstance(one, Mapping) for one in said):
            rule = (
                "must be a number, a text, true or false or a table such as { choices = [1, 2] }, "
                "or a list of ranges that have a `when` each"
            )
            hint = f"write {{ choices = {toml_value(said)} }}" if said else ""
            self.wrong(key_path(key), rule, repr(said), hint)
            return False
        before = len(self.problems)
        for entry in self.entries[key]:
            if not isinstance(entry.said, Mapping):
                rule = "must be a range or choices with a `when`"
                hint = "a value that is fixed under a condition is { choices = [value] }"
                self.wrong(entry.path, rule, repr(entry.said), hint)
            elif not entry.said.get("when"):
                rule = (
                    "is missing: each range of a list needs one, and they must exclude each other"
                )
                self.wrong(f"{entry.path}.when", rule)
        return len(self.problems) == before

    def _names(self) -> dict[str, dict[str, Any]]:
        """What names among choices stand for, by hyperparameter: the same in a whole list."""
        found: dict[str, dict[str, Any]] = {}
        for key, entries in self.entries.items() if not self.problems else ():
            meanings: dict[Any, Any] = {}
            for entry in entries:
                named = self.named.get(entry.path, {})
                found |= {key: {**found.get(key, {}), **named}} if named else {}
                for choice in entry.choices or ():
                    value = named.get(choice, choice)
                    if meanings.setdefault(choice, value) != value:
                        rule = f"must have the value of {choice!r} in the other ranges of the list"
                        self.wrong(f"{entry.path}.choices", rule, repr(value))
        return found

    def _trainers(self) -> None:
        entry = self.said.get("trainer")
        if entry is None:
            self.unknown("space.trainer", None, self._trainer_names(), "is missing: ")
            return
        names = trainer_names(self.said)
        if names is None or (isinstance(entry, Mapping) and "when" in entry):
            self.wrong(
                "space.trainer", "must be a name or choices without a condition", repr(entry)
            )
            return
        for name in names:
            try:
                kind = trainer_kind(name) if isinstance(name, str) else None
                if kind is None:
                    self.unknown("space.trainer", name, self._trainer_names())
                    continue
                self.kinds[name] = kind.of_task(self.task)
                if is_training_function(name):
                    load_training_function(name)
            except StudyFileError as error:
                self.wrong("space.trainer", str(error))
        self.taken = {name: kind.hyperparameters() for name, kind in self.kinds.items()}
        if self.prepared:
            for name, kind in self.kinds.items():
                self.taken[name] |= kind.of_tables()

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
                of_trainer = self.kinds[trainer].network_hyperparameters(name)
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
                self.wrong(
                    f"space.{key}", "must not be set twice", f"it in [network] too ({value!r})"
                )
            elif problem := described[key].problem(value):
                self.wrong(f"network.{key}", problem)
            else:
                self._value(f"network.{key}", Entry(key, None, value), value)

    def _known(self, name: str) -> bool:
        names = dict.fromkeys(name for taken in self.taken.values() for name in taken)
        if name.startswith(PREFIX):
            return self._known_preparation(name, names)
        kinds = self.kinds.values()
        if name == "trainer" or name in names or any(k.open and not k.metrics for k in kinds):
            return True
        refused = [(t, k.refused[name]) for t, k in self.kinds.items() if name in k.refused]
        if refused:
            trainer, rule = refused[0]
            self.wrong(key_path(name), rule + f" ({trainer} says so)" * (len(kinds) > 1))
        elif any(kind.open for kind in kinds):
            return True
        elif kinds:  # else the trainer itself is wrong, and nothing can be said of the rest
            own = [known for known in names if not known.startswith(PREFIX)]
            self.unknown(key_path(name), name, ["trainer", *own])
        return False

    def _known_preparation(self, name: str, names: Iterable[str]) -> bool:
        """Whether it is a key of [prepare], on a table that is prepared for a trainer."""
        keys = [known.removeprefix(PREFIX) for known in names if known.startswith(PREFIX)]
        key = name.removeprefix(PREFIX)
        if key in keys:
            return True
        if not self.prepared:
            rule = (
                "must be left out: it applies only to tables whose columns are not all plain "
                "numbers"
            )
            self.wrong("prepare", rule)
        elif keys:
            self.unknown(name, key, keys)
        elif self.kinds:
            rule = "must be left out: no trainer of the study takes a preprocessed table"
            self.wrong("prepare", rule, ", ".join(self.kinds))
        return False

    def _meanings(self, entry: Entry) -> dict[str, Hyperparameter]:
        """What a name means to each trainer that takes it under the entry's condition."""
        takers = {t: taken[entry.key] for t, taken in self.taken.items() if entry.key in taken}
        when = entry.said.get("when") if isinstance(entry.said, Mapping) else None
        asked = when.get("trainer") if isinstance(when, Mapping) else None
        wanted = asked if isinstance(asked, list) else [asked]
        return {t: h for t, h in takers.items() if asked is None or t in wanted}

    def _value(self, key: str, entry: Entry, value: Any) -> None:
        meanings = self._meanings(entry)
        for trainer, described in meanings.items():
            if problem := described.problem(value):
                shared = all(other == described for other in meanings.values())
                shared &= entry.key not in self._limits(trainer)
                way_out = "; `when` can leave it out" if entry.key in self.entries else ""
                whose = "" if shared else f" ({trainer} says so{way_out})"
                self.wrong(key, problem + whose)
                return

    def _plain(self, key: str, entry: Entry, value: Any) -> None:
        """As `_value`, of one that stands alone or in a list of choices: there "none" is None
        where an estimator takes that and no such text."""
        if value == NONE and self._is_taken(entry, None) and not self._is_taken(entry, NONE):
            self.named.setdefault(entry.path, {})[NONE] = None
            return
        self._value(key, entry, value)

    def _is_taken(self, entry: Entry, value: Any) -> bool:
        """Whether estimators alone take this hyperparameter, and all of them this value."""
        meanings = self._meanings(entry).values()
        return bool(meanings) and all(h.judge and h.problem(value) is None for h in meanings)

    def _limits(self, trainer: str) -> Mapping[str, Any]:
        """What this trainer narrows of the network's hyperparameters."""
        networks = self.kinds[trainer].trainer.networks or {}
        return networks.get(str(self.network.get("name")), {})

    def _distribution(self, entry: Entry, said: Mapping[str, Any]) -> BaseDistribution | None:
        before = len(self.problems)
        valid = CHOICE_KEYS if "choices" in said else RANGE_KEYS
        for extra in said:
            if extra not in valid:
                self.unknown(f"{entry.path}.{extra}", extra, valid)
        if "choices" in said:
            made = self._choices(entry, said["choices"])
        else:
            made = self._range(entry, said)
        return made if len(self.problems) == before else None

    def _choices(self, entry: Entry, choices: Any) -> BaseDistribution | None:
        key = f"{entry.path}.choices"
        if isinstance(choices, Mapping) and choices:
            return self._named_choices(entry, key, choices)
        if not isinstance(choices, list) or not choices:
            self.wrong(key, "must be a list of at least one value", repr(choices))
            return None
        for value in choices:
            if not isinstance(value, bool | int | float | str):
                rule = "must hold numbers, texts or booleans"
                self.wrong(key, rule, repr(value), NAMED_HINT)
            else:
                self._plain(key, entry, value)
        if any(not isinstance(value, bool | int | float | str) for value in choices):
            return None
        # 1, 1.0 and true are equal, and one of them is all that Optuna would hand back.
        if len(set(choices)) < len(choices):
            self.wrong(key, "must differ from each other", repr(choices))
        return CategoricalDistribution(choices)

    def _named_choices(
        self, entry: Entry, key: str, choices: Mapping[str, Any]
    ) -> BaseDistribution | None:
        """Choices that are called by a name: { small = [50], deep = [50, 50] }."""
        takers = self._meanings(entry).values()
        if entry.key == "trainer" or any(h.judge is None for h in takers):
            rule = "must be a list: names are for arguments of estimators and of your functions"
            self.wrong(key, rule, repr(choices))
            return None
        before = len(self.problems)
        for called, said in choices.items():
            if not _is_plain(said):
                rule = "must be a number, a text, a boolean, or a list or table of these"
                self.wrong(f"{key}.{called}", rule, repr(said))
                continue
            value = self._meant(entry, said)
            self._value(f"{key}.{called}", entry, value)
            if value in self.named.get(entry.path, {}).values():
                self.wrong(f"{key}.{called}", "must differ from the other choices", repr(said))
            self.named.setdefault(entry.path, {})[called] = value
        return CategoricalDistribution([*choices]) if len(self.problems) == before else None

    def _meant(self, entry: Entry, said: Any) -> Any:
        """The value that is meant by what TOML can say: see `meant`. An estimator that knows the
        text "none", and no text whatever, gets that; one that takes no list gets a tuple."""
        if said == NONE and self._is_taken(entry, NONE) and not self._is_taken(entry, NO_TEXT):
            return NONE
        value = meant(said)
        if not isinstance(value, list) or self._is_taken(entry, value):
            return value
        return tuple(value) if self._is_taken(entry, tuple(value)) else value

    def _range(self, entry: Entry, said: Mapping[str, Any]) -> BaseDistribution | None:
        key, before = entry.path, len(self.problems)
        for bound in ("low", "high"):
            value = said.get(bound)
            if value is None:
                self.wrong(f"{key}.{bound}", "is missing: a range has low and high")
            elif (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not abs(value) < LARGEST
            ):
                hint = f"drop the quotes: {bound} = {value.strip()}" if _is_number(value) else ""
                self.wrong(f"{key}.{bound}", "must be a finite number", repr(value), hint)
            else:
                self._value(f"{key}.{bound}", entry, value)
        log, step = said.get("log", False), said.get("step")
        if not isinstance(log, bool):
            self.wrong(f"{key}.log", "must be true or false", repr(log))
        number = isinstance(step, int | float) and not isinstance(step, bool)
        if step is not None and not (number and 0 < step < LARGEST):
            self.wrong(f"{key}.step", "must be a finite number above 0", repr(step))
        if len(self.problems) > before:
            return None
        low, high = said["low"], said["high"]
        if low >= high:
            self.wrong(f"{key}.high", f"must be above low ({low!r})", repr(high))
        if log and low <= 0:
            self.wrong(f"{key}.low", "must be above 0 where log = true", repr(low))
        if log and step is not None:
            self.wrong(f"{key}.step", "must be left out where log = true")
        elif step is not None and not _divides(step, low, high):
            rule = f"must divide the range from {low!r} to {high!r}"
            self.wrong(f"{key}.step", rule, repr(step))
        meanings = self._meanings(entry)
        kinds = {described.kind for described in meanings.values()}
        if str in kinds:
            rule = next(h.rule() for h in meanings.values() if h.kind is str)
            self.wrong(key, f"must have choices instead of a range: it is {rule}")
        whole = self._whole(entry, said)
        if whole and step is not None and not isinstance(step, int):
            self.wrong(f"{key}.step", "must be a whole number", repr(step))
        if len(self.problems) > before:
            return None
        if whole:
            return IntDistribution(low, high, log=log, step=1 if step is None else step)
        return FloatDistribution(low, high, log=log, step=step)

    def _whole(self, entry: Entry, said: Mapping[str, Any]) -> bool:
        """Whether a range draws whole numbers alone: where the file says so, where the trainer
        takes no others, or where every step leads to one."""
        key, asked, low = f"{entry.path}.int", said.get("int"), said["low"]
        meanings = self._meanings(entry).values()
        integers = all(isinstance(said[bound], int) for bound in ("low", "high"))
        if asked is None:
            kinds = {described.kind for described in meanings}
            known = int in kinds or any(h.judge and h.problem(low + 0.5) for h in meanings)
            return integers and (known or (isinstance(said.get("step"), int) and not kinds))
        if not isinstance(asked, bool):
            self.wrong(key, "must be true or false", repr(asked))
        elif asked and not integers:
            rule = "must be left out if low or high is not a whole number"
            self.wrong(key, rule, f"{low!r} and {said['high']!r}")
        elif not asked:
            whole = (h for h in meanings if h.kind is int and h.judge is None)
            for described in whole:
                self.wrong(key, f"must be left out: {entry.key} must be {described.rule()}")
        return bool(asked)

    def _default(self, entry: Entry, distribution: BaseDistribution) -> ParamValue | None:
        """The value that nobody tuned, which may lie outside of the range."""
        key, value = f"{entry.path}.default", entry.said.get("default")
        if value is None:
            return None
        if isinstance(distribution, CategoricalDistribution):
            if not any(type(c) is type(value) and c == value for c in distribution.choices):
                self.unknown(key, value, map(str, distribution.choices))
                return None
        elif isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, "must be a number", repr(value))
            return None
        elif isinstance(distribution, IntDistribution) and not isinstance(value, int):
            self.wrong(key, "must be a whole number, like the range", repr(value))
            return None
        if entry.key not in self.named:
            self._value(key, entry, value)
        found: ParamValue = value
        return found

    def _when(self, entry: Entry, when: Any) -> Conditions:
        key = f"{entry.path}.when"
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
                    n for n in self.entries if self._choices_of(n) is not None and n != entry.key
                ]
                rule = "must name a parameter with choices; "
                self.unknown(f"{key}.{parent}", parent, parents, rule)
                continue
            for value in values:
                if not any(type(value) is type(c) and value == c for c in choices):
                    self.unknown(f"{key}.{parent}", value, map(str, choices))
            conditions[parent] = tuple(values)
        self._own_trainers(entry.key, key, conditions)
        self._own_part(entry, key, conditions)
        return conditions

    def _choices_of(self, name: str) -> list[Any] | None:
        """The values a condition on `name` may ask for."""
        entries = self.entries.get(name, [])
        if len(entries) == 1 and not isinstance(entries[0].said, Mapping | list):
            return [entries[0].said]
        found = [entry.choices for entry in entries if entry.choices is not None]
        return [choice for choices in found for choice in choices] if found else None

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

    def _own_part(self, entry: Entry, key: str, conditions: Conditions) -> None:
        """Narrow the condition to the value of another that this hyperparameter belongs to."""
        belongs = self._belongs(entry)
        if belongs is None or not self._exists(entry):
            return
        parent, value = belongs
        if parent not in self.entries:  # then it is fixed, and has this value
            return
        asked = conditions.get(parent, (value,))
        if value not in asked:
            self.unknown(f"{key}.{parent}", asked[0], [str(value)])
        conditions[parent] = (value,)

    def _exists(self, entry: Entry) -> bool:
        """Whether some trial can have it; a problem if the value it belongs to is never taken."""
        belongs = self._belongs(entry)
        if belongs is None:
            return True
        parent, value = belongs
        values = self._choices_of(parent)
        if values is None:
            default = next(t[parent].default for t in self.taken.values() if parent in t)
            values = [self.network.get(parent, default)]
        if value not in values:
            self.wrong(
                entry.path,
                f"must go with {parent} = {value!r}",
                ", ".join(map(repr, values)),
            )
        return value in values

    def _belongs(self, entry: Entry) -> tuple[str, ParamValue] | None:
        """The name and value of another that it belongs to; a user's function takes it anyway."""
        conditions = {h.when for h in self._meanings(entry).values()}
        taken_anyway = any(kind.open for kind in self.kinds.values())
        return None if len(conditions) != 1 or taken_anyway else conditions.pop()

    def _ordered(self, searched: Sequence[Parameter]) -> tuple[Parameter, ...]:
        try:
            return ordered(searched)
        except Circle as circle:
            self.problems.append(circle.problem)
            return ()
