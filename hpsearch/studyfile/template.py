"""The text of a new study file: what is usual is set, all else stands in comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from hpsearch.datasets.split_kinds import SPLITS
from hpsearch.hyperparameters import Hyperparameter, hyperparameters
from hpsearch.metrics import lower_is_better
from hpsearch.nn import NETWORKS
from hpsearch.studyfile.listing import PURPOSE
from hpsearch.studyfile.study_file import TABLES, StudyFile
from hpsearch.studyfile.tables.base import Table
from hpsearch.studyfile.tables.data import Data
from hpsearch.studyfile.toml import noted, toml_value
from hpsearch.studyfile.usual_ranges import USUAL, Usual, usual
from hpsearch.trainers import TrainerKind
from hpsearch.trainers.estimator import EstimatorTrainer, find_estimator

# Trials and epochs of the stages, by what an epoch is to the trainer.
STAGES = {
    "network": ((24, 10), (12, 30), (8, 90)),
    "passes": ((24, 3), (12, 9)),
    "growth": ((24, 5), (12, 20)),
    "once": ((24, 1),),
    "function": ((24, 3), (12, 9)),
}

MODEL_LINE = noted(
    'model = "all-rows"',
    "the model for new rows learns from the test rows, too",
)


@dataclass(frozen=True)
class RareClass:
    """A class that has few of a table's rows.

    Attributes:
        name: as in the table.
        share: of the rows.
        n_classes: that the table has.
    """

    name: str
    share: float
    n_classes: int

    @property
    def metric(self) -> str:
        """One that is not good by never naming the class."""
        two = self.n_classes == 2
        return "validation_average_precision" if two else "validation_balanced_accuracy"

    @property
    def note(self) -> str:
        """Why."""
        shown = f"{100 * self.share:.1f} % of the rows are {toml_value(self.name)}"
        return f"{shown}: never predicting it gives an accuracy of {100 * (1 - self.share):.1f} %"


@dataclass(frozen=True)
class Wanted:
    """What a new study file is to say.

    Attributes:
        name: of the study.
        data: as [data] name says it.
        target: the column to predict, of a table; None: no table.
        many: there are so many examples that one hold-out split is enough.
        trainers: by name.
        network: of those trainers that train one; None: none does.
        metric: to optimise.
        rare: the rarest class, where it is the reason for the metric.
    """

    name: str
    data: str
    target: str | None
    many: bool
    trainers: Mapping[str, TrainerKind]
    network: str | None
    metric: str
    rare: RareClass | None = None


def study_text(wanted: Wanted) -> str:
    """The whole file."""
    direction = "minimize" if lower_is_better(wanted.metric) else "maximize"
    objective = (
        f"objective = {{ metric = {toml_value(wanted.metric)}, "
        f"direction = {toml_value(direction)} }}"
    )
    lines = [
        PURPOSE,
        f"name = {toml_value(wanted.name)}",
        noted("seed = 0", "the seed for everything random"),
        noted(objective, wanted.rare.note) if wanted.rare else objective,
        *_pruner(wanted.trainers),
        "# or several [[objectives]]; and [[constraints]]: metric, at_most or at_least",
        noted(
            "# relations = []",
            'constraints that all configurations satisfy, such as "beta1 < beta2"',
        ),
        *("", "[data]", f"name = {toml_value(wanted.data)}", *_data(wanted)),
    ]
    if wanted.network:
        own = hyperparameters(NETWORKS[wanted.network]).values()
        name = noted(f'name = "{wanted.network}"', f"one of {', '.join(NETWORKS)}")
        lines += ["", "[network]", name, *map(_default, own)]
    lines += ["", "[space]  # a plain value is fixed; { low, high } and { choices } are searched"]
    if len(wanted.trainers) > 1:
        condition = f"when = {{ trainer = {toml_value(next(iter(wanted.trainers)))} }}"
        lines.append(f"# [{{ low, high, {condition} }}, …]: a range for each condition")
    lines += _space(wanted)
    for trials, epochs in _stages(wanted.trainers):
        lines += ["", "[[stages]]", f"trials = {trials}", f"epochs = {epochs}"]
    lines.append(noted("# promote = 0.5", "fraction that continues from the previous stage"))
    lines.append(noted("# controls = 0", "randomly chosen trials that continue too, as a check"))
    table = wanted.target is not None
    whole = table and all(kind.trainer.keeps_model() for kind in wanted.trainers.values())
    lines += _tables({"confirmation": MODEL_LINE} if whole else {})
    return "\n".join(lines) + "\n"


def _tables(instead: Mapping[str, str]) -> Iterator[str]:
    """The tables that may be left out; those that do nothing by themselves at the end.

    Args:
        instead: by table, a line that takes the place of the commented one with its key.
    """
    optional = {
        name: (table, StudyFile.model_fields[name].default)
        for name, table in TABLES.items()
        if table.note_in_template is not None
    }
    for name, (table, default) in optional.items():
        if isinstance(default, Table):
            yield from ("", f"[{name}]")
            said = instead.get(name, "")
            same = f"# {said.partition('=')[0]}=" if said else ""
            yield from (
                said if same and line.startswith(same) else line for line in _fields(table)
            )
    for name, (table, default) in optional.items():
        if default is None:
            yield from ("", noted(f"# [{name}]", table.note_in_template or ""), *_fields(table))


def _data(wanted: Wanted) -> Iterator[str]:
    kinds = [split for split in SPLITS.values() if not split.of_tables]
    if wanted.target is not None:
        kinds += [split for split in SPLITS.values() if split.of_tables]
        yield f"target = {toml_value(wanted.target)}"
        for key in ("task", "test", "test_fraction", "weight"):
            yield noted(f"# {key} =", Data.model_fields[key].description or "")
        rare = wanted.rare if wanted.rare and wanted.rare.n_classes == 2 else None
        positive = f"positive = {toml_value(rare.name)}" if rare else "# positive ="
        yield noted(positive, Data.model_fields["positive"].description or "")
    else:
        yield noted("# shots = 20", Data.model_fields["shots"].description or "")
        yield noted('# draw = "random"', Data.model_fields["draw"].description or "")
    yield noted("# class_weight =", Data.model_fields["class_weight"].description or "")
    split = '"hold-out", fraction = 0.2' if wanted.many else '"k-fold", folds = 5'
    named = ", ".join(f"{kind.kind} {kind.usage}".strip() for kind in kinds)
    yield noted(f"split = {{ kind = {split} }}", f"or {named}")


def _space(wanted: Wanted) -> Iterator[str]:
    names = list(wanted.trainers)
    listed = ", ".join(map(toml_value, names))
    yield f"trainer = {listed}" if len(names) == 1 else f"trainer = {{ choices = [{listed}] }}"
    said: set[str] = set()
    for name, kind in wanted.trainers.items():
        if kind.open and not kind.metrics:
            note = "a parameter of your function: rename it, add others"
            yield noted(f"learning_rate = {USUAL['learning_rate'].text()}", note)
            said.add("learning_rate")
        for key, h in kind.hyperparameters().items():
            if key in said:
                continue
            said.add(key)
            default: object = h.default
            if issubclass(kind.trainer, EstimatorTrainer):
                default = find_estimator(name).arguments.get(key)
            lines = [*_usual(key, wanted.trainers, default)]
            yield from lines or _default_line(name, h, default)


def searched_lines(
    trainers: Mapping[str, TrainerKind], instead: Mapping[Usual, Usual]
) -> Iterator[str]:
    """The entries of [space] that are searched, without what may stand in comments.

    Args:
        instead: other ranges than the usual ones.
    """
    listed = ", ".join(map(toml_value, trainers))
    one = len(trainers) == 1
    yield f"trainer = {listed}" if one else f"trainer = {{ choices = [{listed}] }}"
    names = dict.fromkeys(k for kind in trainers.values() for k in kind.hyperparameters())
    for name in names:
        yield from _usual(name, trainers, None, instead)


def _usual(
    name: str,
    trainers: Mapping[str, TrainerKind],
    default: object,
    instead: Mapping[Usual, Usual] = MappingProxyType({}),
) -> Iterator[str]:
    """The lines that search it: a range for all trainers that take it, or one for each."""
    known = {t: kind.hyperparameters() for t, kind in trainers.items()}
    takers = {t: described[name] for t, described in known.items() if name in described}
    ranges = {t: usual(t, name) for t in takers}
    found: dict[Usual, list[str]] = {}
    for trainer, known_one in ranges.items():
        one = None if known_one is None else instead.get(known_one, known_one)
        if one is not None and not any(takers[trainer].problem(v) for v in one.values):
            found.setdefault(one, []).append(trainer)
    if not found:
        return
    if len(found) == 1 and len(next(iter(found.values()))) == len(takers):
        ((one, _),) = found.items()
        yield _reasoned(f"{name} = {one.text()}", one, default)
        return
    conditions = {one: f"trainer = {_one_or_list(names)}" for one, names in found.items()}
    if len(found) == 1:
        ((one, condition),) = conditions.items()
        yield _reasoned(f"{name} = {one.text(condition)}", one, None)
        return
    yield f"{name} = ["
    for one, condition in conditions.items():
        yield _reasoned(f"    {one.text(condition)},", one, None)
    yield "]"


def _one_or_list(names: Sequence[str]) -> str:
    listed = ", ".join(map(toml_value, names))
    return listed if len(names) == 1 else f"[{listed}]"


def _reasoned(line: str, one: Usual, default: object) -> str:
    """A line with the reason for its range, and the default that it replaces."""
    replaced = "" if default is None else f"default {default}"
    return noted(line, "; ".join(filter(None, [one.why, replaced])))


def _default_line(trainer: str, h: Hyperparameter, default: object) -> Iterator[str]:
    """A commented line; none for what a boosting library decides by itself, of which there are
    a hundred."""
    boosts = "." in trainer and ":" not in trainer and find_estimator(trainer).library is not None
    if default is not None or not boosts:
        yield _default(h, default)


def _default(h: Hyperparameter, default: object = None) -> str:
    """A commented line with the value that it has anyway."""
    value = h.default if default is None else default
    shown = toml_value(value) if isinstance(value, bool | int | float | str) else ""
    return noted(f"# {h.name} = {shown}".rstrip(), _why(h))


def _why(h: Hyperparameter) -> str:
    only = f"where {h.when[0]} = {toml_value(h.when[1])}" if h.when else ""
    rule = "" if h.judge else h.rule()
    return "; ".join(filter(None, [rule, only, h.why]))


def _stages(trainers: Mapping[str, TrainerKind]) -> Sequence[tuple[int, int]]:
    """Those of the trainer that has most of them: the others take no harm."""

    def kind_of(name: str, kind: TrainerKind) -> str:
        if issubclass(kind.trainer, EstimatorTrainer):
            return find_estimator(name).curve
        return "function" if kind.open else "network"

    return max((STAGES[kind_of(*item)] for item in trainers.items()), key=len)


def _pruner(trainers: Mapping[str, TrainerKind]) -> list[str]:
    """A pruner to switch on, asked twice on the way; none where there is no way."""
    longest = _stages(trainers)[-1][1]
    if longest < 4:
        return []
    line = f'# pruner = {{ name = "median", rungs = [{longest // 4}, {longest // 2}] }}'
    return [noted(line, StudyFile.model_fields["pruner"].description or "")]


def _fields(model: type[BaseModel]) -> Iterator[str]:
    """The keys of a table with their defaults."""
    for name, one in model.model_fields.items():
        default = None if one.is_required() else one.get_default(call_default_factory=True)
        shown = "" if default is None else toml_value(default)
        yield noted(f"# {name} = {shown}".rstrip(), one.description or "")
