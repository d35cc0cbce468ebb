"""What starts often starts quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.stores import new_home
from tests.harness.study_files import TINY


@pytest.mark.parametrize("module", ["hpsearch", "hpsearch.cli", "hpsearch.execution.worker"])
def test_what_starts_often_loads_neither_optuna_nor_mlflow(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'optuna', 'mlflow'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importances_load_no_forests() -> None:
    code = """
import sys
import hpsearch.analysis.importance
heavy = ("sklearn", "scipy.stats", "optuna.importance")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.figures
def test_a_study_loads_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(TINY)
    code = """
import sys
from pathlib import Path
from hpsearch import run_study
from hpsearch.tracking.projection import Projection
Projection.start = Projection.keep_alive = lambda self: None
Projection.finish = lambda self, **_: True
report = run_study(Path("small.toml"), home=Path("home"), workers=1)
assert len(report.result.fidelity) == 2
print(sorted({"sklearn", "scipy.stats", "mlflow"} & sys.modules.keys()))
"""
    new_home(tmp_path / "home")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"
    assert (tmp_path / "home/studies/small/1/artifacts/figures/parameter_importance.png").exists()

    look = """
import sys
from hpsearch.cli import app
for line in ("status", "show small", "study small.toml", "plan small.toml --trials 0"):
    home = () if line.startswith("plan") else ("--home", "home")
    app([*line.split(), *home], standalone_mode=False)
print(sorted({"pandas", "scipy", "sqlalchemy", "sklearn", "matplotlib"} & sys.modules.keys()))
"""
    command = [sys.executable, "-c", look]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_table_is_looked_at_without_a_search_or_an_estimator(tmp_path: Path) -> None:
    """Its import would take longer than a table of 100,000 rows."""
    rows = "".join(f"{n % 7},{n % 11},{'yn'[n % 2]}\n" for n in range(400))
    (tmp_path / "t.csv").write_text(f"a,b,c\n{rows}")
    code = """
import sys
from hpsearch import data_card
assert len(data_card("t.csv", target="c").columns) == 2
print(sorted({"optuna", "sklearn", "scipy", "mlflow"} & sys.modules.keys()))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
