"""A data file that changes while a process lives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch import verify_study
from tests.harness.study import records, run

STUDY = """
name = "NAME"
protocol = "PROTOCOL"
objective = { metric = "validation_loss", direction = "minimize" }
[data]
name = "rows.csv"
target = "kind"
split = { kind = "k-fold", folds = 2 }
[network]
name = "two-layer"
hidden = 4
[space]
trainer = "adam"
learning_rate = { low = 1e-3, high = 0.1, log = true }
[[stages]]
trials = 2
epochs = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""


def write(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = np.repeat(["a", "b"], 30)
    table = pd.DataFrame(rng.normal(size=(60, 2)), columns=["x", "y"]).assign(kind=kinds)
    table.to_csv(folder / "rows.csv", index=False)


def study(folder: Path, name: str, protocol: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(STUDY.replace("NAME", name).replace("PROTOCOL", protocol))
    return path


@pytest.mark.parametrize("protocol", ["honest", "test-every-epoch"])
def test_the_next_study_trains_on_what_its_digest_names(
    tmp_path: Path, home: Path, protocol: str
) -> None:
    for seed, name in ((0, "before"), (1, "after"), (0, "again")):
        write(tmp_path, seed)
        run(study(tmp_path, name, protocol), home)
    before, after, again = (records(home, name) for name in ("before", "after", "again"))
    digests = [trials[0].digests["data"] for trials in (before, after, again)]
    curves = [[m.history for r in trials for m in r.members] for trials in (before, after, again)]
    assert digests[0] == digests[2] != digests[1]
    assert curves[0] == curves[2] != curves[1]


def test_verify_looks_at_the_file_as_it_is_now(tmp_path: Path, home: Path) -> None:
    write(tmp_path, 0)
    run(study(tmp_path, "before", "honest"), home)
    write(tmp_path, 1)
    found = verify_study("before", trials=0, home=home)
    assert any("digests" in problem for problem in found.problems)
