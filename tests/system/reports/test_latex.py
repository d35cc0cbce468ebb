"""The text of a study in LaTeX, set by pdflatex."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hpsearch.reports.methods.markup import FORMS
from hpsearch.reports.methods.passage import Cells, Fact, Name, Parts

SCORE = Fact("0.9330 (0.8951 to 0.9709)", "by definition")
DRAWN = Fact("6.295e-05 (0.0001)", "by definition")


def table(n_columns: int, cell: Fact, first: str) -> Cells:
    head: list[Parts] = [("case",), *((Name("validation_accuracy"),) for _ in range(n_columns))]
    row: tuple[Parts, ...] = (
        (Name("trainer"), f" = {first}"),
        *((cell,) for _ in range(n_columns)),
    )
    return Cells("result", ("A table",), tuple(head), (row, row))


TABLES = [
    table(1, SCORE, "momentum"),
    table(1, SCORE, "HistGradientBoostingClassifier"),
    table(2, DRAWN, "adam"),
    table(3, SCORE, "momentum, all defaults"),
    table(6, DRAWN, "adam"),
    Cells(
        "space",
        ("Space",),
        (("name",), ("searched",)),
        (((Name("weight_decay"),), ("a number, uniform on the log scale " * 3,)),),
    ),
]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("columns", ["onecolumn", "twocolumn"])
def test_tables_are_no_wider_than_their_column(columns: str, tmp_path: Path) -> None:
    body = "\n\n".join(FORMS["latex"].table(one) for one in TABLES)
    (tmp_path / "paper.tex").write_text(
        f"\\documentclass[{columns}]{{article}}\n\\usepackage{{array,booktabs}}\n"
        f"\\begin{{document}}\nText.\n{body}\n\\end{{document}}\n"
    )
    subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "paper.tex"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert "Output written" in log
    assert [line for line in log.splitlines() if line.startswith("Overfull")] == []
