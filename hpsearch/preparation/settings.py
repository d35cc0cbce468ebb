"""How columns are prepared: hyperparameters of the [prepare] table, with defaults by trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hpsearch.hyperparameters import Hyperparameter, ParamValue, build, hyperparameter
from hpsearch.hyperparameters import hyperparameters as hyperparameters_of

PREFIX = "prepare."  # of their names among a trial's hyperparameters


@dataclass(frozen=True)
class Preparation:
    """How the columns of a table are preprocessed before a trainer sees them."""

    missing: str = hyperparameter(
        "median",
        choices=("median", "mean", "constant", "keep"),
        why="replaces missing numbers and dates; keep passes them to a trainer that accepts them",
    )
    missing_constant: float = hyperparameter(
        0.0, when=("missing", "constant"), why="replaces every missing number"
    )
    missing_indicator: bool = hyperparameter(
        True,
        choices=(False, True),
        why="adds an indicator for each column with missing values, which are often informative",
    )
    scale: str = hyperparameter(
        "standard",
        choices=("standard", "robust", "quantile", "none"),
        why="linear models and networks learn faster from columns of similar scale",
    )
    clip: float = hyperparameter(
        0.0, low=0.0, unit="scaled units", why="outliers are kept; 0 means no limit"
    )
    categories: str = hyperparameter(
        "one-hot",
        choices=("one-hot", "ordinal", "target"),
        why="implies no order; target is the cross-fitted mean of the target",
    )
    min_frequency: float = hyperparameter(
        0.01,
        low=0.0,
        below=1.0,
        unit="fraction of the training rows",
        when=("categories", "one-hot"),
        why="rarer categories share a column, because each has few rows",
    )
    dates: str = hyperparameter(
        "both",
        choices=("parts", "elapsed", "both"),
        why="parts show the season and the hour, elapsed shows the trend",
    )
    text: str = hyperparameter(
        "tf-idf", choices=("tf-idf", "hashed"), why="weights words by how distinctive they are"
    )
    text_features: int = hyperparameter(
        256, low=1, high=2**16, unit="columns", why="the most frequent words of a column"
    )
    text_ngram: int = hyperparameter(1, low=1, high=5, unit="words", why="the longest word n-gram")


@dataclass(frozen=True)
class TableNeeds:
    """What a trainer asks of a table.

    Attributes:
        by_order: it splits columns by order, as trees do: no scale changes what it learns.
        takes_gaps: it takes NaN.
    """

    by_order: bool = False
    takes_gaps: bool = False


SCALED = TableNeeds()


def preparation_hyperparameters(needs: TableNeeds) -> dict[str, Hyperparameter]:
    """The keys of [prepare] by their names in a trial, with the defaults for a trainer."""
    found = hyperparameters_of(Preparation)
    defaults: dict[str, ParamValue] = {}
    if needs.by_order:
        defaults = {"scale": "none", "categories": "ordinal", "missing_indicator": False}
        defaults |= {"missing": "keep"} if needs.takes_gaps else {}
    named = {}
    for name, described in found.items():
        when = None if described.when is None else (PREFIX + described.when[0], described.when[1])
        default = defaults.get(name, described.default)
        named[PREFIX + name] = replace(described, name=PREFIX + name, when=when, default=default)
    return named


def preparation_of(params: Mapping[str, ParamValue]) -> Preparation:
    """What a trial's hyperparameters say of it."""
    own = {k.removeprefix(PREFIX): v for k, v in params.items() if k.startswith(PREFIX)}
    return build(Preparation, own)
