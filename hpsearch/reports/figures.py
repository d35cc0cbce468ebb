"""Figures of a study, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hpsearch.records.result import Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.canvas import Margins, new_axes, new_figure, write_png

MARGINS = Margins(top=0.4)
CURVES = 8  # trials whose learning curves are drawn


def draw_search(path: Path, records: Sequence[TrialRecord], result: Result) -> None:
    """The scores of all trials by stage length, and the learning curves of the best, as PNG."""
    figure = new_figure(11, 4.2, margins=MARGINS)
    scores, curves = new_axes(figure, 1, 2, MARGINS)
    lengths = sorted({epochs for r in records for epochs in r.scores})
    for i, epochs in enumerate(lengths):
        reached = [r for r in records if epochs in r.scores]
        scores.plot(
            [r.number for r in reached],
            [r.scores[epochs] for r in reached],
            "o",
            ms=4,
            color=f"C{i}",
            label=f"{epochs} epochs",
        )
    for r in (r for r in records if not r.outcome.ranked):
        scores.axvline(r.number, color="0.85", lw=1, zorder=0)
    scores.set(xlabel="trial", ylabel=result.objective, title="Score of every trial")
    scores.legend(frameon=False)
    by_number = {r.number: r for r in records}
    for entry in result.top[:CURVES]:
        record = by_number[entry["number"]]
        history = record.mean_history().get(result.curve, [])
        winner = entry["number"] == result.best_number
        curves.plot(
            record.epochs[: len(history)],
            history,
            lw=2.2 if winner else 1,
            label=f"trial {entry['number']}" + (" (winner)" if winner else ""),
        )
    curves.set(xlabel="epoch", ylabel=result.curve, title="Learning curves of the best")
    curves.legend(frameon=False, fontsize=8)
    for axes in (scores, curves):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    write_png(path, figure)
