"""Which room may import which package; the arrows between rooms are import-linter's."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "hpsearch"
ROOMS = {
    "mlflow": {"tracking"},
    "optuna": {"samplers", "studyfile", "analysis", "study", "audit"},
    "optuna.storages": {"study"},
    "pydantic": {"studyfile", "scheduler"},
    "typer": {"cli"},
    "rich": {"cli", "console"},
    "flask": {"pages"},
    "jinja2": {"pages", "reports"},
    "plotly": {"reports"},
    "distributed": {"execution"},
}
MOST_FILES = 25  # side by side in a room


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules that are imported when the code runs, not those of annotations alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from imports(node)


@cache
def imported_by() -> dict[Path, frozenset[str]]:
    """What every module of the package imports when it runs."""
    return {
        path: frozenset(imports(ast.parse(path.read_text()))) for path in PACKAGE.rglob("*.py")
    }


def importers(package: str) -> set[str]:
    """The rooms, and the modules beside them, that import a package."""
    return {
        path.relative_to(PACKAGE).parts[0]
        for path, names in imported_by().items()
        if any(f"{name}.".startswith(f"{package}.") for name in names)
    }


@pytest.mark.parametrize("package", ROOMS)
def test_a_package_is_imported_where_it_belongs(package: str) -> None:
    assert importers(package) <= ROOMS[package]
    assert importers(package)  # else the row is of no use


def test_records_need_little_beside_the_standard_library() -> None:
    allowed = {"numpy", "filelock", "hpsearch"}
    for path in (PACKAGE / "records").glob("*.py"):
        names = {name.partition(".")[0] for name in imports(ast.parse(path.read_text()))}
        assert names - set(sys.stdlib_module_names) <= allowed, path.name


def test_no_room_has_more_files_than_a_look_takes_in() -> None:
    for folder in (PACKAGE, *(p for p in PACKAGE.rglob("*") if p.is_dir())):
        assert len(list(folder.glob("*.py"))) <= MOST_FILES, folder
