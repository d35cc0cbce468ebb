"""Figures that are drawn without a display, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from hpsearch.reports.letters import draw_in_letters, quiet_about_letters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110  # pixels an inch
NO_FONT = "No font on this machine has the letters of these names; the figure has numbers:"
# Letters stay letters in PDF and SVG, as journals ask for; the salt makes the names in an SVG file
# the same every time.
VECTOR: dict[Any, Any] = {
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "hpsearch",
}
# Of figures for a paper, sizes in points: no letter but an exponent is below 6.5.
PAPER: dict[Any, Any] = {
    **VECTOR,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
}


@dataclass(frozen=True)
class Margins:
    """What is left around axes for labels and titles, in inches.

    Attributes:
        between, below: from the left side of axes to those before, and from their title to those
            above.
    """

    left: float = 0.8
    right: float = 0.3
    top: float = 0.75
    bottom: float = 0.6
    between: float = 0.8
    below: float = 0.95


def new_figure(
    width: float, height: float, *, dpi: float = DPI, margins: Margins | None = None
) -> Figure:
    """An empty figure of this size in inches.

    Args:
        margins: None: matplotlib measures all texts to find them, which takes two thirds of the
            time of drawing.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    measured: Literal["constrained"] | None = "constrained" if margins is None else None
    figure = Figure(figsize=(width, height), dpi=dpi, layout=measured)
    FigureCanvasAgg(figure)
    return figure


def new_axes(figure: Figure, rows: int, columns: int, margins: Margins) -> list[Any]:
    """Axes in rows and columns, row by row, with these margins."""
    width, height = figure.get_size_inches()
    gaps = (margins.between * (columns - 1), margins.below * (rows - 1))
    each = (width - margins.left - margins.right - gaps[0]) / columns
    tall = (height - margins.top - margins.bottom - gaps[1]) / rows
    space = {
        "left": margins.left / width,
        "right": 1 - margins.right / width,
        "top": 1 - margins.top / height,
        "bottom": margins.bottom / height,
        "wspace": margins.between / each,
        "hspace": margins.below / tall,
    }
    grid = figure.subplots(rows, columns, squeeze=False, gridspec_kw=space)
    return list(grid.ravel())


@contextmanager
def vector_style() -> Iterator[None]:
    """Within it letters stay letters, and equal figures are equal files."""
    import matplotlib

    with matplotlib.rc_context(VECTOR):
        yield


@contextmanager
def paper_style() -> Iterator[None]:
    """Within it figures have letters that are read at the size they are drawn in."""
    import matplotlib

    with matplotlib.rc_context(PAPER):
        yield


def write_vector(place: Path | BinaryIO, figure: Figure) -> None:
    """Write a PDF or SVG file, by the ending of its name, or SVG into an open file; equal figures
    make equal files."""
    form = place.suffix[1:] if isinstance(place, Path) else "svg"
    dated = {"pdf": "CreationDate", "svg": "Date"}[form]
    save = partial(figure.savefig, place, format=form, metadata={dated: None})
    if form == "svg":  # whose reader has letters of its own
        with quiet_about_letters():
            save()
    else:
        assert isinstance(place, Path)
        _write(place, figure, save)


def write_png(path: Path, figure: Figure) -> None:
    """Write what `savefig` would, which draws a figure twice: once to learn its size."""
    _write(path, figure, partial(figure.canvas.print_png, path))  # type: ignore[attr-defined]


def _write(path: Path, figure: Figure, save: Callable[[], Any]) -> None:
    """Write a figure, and beside it a text that explains numbers in place of letters, if any."""
    numbers, beside = draw_in_letters(figure, save), path.with_name(f"{path.name}.txt")
    if numbers:
        lines = "".join(f"{number}  {word}\n" for number, word in numbers.items())
        beside.write_text(f"{NO_FONT}\n{lines}", encoding="utf-8")
    else:
        beside.unlink(missing_ok=True)
