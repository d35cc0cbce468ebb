"""CatBoost: its models are cbm files, continued with init_model.

It draws at random by default: a permutation of the rows (boosting_type "Ordered"), weights of
rows (bootstrap_type) and the scores of splits (random_strength). An ensemble that grew in steps
draws anew at each step, and is another one than is fitted at once; it is the same for the same
steps, whatever the pauses. Without all of these both agree to the last digits.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.boosters.base import SEED, SILENT, THREADS, Library, only_losses
from hpsearch.trainers.boosters.early_stopping import ARGUMENT, Watched

MARK = "hpsearch"  # the key of the model's metadata that holds our description
PLACE = re.compile(r"^\S+\.(?:h|cpp):\d+: ")  # in the library's source, before what it says
BOUND = re.compile(r"should be ((?:in |[<>]).*|positive|non-negative)")
DEEPEST = re.compile(r"Maximum tree depth is (\d+)")
UNREADABLE = re.compile(r"Can't parse parameter \"?(\w+)")
CHOICES = re.compile(r"Valid options are: (.*?)\.?\s*$")
LEARNING_RATE = 0.03
STOPPED = f"must be left out: {ARGUMENT} says when no more trees are added"
FILES = "must be left out: the study keeps the files of a training"
STOPPING = ("od_pval", "od_wait", "od_type", "use_best_model")
WHOLE = ("min_data_in_leaf", "min_child_samples", "border_count", "max_bin", "one_hot_max_size")


class CatBoost(Library):
    """catboost.CatBoostClassifier and CatBoostRegressor."""

    name: ClassVar[str] = "catboost"
    file_name: ClassVar[str] = "catboost.cbm"
    sizes: ClassVar[tuple[str, ...]] = (
        "iterations",
        "n_estimators",
        "num_boost_round",
        "num_trees",
    )
    trees: ClassVar[int] = 1000
    distributions: ClassVar[tuple[str, ...]] = ("catboost",)

    def arguments(self, make: type) -> dict[str, object]:
        # get_params has only what was given; the signature has all, None for its own default.
        # Text features and what is for a GPU's memory are left alone too.
        known = [name for name in inspect.signature(make).parameters if name != "self"]
        given = make().get_params()
        refused = self.refused(make)
        return {name: given.get(name) for name in known if name not in refused}

    def refused(self, make: type) -> Mapping[str, str]:
        files = ("save_snapshot", "snapshot_file", "snapshot_interval", "train_dir", "name")
        silent = ("verbose", "silent", "logging_level", "metric_period", "callback", "metadata")
        metrics = ("eval_metric", "custom_metric", "custom_loss")
        return {
            "random_seed": SEED,
            "random_state": SEED,
            "thread_count": THREADS,
            "best_model_min_trees": STOPPED,
            "eval_fraction": STOPPED,
            "allow_writing_files": FILES,
            **dict.fromkeys(STOPPING, STOPPED),
            **dict.fromkeys(files, FILES),
            **dict.fromkeys(silent, SILENT),
            **dict.fromkeys(metrics, "must be left out: objective.metric says what is measured"),
        }

    def settings(self, seed: int) -> dict[str, object]:
        return {
            "random_seed": seed,
            "thread_count": 1,
            "verbose": False,
            "allow_writing_files": False,
        }

    def grow(
        self,
        made: Any,
        x: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        model: Any,
        watched: Watched | None = None,
    ) -> tuple[Any, Sequence[float]]:
        given = made.get_params()
        if given.get("learning_rate") is None and given.get("eta") is None:
            # It would choose one for the few trees of a step.
            made.set_params(learning_rate=LEARNING_RATE)
        if watched is None:
            return made.fit(x, y, sample_weight=weights, init_model=model), ()
        from catboost import Pool

        rows = Pool(watched.x, watched.y, weight=watched.weights)
        made.fit(
            x, y, sample_weight=weights, init_model=model, eval_set=rows, use_best_model=False
        )
        recorded = made.evals_result_
        return made, only_losses({"validation": recorded["validation"]})

    def first(self, model: Any, trees: int, *, classifies: bool) -> Any:
        cut = model.copy()
        cut.shrink(trees)
        return self.as_loaded(cut, classifies=classifies)

    def dumps(self, model: Any) -> bytes:
        with TemporaryDirectory(prefix="hpsearch-") as folder:
            path = Path(folder, self.file_name)
            model.save_model(str(path))
            return path.read_bytes()

    def loads(self, content: bytes, *, classifies: bool) -> Any:
        from catboost import CatBoostClassifier, CatBoostRegressor

        model = (CatBoostClassifier if classifies else CatBoostRegressor)()
        return model.load_model(blob=content)

    def values(self, model: Any, x: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(model.predict(x, thread_count=1), np.float64)

    def probabilities(self, model: Any, x: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(model.predict_proba(x, thread_count=1))

    def write(self, content: bytes, description: str) -> bytes:
        model = self.loads(content, classifies=True)
        model.get_metadata()[MARK] = description
        return self.dumps(model)

    def description(self, file: bytes) -> str:
        return str(self.loads(file, classifies=True).get_metadata()[MARK])

    def reason(self, error: Exception) -> str:
        return PLACE.sub("", str(error).strip())

    def rule(self, message: str) -> str | None:
        if deepest := DEEPEST.search(message):
            return f"must be at most {deepest[1]}"
        if bound := BOUND.search(message):
            return f"must be {bound[1].partition(', current value')[0]}"
        if choices := CHOICES.search(message):
            return f"must be one of {choices[1]}"
        unreadable = UNREADABLE.search(message)
        return f"must be a value that CatBoost reads as {unreadable[1]}" if unreadable else None

    def problem(self, make: type, name: str, value: object) -> str | None:
        if name in WHOLE and isinstance(value, float):  # some of which it would round down
            return f"must be a whole number, got {value!r}"
        return super().problem(make, name, value)
