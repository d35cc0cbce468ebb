"""Where tests stand, and what a test module may import."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "hpsearch"
MODULES = [path for path in sorted(TESTS.rglob("*.py")) if TESTS / "assets" not in path.parents]


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever it does."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add("." * node.level + (node.module or ""))
    return modules


def is_fixture(node: ast.stmt) -> bool:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return any("fixture" in ast.unparse(decorator) for decorator in decorators)


def test_what_test_modules_share_stands_in_the_harness() -> None:
    wrong = [
        f"{path.relative_to(TESTS)} imports {name}: move what it takes to tests/harness"
        for path in MODULES
        for name in sorted(imported(path))
        if name.startswith(".")
        or (name.startswith("tests.") and not name.startswith("tests.harness."))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_conftest_holds_fixtures_alone() -> None:
    wrong = [
        f"{path.relative_to(TESTS)}: move {node.name} to tests/harness"
        for path in TESTS.rglob("conftest.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not is_fixture(node)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_test_stands_in_a_tier() -> None:
    wrong = [
        f"{path.relative_to(TESTS)} must be in unit, study or system"
        for path in MODULES
        if path.name.startswith("test_")
        and path.relative_to(TESTS).parts[0] not in ("unit", "study", "system")
    ]
    assert not wrong, "\n".join(wrong)


def test_fast_tests_start_no_process_and_no_server() -> None:
    wrong = [
        f"{path.relative_to(TESTS)} imports {name}: move what needs it to tests/system"
        for path in MODULES
        if path.relative_to(TESTS).parts[0] in ("unit", "study")
        for name in sorted(imported(path))
        if name in ("subprocess", "multiprocessing", "socket", "http.server", "psutil")
        or name.startswith(("tests.harness.servers", "tests.harness.browser"))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_folders_of_unit_are_those_of_the_package() -> None:
    wrong = [
        f"tests/unit/{folder.name} must have the name of a folder of hpsearch/"
        for folder in (TESTS / "unit").iterdir()
        if (folder / "__init__.py").exists()
        and folder.name != "studies"  # what studies/*.py defines
        and not (PACKAGE / folder.name).is_dir()
    ]
    assert not wrong, "\n".join(wrong)
