"""What a new study file searches of a trainer first, over which range, and why.

Sources: LightGBM, "Parameters Tuning"; XGBoost, "Notes on Parameter Tuning"; CatBoost, "Parameter
tuning"; scikit-learn, user guide, "Ensembles" (1.11) and the default grids of LogisticRegressionCV
and RidgeCV. All read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hpsearch.hyperparameters import ParamValue
from hpsearch.studyfile.toml import toml_value


@dataclass(frozen=True)
class Range:
    """What is searched: from low to high.

    Attributes:
        why: the reason for the range; "" where the name says all.
    """

    low: float
    high: float
    log: bool = False
    why: str = ""

    @property
    def values(self) -> tuple[ParamValue, ...]:
        """Those that a trainer must take."""
        return (self.low, self.high)

    def text(self, when: str = "") -> str:
        """As [space] says it, under a condition or none."""
        ends = f"low = {toml_value(self.low)}, high = {toml_value(self.high)}"
        condition = f", when = {{ {when} }}" if when else ""
        return f"{{ {ends}{', log = true' * self.log}{condition} }}"


@dataclass(frozen=True)
class Fixed:
    """What is set, as its default serves a search badly."""

    value: ParamValue
    why: str

    @property
    def values(self) -> tuple[ParamValue, ...]:
        """Those that a trainer must take."""
        return (self.value,)

    def text(self, when: str = "") -> str:
        """As [space] says it, under a condition or none."""
        said = toml_value(self.value)
        return f"{{ choices = [{said}], when = {{ {when} }} }}" if when else said


Usual = Range | Fixed

# By name, whatever the trainer.
USUAL: dict[str, Usual] = {
    "learning_rate": Range(1e-4, 1.0, log=True),
    "weight_decay": Range(1e-6, 1e-1, log=True),
    "C": Range(0.01, 100.0, log=True),
    "alpha": Range(1e-6, 10.0, log=True),
    "gamma": Range(1e-4, 10.0, log=True),
    "learning_rate_init": Range(1e-4, 0.1, log=True),
    "n_estimators": Range(20, 200, log=True),
    "n_neighbors": Range(1, 30),
}

STEP = Range(0.01, 0.3, True, "per tree; lower needs thousands of trees, higher overfits")
TREES = Range(100, 1000, True, "at full length; a smaller learning_rate needs more")
ROWS = Range(0.5, 1.0, why="fraction of the rows for each tree: less overfitting, and faster")
COLUMNS = Range(0.4, 1.0, why="fraction of the columns for each tree: trees differ more")
LEAVES = Range(7, 127, True, "per tree: the main limit, because trees grow leaf by leaf")
LEAF = Range(5, 100, True, "minimum rows in a leaf: more is smoother; hundreds for large tables")
L2 = Range(1e-3, 10.0, True, "penalty on large leaf values: matters with few rows")

LIGHTGBM: dict[str, Usual] = {
    "learning_rate": STEP,
    "n_estimators": TREES,
    "num_leaves": LEAVES,
    "min_child_samples": LEAF,
    "subsample": ROWS,
    "subsample_freq": Fixed(1, "draws rows for every tree; with 0, subsample has no effect"),
    "colsample_bytree": COLUMNS,
    "reg_lambda": L2,
}
XGBOOST: dict[str, Usual] = {
    "learning_rate": STEP,
    "n_estimators": TREES,
    "max_depth": Range(3, 10, why="per tree: the main limit, because trees grow level by level"),
    "min_child_weight": Range(1, 20, True, "minimum weight in a leaf: more is smoother"),
    "subsample": ROWS,
    "colsample_bytree": COLUMNS,
    "reg_lambda": Range(1e-2, 10.0, True, L2.why),
}
CATBOOST: dict[str, Usual] = {
    "learning_rate": STEP,
    "iterations": TREES,
    "depth": Range(4, 10, why="of the symmetric trees; each level doubles the leaves"),
    "l2_leaf_reg": Range(1.0, 10.0, True, L2.why),
    "random_strength": Range(0.1, 10.0, True, "noise on the scores of splits: less overfitting"),
    "rsm": COLUMNS,
}
HISTOGRAM: dict[str, Usual] = {
    "learning_rate": STEP,
    "max_iter": TREES,
    "max_leaf_nodes": LEAVES,
    "min_samples_leaf": LEAF,
    "l2_regularization": L2,
    "max_features": Range(0.4, 1.0, why="fraction of the columns for each split"),
}
BOOSTING: dict[str, Usual] = {
    "learning_rate": STEP,
    "n_estimators": Range(50, 500, True, TREES.why),
    "max_depth": Range(2, 8, why="per tree: limits how many columns interact"),
    "min_samples_leaf": Range(1, 50, True, LEAF.why),
    "subsample": ROWS,
}
FOREST: dict[str, Usual] = {
    "n_estimators": Fixed(200, "more trees are never worse, only slower"),
    "max_features": Range(0.1, 1.0, why="fraction of the columns for each split: the main option"),
    "min_samples_leaf": Range(1, 20, True, "minimum rows in a leaf: more for noisy targets"),
}
LOGISTIC: dict[str, Usual] = {
    "C": Range(1e-4, 1e4, True, "inverse of the penalty; LogisticRegressionCV's own range"),
    "max_iter": Fixed(1000, "100 often end before convergence"),
}
RIDGE: dict[str, Usual] = {
    "alpha": Range(1e-3, 1e3, True, "the penalty; wider than RidgeCV's 0.1 to 10"),
}
# By the name of the class.
CURATED: dict[str, Mapping[str, Usual]] = {
    **dict.fromkeys(("LGBMClassifier", "LGBMRegressor"), LIGHTGBM),
    **dict.fromkeys(("XGBClassifier", "XGBRegressor"), XGBOOST),
    **dict.fromkeys(("CatBoostClassifier", "CatBoostRegressor"), CATBOOST),
    **dict.fromkeys(
        ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), HISTOGRAM
    ),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), BOOSTING),
    **dict.fromkeys(
        (
            "RandomForestClassifier",
            "RandomForestRegressor",
            "ExtraTreesClassifier",
            "ExtraTreesRegressor",
        ),
        FOREST,
    ),
    "LogisticRegression": LOGISTIC,
    **dict.fromkeys(("Ridge", "RidgeClassifier"), RIDGE),
}


def usual(trainer: str, name: str) -> Usual | None:
    """What is searched of a trainer's hyperparameter first; None: nothing."""
    curated = CURATED.get(trainer.rpartition(".")[2])
    if curated is not None:  # what it does not name is better left alone
        return curated.get(name)
    return USUAL.get(name.rpartition("__")[2])
