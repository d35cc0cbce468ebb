"""XGBoost: its models are JSON, or the same in binary, continued with xgb_model.

Without sampling, an ensemble that grew in steps is the one that is fitted at once, bit for bit.
Rows and columns that are sampled (subsample, colsample_*, dart) are drawn from another seed at
each step. Inputs are float32 to XGBoost, whatever they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.boosters.base import SEED, SILENT, THREADS, Library, only_losses
from hpsearch.trainers.boosters.early_stopping import ARGUMENT, Watched

MARK = "hpsearch"  # the attribute that holds our description
SIDE = re.compile(r"for Parameter \w+ should be (greater|smaller) (equal )?(?:to|than) (\S+)")
BOUND = re.compile(r"for Parameter \w+ exceed bound (\S+)")
KIND = re.compile(r"Invalid Parameter format for \w+ expect (\w+)")
CHOICES = re.compile(r"Invalid Input: .*, valid values are: \{(.*)\}")
MESSAGE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")  # time and place before what it says
KINDS = {"int": "a whole number", "float": "a number", "double": "a number"}
# What the library knows beside the arguments of its classes, as far as it is about learning.
NATIVE: dict[str, object] = {
    "rate_drop": 0.0,
    "skip_drop": 0.0,
    "one_drop": False,
    "sample_type": "uniform",
    "normalize_type": "tree",
    "feature_selector": "cyclic",
    "top_k": 0,
    "tweedie_variance_power": 1.5,
    "huber_slope": 1.0,
    "quantile_alpha": None,
}
WHOLE = "must be left out: the forest is fitted whole"
ALIASES = {
    "eta": "learning_rate",
    "lambda": "reg_lambda",
    "alpha": "reg_alpha",
    "min_split_loss": "gamma",
    "num_boost_round": "n_estimators",
    "colsample": "colsample_bytree",
    "num_leaves": "max_leaves",
}


class XGBoost(Library):
    """xgboost.XGBClassifier, XGBRegressor and their random forests, which do not grow."""

    name: ClassVar[str] = "xgboost"
    file_name: ClassVar[str] = "xgboost.json"
    sizes: ClassVar[tuple[str, ...]] = ("n_estimators",)
    distributions: ClassVar[tuple[str, ...]] = ("xgboost", "xgboost-cpu")
    unsteady: ClassVar[Mapping[str, tuple[str, ...]]] = {"booster": ("dart", "gblinear")}

    def arguments(self, make: type) -> dict[str, object]:
        known = {**make().get_params(deep=False), **NATIVE}
        return {name: value for name, value in known.items() if name not in self.refused(make)}

    def refused(self, make: type) -> Mapping[str, str]:
        said = f"as {make.__name__} calls it"
        return {
            "random_state": SEED,
            "seed": SEED,
            "n_jobs": THREADS,
            "nthread": THREADS,
            "verbosity": SILENT,
            "callbacks": "must be left out: they are code, not values",
            "importance_type": "must be left out: it changes no prediction",
            "eval_metric": "must be left out: objective.metric says what is measured",
            **({} if self.grows(make) else {ARGUMENT: WHOLE}),
        } | {alias: f"must be written {name}, {said}" for alias, name in ALIASES.items()}

    def settings(self, seed: int) -> dict[str, object]:
        return {"random_state": seed, "n_jobs": 1, "verbosity": 0}

    def grows(self, make: type) -> bool:
        return not any(base.__name__.startswith("XGBRF") for base in make.__mro__)

    def grow(
        self,
        made: Any,
        x: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        model: Any,
        watched: Watched | None = None,
    ) -> tuple[Any, Sequence[float]]:
        scored: dict[str, Any] = {}
        if watched is not None:
            scored = {
                "eval_set": [(watched.x, watched.y)],
                "sample_weight_eval_set": [watched.weights],
                "verbose": False,
            }
        made.fit(x, y, sample_weight=weights, xgb_model=model, **scored)
        return made.get_booster(), only_losses(made.evals_result()) if scored else ()

    def first(self, model: Any, trees: int, *, classifies: bool) -> Any:
        return self.loads(self.dumps(model[:trees]), classifies=classifies)

    def dumps(self, model: Any) -> bytes:
        return bytes(model.save_raw("ubj"))

    def loads(self, content: bytes, *, classifies: bool) -> Any:
        from xgboost import Booster

        model = Booster({"nthread": 1, "verbosity": 0})
        model.load_model(bytearray(content))
        return model

    def values(self, model: Any, x: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(self._predicted(model, x), np.float64)

    def probabilities(self, model: Any, x: NDArray[Any]) -> NDArray[Any]:
        p = self._predicted(model, x)
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)

    def _predicted(self, model: Any, x: NDArray[Any]) -> NDArray[Any]:
        from xgboost import DMatrix

        return np.asarray(model.predict(DMatrix(x, nthread=1)))

    def write(self, content: bytes, description: str) -> bytes:
        model = self.loads(content, classifies=False)
        model.set_attr(**{MARK: description})
        return bytes(model.save_raw("json"))

    def description(self, file: bytes) -> str:
        return str(json.loads(file)["learner"]["attributes"][MARK])

    def reason(self, error: Exception) -> str:
        text, *_ = str(error).strip().partition("\nStack trace:")
        return MESSAGE.sub("", text)

    def rule(self, message: str) -> str | None:
        if side := SIDE.search(message):
            word = {"greater": ("above", "at least"), "smaller": ("below", "at most")}[side[1]]
            return f"must be {word[bool(side[2])]} {side[3]}"
        if bound := BOUND.search(message):
            return f"must be in {bound[1]}"
        if kind := KIND.search(message):
            return f"must be {KINDS.get(kind[1], kind[1])}"
        choices = CHOICES.search(message)
        return f"must be one of {choices[1]}" if choices else None
