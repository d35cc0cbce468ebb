"""What a finished study is asked, and of which data."""

from __future__ import annotations

from pathlib import Path

from hpsearch.analysis.answers import answer
from hpsearch.records.layout import Artifact, Home
from hpsearch.study.recorded import find_run
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run

ASKED = """
name = "asked"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 5
split = { kind = "k-fold", folds = 2 }
[network]
name = "two-layer"
hidden = 8
[space]
trainer = { choices = ["sgd", "adam"] }
[[stages]]
trials = 2
epochs = 1
[comparison]
data = "DATA"
table = "printed.csv"
metric = "validation_accuracy"
[[claims]]
text = "SGD is better"
data = "DATA"
check = "higher"
given = { metric = "validation_accuracy", of = { trainer = "sgd" }, than = { trainer = "adam" } }
"""


def test_what_is_about_other_data_is_neither_judged_nor_laid_beside(tmp_path: Path) -> None:
    (tmp_path / "printed.csv").write_text("trainer,accuracy\nsgd,0.5\nadam,0.6\n")
    path = tmp_path / "asked.toml"
    path.write_text(ASKED.replace("DATA", "digits"))
    result = run(path, tmp_path / "home")
    folder = find_run(Home(tmp_path / "home"), "asked").folder
    beside = folder.files.artifact(Artifact.COMPARISON)
    found = answer(read_study(path), folder, result)
    assert len(found.agreement) == 1
    assert "not judged" not in found.claims[0]["detail"]
    assert beside.exists()
    path.write_text(ASKED.replace("DATA", "mnist"))
    found = answer(read_study(path), folder, result)
    assert found.agreement == []
    assert found.claims[0]["verdict"] == "not shown"
    assert (
        found.claims[0]["detail"]
        == "not judged: the claim is about mnist, and this study's data is digits"
    )
    assert not beside.exists()


def test_a_column_that_the_printed_table_leaves_empty_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "printed.csv").write_text("trainer,hidden,accuracy\nsgd,,0.5\nadam,,0.6\n")
    path = tmp_path / "asked.toml"
    path.write_text(ASKED.replace("DATA", "digits"))
    result = run(path, tmp_path / "home")
    folder = find_run(Home(tmp_path / "home"), "asked").folder
    answer(read_study(path), folder, result)
    head = folder.files.artifact(Artifact.COMPARISON).read_text().splitlines()[0]
    assert head == "trainer,accuracy,here,difference_images"
