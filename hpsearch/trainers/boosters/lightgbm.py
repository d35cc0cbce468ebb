"""LightGBM: its models are text, continued with init_model.

Without sampling, an ensemble that grew in steps is the one that is fitted at once, bit for bit.
Rows and columns that are sampled (subsample with subsample_freq, colsample_bytree, extra_trees,
dart) are drawn from another seed at each step.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.boosters.base import SEED, SILENT, THREADS, Library, only_losses
from hpsearch.trainers.boosters.early_stopping import ARGUMENT, Watched

BOUND = re.compile(r"Check failed: \(\w+\) (<=?|>=?) \(([^)]*)\)")
KIND = re.compile(r"should be of type (\w+), got")
FLAG = re.compile(r'should be "true"')
WORDS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
KINDS = {"int": "a whole number", "double": "a number"}
TREE, MARK = b"tree\n", b"hpsearch="  # how a model's text begins, and a line of ours in its head
# What the library knows beside the arguments of its classes, as far as it is about learning.
NATIVE: dict[str, object] = {
    "data_sample_strategy": "bagging",
    "top_rate": 0.2,
    "other_rate": 0.1,
    "feature_fraction_bynode": 1.0,
    "extra_trees": False,
    "max_bin": 255,
    "min_data_in_bin": 3,
    "max_delta_step": 0.0,
    "path_smooth": 0.0,
    "linear_tree": False,
    "linear_lambda": 0.0,
    "drop_rate": 0.1,
    "max_drop": 50,
    "skip_drop": 0.5,
    "uniform_drop": False,
    "xgboost_dart_mode": False,
    "is_unbalance": False,
    "scale_pos_weight": 1.0,
    "pos_bagging_fraction": 1.0,
    "neg_bagging_fraction": 1.0,
    "boost_from_average": True,
    "alpha": 0.9,
    "fair_c": 1.0,
    "poisson_max_delta_step": 0.7,
    "tweedie_variance_power": 1.5,
    "monotone_constraints": None,
    "monotone_constraints_method": "basic",
    "interaction_constraints": None,
    "force_row_wise": False,
    "device_type": "cpu",
}
# Other names of an argument, which the library would take with a warning.
ALIASES = {
    "boosting": "boosting_type",
    "eta": "learning_rate",
    "shrinkage_rate": "learning_rate",
    "num_iterations": "n_estimators",
    "num_boost_round": "n_estimators",
    "num_trees": "n_estimators",
    "num_leaf": "num_leaves",
    "max_leaves": "num_leaves",
    "min_data_in_leaf": "min_child_samples",
    "min_samples_leaf": "min_child_samples",
    "min_sum_hessian_in_leaf": "min_child_weight",
    "min_gain_to_split": "min_split_gain",
    "gamma": "min_split_gain",
    "bagging_fraction": "subsample",
    "bagging_freq": "subsample_freq",
    "feature_fraction": "colsample_bytree",
    "lambda_l1": "reg_alpha",
    "lambda_l2": "reg_lambda",
    "bin_construct_sample_cnt": "subsample_for_bin",
    "early_stopping_round": ARGUMENT,
    "application": "objective",
    "device": "device_type",
}


class LightGBM(Library):
    """lightgbm.LGBMClassifier and LGBMRegressor."""

    name: ClassVar[str] = "lightgbm"
    file_name: ClassVar[str] = "lightgbm.txt"
    sizes: ClassVar[tuple[str, ...]] = ("n_estimators",)
    distributions: ClassVar[tuple[str, ...]] = ("lightgbm",)
    unsteady: ClassVar[Mapping[str, tuple[str, ...]]] = {"boosting_type": ("dart",)}

    def arguments(self, make: type) -> dict[str, object]:
        known = {**make().get_params(deep=False), **NATIVE, ARGUMENT: None}
        return {name: value for name, value in known.items() if name not in self.refused(make)}

    def refused(self, make: type) -> Mapping[str, str]:
        said = f"as {make.__name__} calls it"
        return {
            "random_state": SEED,
            "seed": SEED,
            "bagging_seed": SEED,
            "feature_fraction_seed": SEED,
            "n_jobs": THREADS,
            "num_threads": THREADS,
            "verbose": SILENT,
            "verbosity": SILENT,
            "importance_type": "must be left out: it changes no prediction",
        } | {alias: f"must be written {name}, {said}" for alias, name in ALIASES.items()}

    def settings(self, seed: int) -> dict[str, object]:
        # Else it times which way to make histograms is faster, and sums differ in their last bits.
        layout = {"deterministic": True, "force_col_wise": True}
        return {"random_state": seed, "n_jobs": 1, "verbose": -1, **layout}

    def grow(
        self,
        made: Any,
        x: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        model: Any,
        watched: Watched | None = None,
    ) -> tuple[Any, Sequence[float]]:
        if made.get_params().get("force_row_wise"):
            made.set_params(force_col_wise=False)
        scored = {} if watched is None else _scored(watched)
        made.fit(x, y, sample_weight=weights, init_model=model, **scored)
        return made.booster_, only_losses(made.evals_result_) if scored else ()

    def first(self, model: Any, trees: int, *, classifies: bool) -> Any:
        from lightgbm import Booster

        return Booster(model_str=model.model_to_string(num_iteration=trees))

    def dumps(self, model: Any) -> bytes:
        return bytes(model.model_to_string(), "utf-8")

    def loads(self, content: bytes, *, classifies: bool) -> Any:
        from lightgbm import Booster

        return Booster(model_str=content.decode())

    def as_loaded(self, model: Any, *, classifies: bool) -> Any:
        return model  # which lightgbm.train itself read from its text

    def values(self, model: Any, x: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(model.predict(x, num_threads=1), np.float64)

    def probabilities(self, model: Any, x: NDArray[Any]) -> NDArray[Any]:
        p = np.asarray(model.predict(x, num_threads=1))
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)

    def write(self, content: bytes, description: str) -> bytes:
        line = description.encode("ascii").replace(b"=", rb"\u003d")  # it splits lines at "="
        return TREE + MARK + line + b"\n" + content.removeprefix(TREE)

    def description(self, file: bytes) -> str:
        return file.split(b"\n", 2)[1].removeprefix(MARK).decode()

    def reason(self, error: Exception) -> str:
        return re.sub(r" at \S+, line \d+ \.", "", str(error)).strip()

    def rule(self, message: str) -> str | None:
        if bound := BOUND.search(message):
            return f"must be {WORDS[bound[1]]} {bound[2]}"
        if kind := KIND.search(message):
            return f"must be {KINDS.get(kind[1], kind[1])}"
        if "Unknown token" in message:
            return "must be a number"
        return "must be true or false" if FLAG.search(message) else None

    def problem(self, make: type, name: str, value: object) -> str | None:
        if name == "boosting_type" and value in ("rf", "random_forest"):
            forest = f"sklearn.ensemble.RandomForest{make.__name__.removeprefix('LGBM')}"
            return f"must be one that can be continued, got {value!r}: take {forest}"
        return super().problem(make, name, value)


def _scored(watched: Watched) -> dict[str, Any]:
    """These rows as arguments of `fit`."""
    from lightgbm import LGBMModel

    weights = {"eval_sample_weight": [watched.weights]}
    if "eval_X" in inspect.signature(LGBMModel.fit).parameters:  # since 4.7
        return {"eval_X": watched.x, "eval_y": watched.y, **weights}
    return {"eval_set": [(watched.x, watched.y)], **weights}
