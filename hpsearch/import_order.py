"""Modules of a study lie in the first folder of Python's path, where anybody would find them.

A copy.py, queue.py or mlflow.py beside a study would break imports far from it: many modules of
the standard library and of the packages that hpsearch stands on are loaded late. Such a file is
passed over, unless the study names it or a module of the study imports it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

# That hpsearch and its dependencies import, by the names they are imported by; for what else is
# installed a user's module may stand in.
# fmt: off
PACKAGES = frozenset([
    "alembic", "annotated_types", "anyio", "cachetools", "certifi", "charset_normalizer",
    "click", "cloudpickle", "colorlog", "contourpy", "cycler", "dask", "dateutil",
    "distributed", "fastapi", "filelock", "flask", "fontTools", "fsspec", "greenlet", "h11",
    "huey", "idna", "itsdangerous", "jinja2", "joblib", "kiwisolver", "lightgbm", "locket",
    "loky", "mako", "markdown_it", "markupsafe", "matplotlib", "mlflow", "msgpack", "numpy",
    "opentelemetry", "optuna", "packaging", "pandas", "partd", "PIL", "plotly", "pooch",
    "psutil", "psycopg", "pyarrow", "pydantic", "pydantic_core", "pygments", "pyparsing",
    "pytz", "requests", "rich", "scipy", "shellingham", "six", "sklearn", "skops", "sniffio",
    "sqlalchemy", "sqlparse", "starlette", "tblib", "threadpoolctl", "tomlkit", "toolz",
    "torch", "tornado", "tqdm", "typer", "typing_extensions", "typing_inspection", "urllib3",
    "uvicorn", "werkzeug", "yaml", "zict", "zstandard",
])
# fmt: on

_folders: set[str] = set()  # of studies
_own: set[str] = set()  # names that modules of studies use as their own


class _OthersFirst:
    """Finds what is not a study's own outside of the folders of studies."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name in _own or not is_taken(name):
            return None
        found = PathFinder.find_spec(name, [place for place in sys.path if place not in _folders])
        return found if found is not None and found.loader is not None else None


def is_taken(name: str) -> bool:
    """Whether a module of this name is a study's own only where the study uses it."""
    return name in sys.stdlib_module_names or name in PACKAGES


def add_study_folder(folder: str) -> None:
    """Have the modules of a folder, which is on Python's path, stand back behind taken names."""
    if not any(finder is _OthersFirst for finder in sys.meta_path):
        sys.meta_path.insert(0, _OthersFirst)
    _folders.add(folder)


def use_as_own(names: Iterable[str]) -> None:
    """Find modules of these names in the folder of a study, if they are there."""
    _own.update(names)


def study_folders() -> list[str]:
    """Those so far; another process needs them before it has this one's path."""
    return sorted(_folders)
