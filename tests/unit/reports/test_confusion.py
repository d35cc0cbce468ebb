"""The table of confusions on the test set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from hpsearch.records.layout import RunFiles
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.reports.confusion import confusion_table, write_confusion

LABELS = np.repeat([0, 1], 10)


def predicted(*counts: list[int]) -> list[int]:
    """Predictions of LABELS in which class i is taken for class j counts[i][j] times."""
    return [j for row in counts for j, n in enumerate(row) for _ in range(n)]


def refit(seed: int, predicted: list[int] | None) -> TrialRecord:
    member = MemberRecord(0, SeedKey(0, seed, 0, 0), predicted=predicted)
    return TrialRecord("u", "test", 0, {}, [member], {}, seed_number=seed)


def test_counts_are_means_over_the_refits() -> None:
    table = confusion_table(
        [refit(1, predicted([8, 2], [4, 6])), refit(2, predicted([10, 0], [0, 10]))], LABELS
    )
    assert table is not None
    assert table.to_dict("list") == {
        "class": ["0", "1"],
        "as_0": [9.0, 2.0],
        "as_1": [1.0, 8.0],
        "accuracy": [0.9, 0.8],
    }


def test_a_trainer_that_knows_scores_alone_gives_no_table(tmp_path: Path) -> None:
    write_confusion(
        RunFiles(tmp_path), [refit(1, predicted([10, 0], [0, 10])), refit(2, None)], LABELS
    )
    assert not list(tmp_path.iterdir())


def test_table_and_figure_are_written(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    files.artifacts.mkdir()
    write_confusion(files, [refit(1, predicted([8, 2], [4, 6]))], LABELS)
    assert pd.read_csv(files.artifacts / "confusion.csv")["accuracy"].tolist() == [0.8, 0.6]
    assert (files.artifacts / "confusion.png").stat().st_size > 1000


def test_classes_have_their_names() -> None:
    table = confusion_table([refit(1, predicted([8, 2], [4, 6]))], LABELS, ["cat", "dog"])
    assert table is not None
    assert list(table.columns) == ["class", "as_cat", "as_dog", "accuracy"]
