"""Some names are never those of a study's own modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from hpsearch import import_order
from hpsearch.import_order import is_taken
from hpsearch.own_code import load_module, look_first_in


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first folder of Python's path, as that of a study."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    for known in ("_folders", "_own"):
        monkeypatch.setattr(import_order, known, set(getattr(import_order, known)))
    look_first_in(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["queue", "dbm", "sqlalchemy", "plotly"])
def test_modules_of_python_and_of_packages_are_found_where_they_are(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, name, raising=False)
    (folder / f"{name}.py").write_text("raise RuntimeError\n")
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    assert not Path(found.origin).is_relative_to(folder)


@pytest.mark.parametrize("name", ["own_helpers", "pytest_timeout"])
def test_other_modules_are_the_study_s_own_first(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, name, raising=False)
    (folder / f"{name}.py").write_text("")
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin == str(folder / f"{name}.py")


def test_a_package_that_is_not_installed_may_lie_beside_a_study(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_order, "PACKAGES", import_order.PACKAGES | {"not_installed"})
    (folder / "not_installed.py").write_text("")
    assert is_taken("not_installed")
    found = importlib.util.find_spec("not_installed")
    assert found is not None
    assert found.origin == str(folder / "not_installed.py")


def test_what_a_study_names_or_imports_is_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pipes", "this", "antigravity"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (folder / "pipes.py").write_text("import this\nMADE = this.HELPED\n")
    (folder / "this.py").write_text("HELPED = 7\n")
    (folder / "antigravity.py").write_text("raise RuntimeError\n")  # nobody's
    assert load_module("pipes").MADE == 7
    found = importlib.util.find_spec("antigravity")
    assert found is not None
    assert found.origin is not None
    assert not Path(found.origin).is_relative_to(folder)
    for name in ("pipes", "this"):
        sys.modules.pop(name)
