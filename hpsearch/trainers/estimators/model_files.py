"""Files that fitted estimators are kept as, whatever wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hpsearch.trainers import fitted_estimator
from hpsearch.trainers.boosters import LIBRARIES, library_of_file
from hpsearch.trainers.boosters.fitted import load_booster, read_description
from hpsearch.trainers.fitted_estimator import EstimatorFile, FittedEstimator

FILE_NAMES = (FittedEstimator.file_name, *(one.file_name for one in LIBRARIES.values()))


def described(path: str | Path) -> EstimatorFile:
    """What a file says of itself."""
    library = library_of_file(path)
    return EstimatorFile.read(str(path)) if library is None else read_description(library, path)


def load_model(path: str | Path) -> Any:
    """The estimator of a file, with `predict` and, of classes, `predict_proba` and `classes_`.

    Raises:
        HpsearchError: the file holds what must not be made.
    """
    library = library_of_file(path)
    if library is None:
        return fitted_estimator.load_model(str(path))
    return load_booster(library, path)
