"""A table as wide as none of a study's tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from hpsearch.datasets.table import TableFile, TableOptions


def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    wide = pd.DataFrame(np.arange(5 * 10_000).reshape(5, -1)).add_prefix("c")
    wide.assign(kind=[0.5, 1, 2, 3, 4]).to_csv(tmp_path / "t.csv", index=False)
    table = TableFile(tmp_path / "t.csv", TableOptions(target="kind"))
    assert table.training().inputs.shape == (4, 10_000)
