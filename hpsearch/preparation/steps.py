"""The columns of a table as scikit-learn's transformers, in one ColumnTransformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.table_columns import TableColumn
from hpsearch.preparation.settings import Preparation

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.compose import ColumnTransformer

DAY = 86400.0  # seconds
PARTS = ("year", "month", "day", "day_of_week", "hour")
FOLDS = 5  # of target encoding, fewer where a class has fewer rows
QUANTILES = 1000
WORD = r"(?u)\b\w+\b"


def frame(
    inputs: NDArray[np.float64],
    columns: Sequence[TableColumn],
    texts: Mapping[int, NDArray[Any]],
) -> pd.DataFrame:
    """Rows of a table with the columns that `transformer` takes; a date is several.

    Args:
        inputs: (N, D), as `table_columns` has them.
        texts: (N,) of each column of texts.
    """
    import pandas as pd

    whole = pd.DataFrame(inputs, copy=False)
    whole.columns = pd.Index([str(place) for place in range(len(columns))])
    more: dict[str, Any] = {}
    for place, column in enumerate(columns):
        if column.kind == "date":
            more |= _date_columns(place, inputs[:, place])
        elif column.kind == "text":
            more[f"{place} text"] = pd.Series(texts[place], dtype=object)
    return pd.concat([whole, pd.DataFrame(more)], axis=1) if more else whole


def _date_columns(place: int, seconds: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    import pandas as pd

    known = ~np.isnan(seconds)
    moments = pd.DatetimeIndex(
        np.where(known, seconds, 0).astype(np.int64).astype("datetime64[s]")
    )
    found = {f"{place} elapsed": seconds / DAY}
    for part in PARTS:
        values = np.asarray(getattr(moments, part), np.float64)
        found[f"{place} {part}"] = np.where(known, values, np.nan)
    return found


def transformer(
    settings: Preparation,
    columns: Sequence[TableColumn],
    labels: NDArray[Any],
    *,
    n_classes: int,
    seed: int,
) -> ColumnTransformer | None:
    """What is fitted to the training rows of a table; None where every column stays as it is.

    Args:
        labels: (N,) of the training rows.
        n_classes: K; 0 where numbers are predicted.
        seed: of cross-fitting and of quantiles.
    """
    from sklearn.compose import ColumnTransformer

    of_kind: dict[str, list[str]] = {}
    for number, column in enumerate(columns):
        of_kind.setdefault(column.kind, []).append(str(number))
    numbers = of_kind.get("number", [])
    for place in of_kind.get("date", []):
        chosen = ["elapsed"] * (settings.dates != "parts")
        chosen += [*PARTS] if settings.dates != "elapsed" else []
        numbers = [*numbers, *(f"{place} {part}" for part in chosen)]
    booleans, categories = of_kind.get("boolean", []), of_kind.get("category", [])
    kept = settings.missing == "keep"
    if not (categories or of_kind.keys() & {"date", "text"}) and _stays(settings):
        return None
    steps: list[tuple[str, Any, Any]] = []
    if numbers:
        steps.append(("numbers", _numbers(settings, len(labels), seed), numbers))
    if booleans:
        steps.append(("booleans", "passthrough" if kept else _filled("most_frequent"), booleans))
    if settings.missing_indicator and not kept and numbers + booleans:
        steps.append(("gaps", _gaps(), numbers + booleans))
    if categories:
        steps.append(("categories", _categories(settings, labels, n_classes, seed), categories))
    for place in of_kind.get("text", []):
        steps.append((f"text {place}", _text(settings), f"{place} text"))
    return ColumnTransformer(steps, sparse_threshold=0, verbose_feature_names_out=False)


def _stays(settings: Preparation) -> bool:
    return settings.missing == "keep" and settings.scale == "none"


def _filled(strategy: str, constant: float = 0.0) -> Any:
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy=strategy, fill_value=constant, keep_empty_features=True)


def _gaps() -> Any:
    from sklearn.impute import MissingIndicator

    return MissingIndicator(features="missing-only", error_on_new=False)


def _numbers(settings: Preparation, n_rows: int, seed: int) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

    steps: list[Any] = []
    if settings.missing != "keep":
        steps.append(_filled(settings.missing, settings.missing_constant))
    if settings.scale == "standard":
        steps.append(StandardScaler())
    elif settings.scale == "robust":
        steps.append(RobustScaler())
    elif settings.scale == "quantile":
        steps.append(
            QuantileTransformer(
                n_quantiles=min(QUANTILES, n_rows),
                output_distribution="normal",
                random_state=seed,
            )
        )
    return make_pipeline(*steps) if steps else "passthrough"


def _categories(settings: Preparation, labels: NDArray[Any], n_classes: int, seed: int) -> Any:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

    if settings.categories == "one-hot":
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=settings.min_frequency or None,
            sparse_output=False,
        )
    if settings.categories == "ordinal":
        none = np.nan if settings.missing == "keep" else -1
        return OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=none, encoded_missing_value=none
        )
    counts = np.unique(labels, return_counts=True)[1]
    rarest = int(counts.min()) if n_classes else len(labels)
    # By the classes that are there: a side of a split may lack one.
    what = "continuous" if not n_classes else "binary" if len(counts) <= 2 else "multiclass"
    return TargetEncoder(
        target_type=what, cv=max(2, min(FOLDS, rarest)), shuffle=True, random_state=seed
    )


def _text(settings: Preparation) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

    longest = (1, settings.text_ngram)
    if settings.text == "hashed":
        return HashingVectorizer(
            n_features=settings.text_features, ngram_range=longest, token_pattern=WORD
        )
    return TfidfVectorizer(
        max_features=settings.text_features, ngram_range=longest, token_pattern=WORD
    )
