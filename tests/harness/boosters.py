"""Boosting libraries in tests: each is an extra, and what is not installed is skipped aloud."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

CLASSIFIERS: dict[str, tuple[str, dict[str, Any]]] = {
    "lightgbm": ("lightgbm.LGBMClassifier", {"n_estimators": 7, "min_child_samples": 2}),
    "xgboost": ("xgboost.XGBClassifier", {"n_estimators": 7}),
    "catboost": ("catboost.CatBoostClassifier", {"iterations": 7, "depth": 3}),
}
REGRESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "lightgbm": ("lightgbm.LGBMRegressor", {"n_estimators": 7, "min_child_samples": 2}),
    "xgboost": ("xgboost.XGBRegressor", {"n_estimators": 7}),
    "catboost": ("catboost.CatBoostRegressor", {"iterations": 7, "depth": 3}),
}
# Rows and columns that are drawn, and other things at random.
SAMPLED: dict[str, dict[str, Any]] = {
    "lightgbm": {"subsample": 0.6, "subsample_freq": 1, "colsample_bytree": 0.5},
    "xgboost": {"subsample": 0.6, "colsample_bytree": 0.5},
    "catboost": {"subsample": 0.6, "bootstrap_type": "Bernoulli", "random_strength": 2.0},
}
# Without anything at random; CatBoost's is by default.
EXACT: dict[str, dict[str, Any]] = {
    "lightgbm": {},
    "xgboost": {},
    "catboost": {"bootstrap_type": "No", "random_strength": 0.0},
}


def needs(library: str) -> pytest.MarkDecorator:
    """Skips a test where a library is not installed."""
    reason = f"needs {library}: pip install 'hpsearch[{library}]'"
    return pytest.mark.skipif(find_spec(library) is None, reason=reason)


every_library = pytest.mark.parametrize(
    "library", [pytest.param(name, marks=needs(name)) for name in CLASSIFIERS]
)
