"""Figures for a paper: as wide as they are asked for, with letters that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hpsearch.reports.charts import Axis, Chart, Panel, Series, Surface
from hpsearch.reports.png_charts import draw_for_paper, draw_png

X = [1.0, 2.0, 3.0]
EXPONENT = 4.9  # of a logarithmic scale
POINTS = Series("points", X, X, shade=X)
SEVERAL = Chart(
    "several",
    "Several",
    "",
    [
        Panel([POINTS, Series("line", X, X, "line", heavy=True)], "x", "score", log_x=True),
        Panel([Series("band", X, X, "band", top=[2.0, 3.0, 4.0])], "x", "score"),
        Panel([Series("", ["one", "other"], X[:2], "points")], "x", "score"),
        Panel([Series("spans", X, X, "spans", top=[2.0, 3.0, 4.0])], "x", "score"),
    ],
    "trial",
)
BARS = Chart(
    "bars",
    "Bars",
    "",
    [Panel([Series("", ["a", "b"], [0.7, 0.3], "bars", low=[0.6, 0.2], top=[0.9, 0.4])], "", "x")],
)
MEANS = Series("", ["sgd", "adam"], [0.7, 0.8], "intervals", low=[0.6, 0.7], top=[0.9, 0.85])
CASES = Chart("cases", "Cases", "", [Panel([MEANS], "trainer", "accuracy")])
GRID = Surface(X, X, [X, X, X])
SURFACE = Chart("surface", "", "", [Panel([], "x", "y", surface=GRID)], "score")
NAMED = [Axis(f"a_long_name_{n}", [0.0, float("nan"), 2.0]) for n in range(6)]
PARALLEL = Chart("parallel", "", "", axes=[*NAMED, Axis("score", X)])
CHARTS = [SEVERAL, BARS, CASES, SURFACE, PARALLEL]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_letters_are_read_at_the_width_that_is_asked_for(chart: Chart, tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    draw_for_paper(path, chart, 3.4)
    text = path.read_text()
    size = re.search(r'<svg [^>]*width="([\d.]+)pt"', text)
    assert size is not None
    assert float(size[1]) == pytest.approx(3.4 * 72, abs=0.01)
    letters = [float(n) for n in re.findall(r"font(?:-size)?: ([\d.]+)px", text)]
    assert letters
    assert min(n for n in letters if n != EXPONENT) >= 6.5
    assert max(letters) <= 8
    assert chart.title == "" or chart.title not in text


def test_a_pdf_has_the_size_and_repeats_to_the_last_byte(tmp_path: Path) -> None:
    paths = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    for path in paths:
        draw_for_paper(path, SEVERAL, 5.0)
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", paths[0].read_bytes())
    assert box is not None
    assert float(box[1]) == pytest.approx(360)
    assert float(box[2]) < 9 * 72
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"/Type /Font" in paths[0].read_bytes()
    assert b"/FontType 3" not in paths[0].read_bytes()


def test_names_that_all_panels_share_stand_once(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    draw_for_paper(path, SEVERAL, 3.4)
    text = path.read_text()
    assert text.count(">score</text>") == 1
    for name in ("points", "line", "band", "spans"):
        assert text.count(f">{name}</text>") == 1


def test_many_panels_fit_a_page(tmp_path: Path) -> None:
    many = Chart("many", "", "", [Panel([POINTS], f"x{n}", "score") for n in range(12)], "trial")
    path = tmp_path / "figure.svg"
    draw_for_paper(path, many, 3.4)
    size = re.search(r'height="([\d.]+)pt"', path.read_text())
    assert size is not None
    assert float(size[1]) <= 9.5 * 72


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_same_charts_are_drawn_for_the_report(chart: Chart, tmp_path: Path) -> None:
    draw_png(tmp_path / "figure.png", chart)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
