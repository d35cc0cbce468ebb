"""Figures in letters that matplotlib's own font lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontManager, fontManager
from matplotlib.text import Text

from hpsearch.reports.canvas import new_figure, vector_style, write_png, write_vector
from hpsearch.reports.letters import _fonts_with

OWN = "⃐ᶊ"  # of STIXGeneral, which comes with matplotlib, and not of DejaVu Sans
NOBODY = "\U0001f9ff"  # no font of matplotlib has it


@pytest.fixture
def few_fonts(monkeypatch: pytest.MonkeyPatch) -> FontManager:
    """The fonts that come with matplotlib, whatever this machine has."""
    mine = [font for font in fontManager.ttflist if "mpl-data" in font.fname]
    monkeypatch.setattr(fontManager, "ttflist", mine)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    _fonts_with.cache_clear()
    return fontManager


def figure_of(*names: str) -> Figure:
    figure = new_figure(3, 3)
    axes = figure.subplots()
    axes.plot(names, range(len(names)), label=f"case = {names[0]}")  # categories
    axes.set_yticks(range(len(names)), names)
    axes.set_title(f"of {names[0]} and {names[-1]}")
    axes.legend()
    return figure


@pytest.mark.usefixtures("few_fonts")
def test_another_font_has_them(tmp_path: Path) -> None:
    figure, path = figure_of("cat", OWN), tmp_path / "figure.png"
    write_png(path, figure)
    assert not path.with_name(f"{path.name}.txt").exists()
    texts = [t for t in figure.findobj(Text) if OWN in t.get_text()]
    assert texts
    assert all("STIXGeneral" in text.get_fontfamily() for text in texts)


@pytest.mark.usefixtures("few_fonts")
def test_one_letter_that_no_font_has_leaves_the_others(tmp_path: Path) -> None:
    figure, path = figure_of("cat", f"{OWN} {NOBODY}"), tmp_path / "figure.png"
    write_png(path, figure)
    assert f"{OWN} #1" in {text.get_text() for text in figure.findobj(Text)}
    assert path.with_name("figure.png.txt").read_text().endswith(f"#1  {NOBODY}\n")


@pytest.mark.usefixtures("few_fonts")
@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_numbers_stand_for_them_where_no_font_has_them(tmp_path: Path, ending: str) -> None:
    figure, path = figure_of(f"{NOBODY} {NOBODY}", "dog", f"{NOBODY}2"), tmp_path / f"a.{ending}"
    write = write_png if ending == "png" else write_vector
    write(path, figure)
    shown = {t.get_text() for t in figure.findobj(Text)}
    assert {"#1", "dog", "#22", "case = #1", "of #1 and #22"} <= shown
    assert not any(NOBODY in text for text in shown)
    said = path.with_name(f"{path.name}.txt").read_text()
    assert f"#1  {NOBODY} {NOBODY}\n#2  {NOBODY}\n" in said
    write(path, figure_of("cat"))
    assert not path.with_name(f"{path.name}.txt").exists()


def test_usual_letters_are_drawn_once(tmp_path: Path) -> None:
    figure, drawn = figure_of("Katze", "größte ± 1 …"), []
    usual = figure.canvas.print_png  # type: ignore[attr-defined]
    figure.canvas.print_png = lambda path: drawn.append(usual(path))  # type: ignore[attr-defined]
    write_png(tmp_path / "figure.png", figure)
    assert len(drawn) == 1


def test_svg_keeps_all_letters(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    with vector_style():
        write_vector(path, figure_of(NOBODY, "b"))
    assert NOBODY in path.read_text()
