"""The checks of studies/lenet_batch_lr.py on a table made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from hpsearch.trainers import load_function
from tests.harness.study_files import REPOSITORY


def test_a_run_guesses_from_where_it_diverged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "studies")
    with_diverged = load_function("lenet_batch_lr:_with_diverged")
    settings = pd.DataFrame({"trial": [0, 1], "learning_rate": [0.01, 0.1]})
    lasted = [(0, 0, 1), (0, 0, 2), (0, 1, 1)]  # trial 0's second seed ends early, trial 1 at once
    curves = pd.DataFrame(lasted, columns=["trial", "seed", "epoch"]).assign(test_accuracy=0.9)
    rows = with_diverged(curves, settings).set_index(["trial", "seed", "epoch"])
    assert len(rows) == 8
    for run, accuracy in rows["test_accuracy"].items():
        assert accuracy == (0.9 if run in lasted else 0.1)
    assert set(rows.loc[1, "learning_rate"]) == {0.1}
