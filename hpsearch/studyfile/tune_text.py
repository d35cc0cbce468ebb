"""The text of the study file that `tune` writes: short, and each choice with its reason."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from hpsearch.counts import count_of
from hpsearch.datasets.card import RARE, TableCard
from hpsearch.hyperparameters import ParamValue
from hpsearch.studyfile.template import MODEL_LINE, searched_lines
from hpsearch.studyfile.toml import noted, toml_value
from hpsearch.studyfile.usual_ranges import TREES, Range
from hpsearch.trainers import TrainerKind, trainer_kind

LINEAR = {
    "classification": "sklearn.linear_model.LogisticRegression",
    "regression": "sklearn.linear_model.Ridge",
}
CLASSIFIERS = (
    LINEAR["classification"],
    "sklearn.ensemble.HistGradientBoostingClassifier",
    "sklearn.ensemble.RandomForestClassifier",
)
REGRESSORS = (
    LINEAR["regression"],
    "sklearn.ensemble.HistGradientBoostingRegressor",
    "sklearn.ensemble.RandomForestRegressor",
)
LIGHTGBM = {"classification": "lightgbm.LGBMClassifier", "regression": "lightgbm.LGBMRegressor"}
NETWORK = "adam"
FEW_TREES = Range(50, 400, True, "at full length; more trees take time from other trials")
_BOOSTED: dict[str, ParamValue] = {
    "learning_rate": 0.1,
    "max_iter": 100,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "max_features": 1.0,
}
_LIGHTGBM: dict[str, ParamValue] = {
    "learning_rate": 0.1,
    "n_estimators": 100,
    "num_leaves": 31,
    "min_child_samples": 20,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
}
# Near each class's own defaults, of what is searched.
START: dict[str, dict[str, ParamValue]] = {
    "LogisticRegression": {"C": 1.0},
    "Ridge": {"alpha": 1.0},
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), _BOOSTED),
    "RandomForestClassifier": {"max_features": 0.3, "min_samples_leaf": 1},
    "RandomForestRegressor": {"max_features": 1.0, "min_samples_leaf": 1},
    **dict.fromkeys(("LGBMClassifier", "LGBMRegressor"), _LIGHTGBM),
}
SMALL = 5000  # rows up to which a network is tried, and five folds are affordable
MEDIUM = 20000  # rows up to which three folds are
EPOCHS = 10  # of a network; trees grow in as many steps
TEXT_FEATURES = 64  # of a column of texts: trees look at all of them at every split
TRIALS = 200  # more than the time allows
AROUND = 25.0  # seconds that start, simple models and report take beside the study
LONGEST = 0.4  # of the study, that a trial may take: on a slow machine the first ones need it
CORRECTIONS = {
    "drop": "columns that become known only afterwards",
    "columns": 'corrects the detected kinds of columns: { zip = "category" }',
}
EXTRA = {
    "binary": ("roc_auc", "average_precision", "balanced_accuracy"),
    "classes": ("accuracy", "balanced_accuracy", "log_loss"),
    "numbers": ("rmse", "r2", "mae"),
}


@dataclass(frozen=True)
class TuneRequest:
    """What a file of `tune` is to say.

    Attributes:
        name: of the study.
        command: that writes it.
        data: as [data] name says it.
        card: of the table.
        minutes: for all of it.
        metric: without "validation_"; None: chosen.
        group, time: the column to split by, if any.
        stoppable: trials run in worker processes, which a limit can end.
        keys: of [data], beside those that are chosen.
    """

    name: str
    command: str
    data: str
    card: TableCard
    minutes: float
    metric: str | None = None
    group: str | None = None
    time: str | None = None
    stoppable: bool = True
    keys: Mapping[str, Any] = field(default_factory=dict)


def tune_text(request: TuneRequest) -> str:
    """The whole file."""
    card = request.card
    metric, reason = _metric(request)
    names = _trainers(request)
    file = shlex.quote(f"{request.name}.toml")
    lines = [
        f"# {card.target} of {request.data}, written by: {request.command}",
        f"# Edit it and run it again with: python -m hpsearch study {file}",
        f"name = {toml_value(request.name)}",
        noted(f'objective = {{ metric = "validation_{metric}" }}', reason),
        *("", "[data]", f"name = {toml_value(request.data)}"),
        f"target = {toml_value(card.target)}",
        *(f"{key} = {toml_value(value)}" for key, value in request.keys.items()),
        *(
            noted(f"# {key} =", note)
            for key, note in CORRECTIONS.items()
            if key not in request.keys
        ),
        *(line for line in _data(request, metric) if line.split(" ")[0] not in request.keys),
    ]
    if NETWORK in names:
        lines += ["", "[network]", 'name = "two-layer"', "hidden = 64"]
    kinds = {name: _kind(name) for name in names}
    lines += ["", "[space]", *searched_lines(kinds, {TREES: FEW_TREES})]
    first = [START[name.rpartition(".")[2]] | {"trainer": name} for name in names if "." in name]
    lines += ["", "# The first trials use the usual values of each trainer.", *_enqueued(first)]
    lines += [*("", "[prepare]", '# scale = { choices = ["standard", "quantile"] }')]
    lines.append('# categories = { choices = ["one-hot", "target"] }')
    if any(column.kind == "text" for column in card.columns):
        lines.append(
            noted(f"text_features = {TEXT_FEATURES}", "words per text column; more take longer")
        )
    extra = [name for name in EXTRA[_shape(card)] if name != metric]
    lines += [
        *("", "[evaluation]", f"metrics = {toml_value(extra)}"),
        noted(f"every = {EPOCHS}", "trials are scored only at the end"),
        *("", "[[stages]]", noted(f"trials = {TRIALS}", "more than the time allows")),
        f"epochs = {EPOCHS}",
    ]
    whole = 60 * request.minutes
    seconds = max(whole - AROUND, whole / 2)
    lines += [
        *("", "[budget]"),
        noted(f"total_seconds = {seconds:g}", "for search, confirmation and test"),
    ]
    if request.stoppable:
        lines += ["", "[limits]", noted(f"seconds = {seconds * LONGEST:g}", "for one trial")]
    lines += [*("", "[confirmation]", noted("top = 3", "at most, as the time allows"))]
    lines += ["seeds = 3", "test_seeds = 3", MODEL_LINE]
    return "\n".join(lines) + "\n"


def _enqueued(rows: Sequence[Mapping[str, ParamValue]]) -> Iterator[str]:
    for row in rows:
        yield "[[enqueue]]"
        yield from (f"{key} = {toml_value(value)}" for key, value in row.items())


def _kind(name: str) -> TrainerKind:
    kind = trainer_kind(name)
    assert kind is not None
    return kind


def _shape(card: TableCard) -> str:
    return {0: "numbers", 2: "binary"}.get(len(card.classes), "classes")


def _metric(request: TuneRequest) -> tuple[str, str]:
    """The metric, and why it is this one."""
    card = request.card
    if request.metric is not None:
        return request.metric.removeprefix("validation_"), "as requested"
    if not card.classes:
        return "rmse", "in the units of the target"
    rare = min(card.classes, key=lambda name: card.classes[name])
    share = card.classes[rare] / card.rows
    if share < RARE:
        name = "average_precision" if len(card.classes) == 2 else "balanced_accuracy"
        return name, f"{share:.1%} of the rows are {rare!r}: accuracy says little"
    return ("roc_auc", "for two classes") if len(card.classes) == 2 else ("accuracy", "")


def _trainers(request: TuneRequest) -> Sequence[str]:
    names = [*(CLASSIFIERS if request.card.task == "classification" else REGRESSORS)]
    if find_spec("lightgbm") is not None:
        names.append(LIGHTGBM[request.card.task])
    kind = trainer_kind(NETWORK)
    fits = kind is not None and kind.task in (request.card.task, None)
    if fits and request.card.rows <= SMALL:
        names.append(NETWORK)
    return names


def _data(request: TuneRequest, metric: str) -> Iterator[str]:
    card = request.card
    if len(card.classes) == 2:
        rare = min(card.classes, key=lambda name: card.classes[name])
        yield noted(f"positive = {toml_value(rare)}", "the rarer class")
    elif not card.classes:
        yield 'task = "regression"'
    folds = 5 if card.rows <= SMALL else 3
    folds = max(2, min(folds, *card.classes.values())) if card.classes else folds
    if request.group is not None:
        group = toml_value(request.group)
        yield noted(
            f'split = {{ kind = "group-k-fold", folds = {folds}, group = {group} }}',
            "no group is on both sides",
        )
    elif request.time is not None:
        order = toml_value(request.time)
        yield noted(
            f'split = {{ kind = "time-ordered", folds = {folds}, order = {order} }}',
            "trained on earlier rows, tested on the last ones",
        )
    elif card.rows <= MEDIUM:
        yield noted(
            f'split = {{ kind = "k-fold", folds = {folds} }}', count_of(card.rows, "row", form=",")
        )
    else:
        yield noted(
            'split = { kind = "hold-out", fraction = 0.2 }', count_of(card.rows, "row", form=",")
        )
