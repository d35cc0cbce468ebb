"""Ensembles of LightGBM, XGBoost and CatBoost as trainers, each by its library's import path.

Adding a library is: a module with its `Library`, its test, a line in the catalogue below.
"""

from __future__ import annotations

from pathlib import Path

from hpsearch.trainers.boosters.base import Library, silence
from hpsearch.trainers.boosters.catboost import CatBoost
from hpsearch.trainers.boosters.ensemble import Ensemble
from hpsearch.trainers.boosters.fitted import FittedBooster
from hpsearch.trainers.boosters.lightgbm import LightGBM
from hpsearch.trainers.boosters.xgboost import XGBoost

__all__ = [
    "LIBRARIES",
    "Ensemble",
    "FittedBooster",
    "Library",
    "library_in",
    "library_of",
    "library_of_file",
    "silence",
]

LIBRARIES: dict[str, Library] = {
    library.name: library for library in (LightGBM(), XGBoost(), CatBoost())
}


def library_in(path: str) -> Library | None:
    """The library that an import path begins with, installed or not."""
    return LIBRARIES.get(path.partition(".")[0])


def library_of(make: type) -> Library | None:
    """The library that a class comes from, its own subclasses among them."""
    return next(
        (library for base in make.__mro__ if (library := library_in(f"{base.__module__}."))), None
    )


def library_of_file(path: str | Path) -> Library | None:
    """The library whose model a file is, by its name."""
    name = Path(path).name
    return next((one for one in LIBRARIES.values() if one.file_name == name), None)
