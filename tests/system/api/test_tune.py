"""tune: from a bare table to scored rows in two commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from tests.harness.stores import new_home
from tests.harness.tables import ROWS, customers


def command(*words: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hpsearch", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_commands_lead_from_a_bare_table_to_scored_rows(tmp_path: Path) -> None:
    customers().to_csv(tmp_path / "customers.csv", index=False)
    customers(seed=1).drop(columns="left").to_csv(tmp_path / "new.csv", index=False)
    home = str(new_home(tmp_path / "home"))
    words = ["tune", "customers.csv", "--target", "left", "--minutes", "0.25", "--home", home]
    said = command(*words, "--workers", "0", folder=tmp_path)
    assert "6 of them inputs" not in said  # the identifier is none: 5 of 6
    assert "logistic regression, default" in said
    assert "most frequent class" in said
    assert "python -m hpsearch predict customers rows.csv" in said
    command(
        "predict", "customers", "new.csv", "--to", "scored.csv", "--home", home, folder=tmp_path
    )
    scored = pd.read_csv(tmp_path / "scored.csv")
    assert len(scored) == ROWS
    assert {"class", "probability_no", "probability_yes"} <= {*scored}
    assert (scored["class"] == customers(seed=1)["left"]).mean() > 0.6
    # The file is run as it stands, and is finished.
    again = json.loads(command(*words, "--json", folder=tmp_path))
    assert again["card"]["target"] == "left"
    assert again["baselines"][0]["name"] == "most frequent class"
