"""Figures that are drawn without a display, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110  # pixels an inch


def new_figure(width: float, height: float, *, dpi: float = DPI) -> Figure:
    """An empty figure of this size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_png(path: Path, figure: Figure) -> None:
    """Write what `savefig` would, which draws a figure twice: once to learn its size."""
    figure.canvas.print_png(path)  # type: ignore[attr-defined]
