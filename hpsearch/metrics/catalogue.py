"""The scores that are computed from what a trainer predicts: scikit-learn's, by their usual names.

Adding one is a line in SCORES. A study file names a score with the rows that it is of in front,
`validation_roc_auc`; a score with a parameter has its value behind, `validation_pinball_0.9`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Better = Literal["maximize", "minimize"]
# What a score is computed from: predicted classes, the probability of every class, any number
# that orders rows by how likely each class is, or predicted numbers.
Needs = Literal["classes", "probabilities", "order", "numbers"]
# What the rows that it is measured on must hold, or it is not defined: two classes or more, both
# of two or all of more, a row of the positive class, or numbers that differ.
Holds = Literal["", "two classes", "every class", "the positive class", "differing numbers"]

PART = re.compile(r"(train|validation|test)_(.+)", re.DOTALL)
OWN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", re.ASCII)  # a function in a module
WITH_NUMBER = re.compile(r"(.+?)_([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True)
class Parameter:
    """The number behind the name of a score.

    Attributes:
        name: of the argument of scikit-learn's function.
        low, high: what it must be above and below.
        whole: it is a whole number.
        default: where none is written; None: one must be.
    """

    name: str
    low: float
    high: float
    whole: bool = False
    default: float | None = None

    @property
    def rule(self) -> str:
        """What a number must be."""
        kind = "a whole number" if self.whole else "a number"
        below = "" if math.isinf(self.high) else f" and below {self.high:g}"
        return f"must be {kind} above {self.low:g}{below}"

    def fits(self, value: float) -> bool:
        """Whether it may have this value."""
        return self.low < value < self.high and (not self.whole or float(value).is_integer())


@dataclass(frozen=True)
class Score:
    """A function of what is true and what was predicted.

    Attributes:
        name: as a study file has it, without the rows that it is of.
        direction: which of two values is the better one.
        needs: what it is computed from.
        function: its name in sklearn.metrics.
        options: arguments of that function.
        binary: it is of one class, the positive one, beside another.
        holds: what the rows must hold.
        parameter: the number behind its name.
        weighted: takes a weight of each row.
        true_above, predicted_above: numbers must be above these, or it is not defined.
        place: of the value where the function gives several.
        range: the least and the greatest value that it can have.
    """

    name: str
    direction: Better
    needs: Needs
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    binary: bool = False
    holds: Holds = ""
    parameter: Parameter | None = None
    weighted: bool = True
    true_above: float = -math.inf
    predicted_above: float = -math.inf
    place: int | None = None
    range: tuple[float, float] = (0.0, 1.0)

    @property
    def task(self) -> Literal["classification", "regression"]:
        """What is predicted."""
        return "regression" if self.needs == "numbers" else "classification"

    @property
    def shown(self) -> str:
        """Its name in lists: with a place for its number."""
        return f"{self.name}_{self.parameter.name.upper()}" if self.parameter else self.name


ALPHA = Parameter("alpha", 0, 1)
FROM_0, FROM_MINUS_1, UP_TO_1 = (0.0, math.inf), (-1.0, 1.0), (-math.inf, 1.0)
TINY = 5e-324  # what a number above -TINY is: 0 or more
EVERY: Holds = "every class"


def _averaged(name: str) -> Iterator[Score]:
    """A score of the positive class, and its means over all classes."""
    function = f"{name}_score"
    yield Score(name, "maximize", "classes", function, binary=True, holds="the positive class")
    for average in ("macro", "micro", "weighted"):
        yield Score(f"{name}_{average}", "maximize", "classes", function, {"average": average})


def _of_agreement(name: str) -> Score:
    """A score of how alike two groupings of the rows are."""
    range = FROM_0 if name == "mutual_info" else (0.0, 1.0)
    if name.startswith("adjusted"):  # for chance, to which 0 belongs
        range = FROM_MINUS_1
    return Score(name, "maximize", "classes", f"{name}_score", weighted=False, range=range)


def _likelihood_ratio(name: str, direction: Better, place: int) -> Score:
    return Score(
        name,
        direction,
        "classes",
        "class_likelihood_ratios",
        binary=True,
        holds="two classes",
        place=place,
        range=FROM_0,
    )


def _areas() -> Iterator[Score]:
    """Areas under the ROC curve: of two classes, and over all classes or pairs of them."""
    yield Score("roc_auc", "maximize", "order", "roc_auc_score", binary=True, holds="two classes")
    for way in ("ovr", "ovo"):
        for suffix, average in (("", "macro"), ("_weighted", "weighted")):
            yield Score(
                f"roc_auc_{way}{suffix}",
                "maximize",
                "probabilities",
                "roc_auc_score",
                {"multi_class": way, "average": average},
                holds="every class",
                weighted=way == "ovr",
            )


def _errors() -> Iterator[Score]:
    """Errors of numbers, which are better when they are lower."""
    yield Score("mse", "minimize", "numbers", "mean_squared_error", range=FROM_0)
    yield Score("rmse", "minimize", "numbers", "root_mean_squared_error", range=FROM_0)
    yield Score("mae", "minimize", "numbers", "mean_absolute_error", range=FROM_0)
    yield Score(
        "median_absolute_error", "minimize", "numbers", "median_absolute_error", range=FROM_0
    )
    yield Score("mape", "minimize", "numbers", "mean_absolute_percentage_error", range=FROM_0)
    yield Score("max_error", "minimize", "numbers", "max_error", weighted=False, range=FROM_0)
    yield Score(
        "pinball", "minimize", "numbers", "mean_pinball_loss", parameter=ALPHA, range=FROM_0
    )
    for name, whole in (("msle", "mean_squared_log"), ("rmsle", "root_mean_squared_log")):
        yield Score(
            name,
            "minimize",
            "numbers",
            f"{whole}_error",
            true_above=-1,
            predicted_above=-1,
            range=FROM_0,
        )
    yield Score(
        "gamma_deviance",
        "minimize",
        "numbers",
        "mean_gamma_deviance",
        true_above=0,
        predicted_above=0,
        range=FROM_0,
    )
    yield Score(
        "poisson_deviance",
        "minimize",
        "numbers",
        "mean_poisson_deviance",
        true_above=-TINY,
        predicted_above=0,
        range=FROM_0,
    )


def _explained() -> Iterator[Score]:
    """Shares of the spread of numbers that are explained."""
    for name, parameter in (
        ("r2", None),
        ("explained_variance", None),
        ("d2_absolute_error", None),
        ("d2_pinball", ALPHA),
    ):
        yield Score(
            name,
            "maximize",
            "numbers",
            f"{name}_score",
            holds="differing numbers",
            parameter=parameter,
            range=UP_TO_1,
        )


SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score("accuracy", "maximize", "classes", "accuracy_score"),
        Score(
            "balanced_accuracy",
            "maximize",
            "classes",
            "balanced_accuracy_score",
            holds="two classes",
        ),
        Score(
            "matthews_corrcoef",
            "maximize",
            "classes",
            "matthews_corrcoef",
            holds="two classes",
            range=FROM_MINUS_1,
        ),
        Score(
            "cohen_kappa",
            "maximize",
            "classes",
            "cohen_kappa_score",
            holds="two classes",
            range=FROM_MINUS_1,
        ),
        *_averaged("f1"),
        *_averaged("precision"),
        *_averaged("recall"),
        *_averaged("jaccard"),
        Score(
            "fbeta",
            "maximize",
            "classes",
            "fbeta_score",
            binary=True,
            holds="the positive class",
            parameter=Parameter("beta", 0, math.inf),
        ),
        _likelihood_ratio("positive_likelihood_ratio", "maximize", 0),
        _likelihood_ratio("negative_likelihood_ratio", "minimize", 1),
        *_areas(),
        Score("average_precision", "maximize", "order", "average_precision_score", holds=EVERY),
        Score("log_loss", "minimize", "probabilities", "log_loss", range=FROM_0),
        Score("brier", "minimize", "probabilities", "brier_score_loss", range=FROM_0),
        Score(
            "top_k_accuracy",
            "maximize",
            "probabilities",
            "top_k_accuracy_score",
            parameter=Parameter("k", 0, math.inf, whole=True, default=2),
        ),
        Score(
            "d2_log_loss",
            "maximize",
            "probabilities",
            "d2_log_loss_score",
            holds="two classes",
            range=UP_TO_1,
        ),
        Score(
            "d2_brier",
            "maximize",
            "probabilities",
            "d2_brier_score",
            holds="two classes",
            range=UP_TO_1,
        ),
        *map(
            _of_agreement,
            (
                "adjusted_mutual_info",
                "adjusted_rand",
                "completeness",
                "fowlkes_mallows",
                "homogeneity",
                "mutual_info",
                "normalized_mutual_info",
                "rand",
                "v_measure",
            ),
        ),
        *_errors(),
        *_explained(),
    )
}


# As scikit-learn's scorers and functions call what has a shorter name here.
OTHER_NAMES: dict[str, str] = {
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "mean_squared_log_error": "msle",
    "root_mean_squared_log_error": "rmsle",
    "mean_poisson_deviance": "poisson_deviance",
    "mean_gamma_deviance": "gamma_deviance",
    "mean_pinball_loss": "pinball",
    "brier_score": "brier",
    "mcc": "matthews_corrcoef",
    "auc": "roc_auc",
    "auroc": "roc_auc",
}


def score_of(name: str) -> Score | None:
    """The score of a name without its rows, such as roc_auc or pinball_0.9; None for no score.

    The number behind a name is among the options of the score that is returned.
    """
    found = WITH_NUMBER.fullmatch(name)
    score = SCORES.get(name) or SCORES.get(found[1] if found else "")
    if score is None or score.parameter is None:
        return score if name in SCORES else None
    given = float(found[2]) if found and name not in SCORES else score.parameter.default
    if given is None or not score.parameter.fits(given):
        return None
    number = int(given) if score.parameter.whole else given
    return replace(score, name=name, options={**score.options, score.parameter.name: number})


def part_of(metric: str) -> tuple[str, str]:
    """The rows that a metric is of, and what it is of them: ("validation", "roc_auc").

    ("", the name itself) for a metric that is named otherwise.
    """
    found = PART.fullmatch(metric)
    return (found[1], found[2]) if found else ("", metric)


def usual_name(name: str) -> str:
    """What is called like this elsewhere, e.g. log_loss for neg_log_loss; "" if nothing is."""
    bare = name.removeprefix("neg_")
    for other in (bare, bare.removesuffix("_score")):
        known = OTHER_NAMES.get(other, other)
        if known in SCORES and known != name:
            return known
    return ""
