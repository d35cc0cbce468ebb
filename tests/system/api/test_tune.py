"""tune: from a bare table to scored rows in two commands."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.harness.commands import call_here
from tests.harness.stores import new_home
from tests.harness.tables import ROWS, customers


def printed(*words: str) -> str:
    done = call_here(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_commands_lead_from_a_bare_table_to_scored_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    customers().to_csv(tmp_path / "customers.csv", index=False)
    customers(seed=1).drop(columns="left").to_csv(tmp_path / "new.csv", index=False)
    home = str(new_home(tmp_path / "home"))
    words = ["tune", "customers.csv", "--target", "left", "--minutes", "0.1", "--home", home]
    said = printed(*words, "--workers", "0")
    assert "6 of them inputs" not in said  # the identifier is none: 5 of 6
    assert "logistic regression, default" in said
    assert "most frequent class" in said
    assert "python -m hpsearch predict customers rows.csv" in said
    printed("predict", "customers", "new.csv", "--to", "scored.csv", "--home", home)
    scored = pd.read_csv(tmp_path / "scored.csv")
    assert len(scored) == ROWS
    assert {"class", "probability_no", "probability_yes"} <= {*scored}
    assert (scored["class"] == customers(seed=1)["left"]).mean() > 0.6
    # The file is run as it stands, and is finished.
    again = json.loads(printed(*words, "--json"))
    assert again["card"]["target"] == "left"
    assert again["baselines"][0]["name"] == "most frequent class"
