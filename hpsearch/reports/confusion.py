"""Which class is taken for which on the test set: a table and a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.records.layout import Artifact, RunFiles
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.canvas import new_figure, write_png
from hpsearch.spreadsheets import csv_text

NUMBERED = 20  # classes; with more, the figure's cells are too small for numbers


def confusion_table(
    tests: Iterable[TrialRecord], labels: NDArray[np.int64], classes: Sequence[str] = ()
) -> pd.DataFrame | None:
    """Mean counts over the refits, a row a true class, and each class's accuracy.

    None where the trainer knows scores alone.

    Args:
        labels: the classes of the test rows.
        classes: names; none: their numbers.
    """
    predicted = [member.predicted for record in tests for member in record.members]
    known = [p for p in predicted if p is not None]
    if not known or len(known) < len(predicted):
        return None
    k = max(len(classes), int(labels.max()) + 1, int(np.max(known)) + 1)
    counts = [np.bincount(labels * k + p, minlength=k * k).reshape(k, k) for p in known]
    mean = np.mean(counts, axis=0)
    names = list(classes) or [str(k) for k in range(len(mean))]
    table = pd.DataFrame(mean, columns=[f"as_{name}" for name in names])
    table.insert(0, "class", names)
    table["accuracy"] = np.diag(mean) / np.maximum(mean.sum(axis=1), 1)
    return table


def write_confusion(
    files: RunFiles,
    tests: Iterable[TrialRecord],
    labels: NDArray[np.int64],
    classes: Sequence[str] = (),
) -> None:
    """confusion.csv and confusion.png among the artifacts, if there is anything to say."""
    table = confusion_table(tests, labels, classes)
    if table is None:
        return
    text = csv_text(table, float_format="%.6g")
    files.artifact(Artifact.CONFUSION).write_text(text, encoding="utf-8")
    _draw(files.artifact(Artifact.CONFUSION_FIGURE), table)


def _draw(path: Path, table: pd.DataFrame) -> None:
    counts = table.drop(columns=["class", "accuracy"]).to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new_figure(6.4, 5.6)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, label="share of the true class")
    axes.set(xlabel="taken for", ylabel="true class", title="Test set, mean over the refits")
    if len(counts) <= NUMBERED:
        places, names = range(len(counts)), table["class"].tolist()
        turned = 90 if max(map(len, names)) > 3 else 0
        axes.set_xticks(places, names, rotation=turned)
        axes.set_yticks(places, names)
        for (i, j), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[i, j] > 0.5 else "black"
                axes.text(j, i, f"{count:.3g}", ha="center", va="center", color=color, size=7)
    write_png(path, figure)
