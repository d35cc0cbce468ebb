"""Studies side by side: who leads, whether that can be said, what differs, what it took."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hpsearch import StudyComparison, compare_studies
from hpsearch.analysis.compared_studies import compared as beside
from hpsearch.console.compared import print_comparison
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.differences import KeyDifference
from hpsearch.studyfile.reading import read_text
from tests.harness.commands import call_here
from tests.harness.study import run
from tests.harness.study_files import LITTLE

STUDY = (
    LITTLE
    + """\
[network]
name = "two-layer"
hidden = 20
[space]
trainer = "adam"
learning_rate = { low = 1e-3, high = 0.1, log = true }
[[stages]]
trials = 2
epochs = 4
[confirmation]
top = 1
seeds = 3
test_seeds = 2
default = false
"""
)


@pytest.fixture(scope="module")
def compared_home(
    tmp_path_factory: pytest.TempPathFactory, known_schema: None, quick_files: None
) -> Path:
    """A home with `small` and studies that differ from it in one thing each; to be read only."""
    folder = tmp_path_factory.mktemp("compared")
    for name, text in (
        ("small", STUDY),
        ("narrow", STUDY.replace("hidden = 20", "hidden = 2")),
        ("repeats", STUDY.replace("seeds = 3", "seeds = 2", 1)),
    ):
        path = folder / f"{name}.toml"
        path.write_text(text.replace('name = "small"', f'name = "{name}"', 1))
        run(path, folder / "home")
    return folder / "home"


def compared(home: Path, *names: str) -> StudyComparison:
    return compare_studies(names, home=home)


def scores(home: Path, name: str, kind: str = "confirmation") -> list[float]:
    """Of the winner, one a split of each repeat."""
    folder = RunFolder(Home(home).study(name).run(1).path)
    metric = "validation_accuracy" if kind == "confirmation" else "test_accuracy"
    records = folder.read_all(kind)  # type: ignore[arg-type]
    return [member.history[metric][-1] for record in records for member in record.members]


def test_the_best_leads_by_a_difference_of_pairs(compared_home: Path) -> None:
    found = compared(compared_home, "narrow", "small").found
    assert [study.name for study in found.studies] == ["small", "narrow"]
    assert found.obstacle == found.doubt == ""
    (lead,) = found.leads
    assert (lead.study, lead.metric, lead.unpaired) == ("narrow", "validation_accuracy", "")
    first, second = scores(compared_home, "small"), scores(compared_home, "narrow")
    differences = np.subtract(first, second)
    assert lead.lead.mean == pytest.approx(np.mean(differences))
    # 2 folds three times over: as many rows are held out as trained on.
    half = stats.t.ppf(0.975, 5) * np.std(differences, ddof=1) * np.sqrt(1 / 6 + 1.0)
    assert lead.lead.high == pytest.approx(np.mean(differences) + half)
    assert len(lead.lead.values) == 3
    assert lead.lead.signed in lead.text
    assert lead.text.endswith(", paired over 3 fresh splits")


def test_on_the_test_set_refits_are_pairs_on_the_same_rows(compared_home: Path) -> None:
    (lead,) = compared(compared_home, "small", "narrow").found.test_leads
    pairs = np.subtract(
        scores(compared_home, "small", "test"), scores(compared_home, "narrow", "test")
    )
    assert (lead.metric, lead.unpaired, lead.lead.rows) == ("test_accuracy", "", 359)
    assert lead.lead.values == pytest.approx(pairs.tolist())


def test_other_repeats_are_compared_unpaired_and_it_says_why(compared_home: Path) -> None:
    found = compared(compared_home, "narrow", "repeats").found
    (lead,) = found.leads
    first, second = (study.validation for study in found.studies)
    assert first is not None
    assert second is not None
    assert lead.unpaired == "confirmation.seeds = 2 and 3"
    assert lead.text.endswith(", unpaired: confirmation.seeds = 2 and 3")
    assert lead.lead.mean == pytest.approx(first.mean - second.mean)
    assert lead.lead.low is not None
    assert first.low is not None
    assert second.high is not None
    below = np.hypot(first.mean - first.low, second.high - second.mean)
    assert lead.lead.low == pytest.approx(lead.lead.mean - below)


@pytest.mark.parametrize(
    ("overrides", "change", "sentence"),
    [
        (
            ["objective.metric=validation_loss", "objective.direction=minimize"],
            {},
            "validation_accuracy, to maximize in small; validation_loss, to minimize in narrow.",
        ),
        (
            ["seed=5"],
            {"digests": {"data": "d5"}},
            "digest d5 in narrow. Seeds 0 and 5 draw different shots; give the studies the same",
        ),
        (
            ["data.split.folds=5"],
            {},
            "splits: k-fold (folds = 2), drawn again in small; k-fold (folds = 5), drawn again in",
        ),
        (
            ["confirmation.splits=kept"],
            {},
            "drawn again in small; k-fold (folds = 2), as in the search, with digest ",
        ),
        (
            ["objective.best_epoch=true"],
            {},
            'protocol = "honest", optimistic as scored by the best epoch in narrow.',
        ),
        (
            [],
            {"result": None, "repeats": None, "state": "running"},
            "only a finished study has a confirmed score: narrow is running.",
        ),
    ],
)
def test_what_can_not_be_compared_is_not_ranked_and_it_says_why(
    compared_home: Path, overrides: list[str], change: dict[str, Any], sentence: str
) -> None:
    first, second = compared(compared_home, "small", "narrow").found.studies
    assert second.repeats is not None
    if "digests" in change:
        change = {"repeats": replace(second.repeats, digests=change["digests"])}
    file = read_text(STUDY, Path("study.toml"), overrides).file
    other = replace(second, file=file, **change)
    found = beside([first, other], lambda *_: None)
    assert found.obstacle.startswith("Not ranked, because ")
    assert sentence in found.obstacle
    assert found.studies == [first, other]  # as they were named
    assert found.leads == found.test_leads == ()


def test_folds_as_needed_leave_the_splits_as_they_are(compared_home: Path) -> None:
    first, second = compared(compared_home, "small", "narrow").found.studies
    file = read_text(STUDY, Path("study.toml"), ["data.split.folds_as_needed=true"]).file
    found = beside([first, replace(second, file=file)], lambda *_: None)
    assert found.obstacle == ""


def test_studies_whose_data_nobody_knows_are_ranked_with_a_doubt(compared_home: Path) -> None:
    studies = []
    for study in compared(compared_home, "small", "narrow").found.studies:
        assert study.repeats is not None
        file = study.file.model_copy(update={"data": None})
        studies.append(replace(study, file=file, repeats=replace(study.repeats, digests={})))
    found = beside(studies, lambda *_: None)
    assert found.obstacle == ""
    assert found.doubt.startswith("Only the trainers know their data")


def test_what_differs_and_what_it_took(compared_home: Path) -> None:
    found = compared(compared_home, "small", "narrow").found
    assert found.keys == [KeyDifference("network.hidden", ["20", "2"])]
    cost = found.studies[0].cost
    # 2 trials, 3 repeats and 2 refits; 2 folds of all but the refits.
    assert cost.trainings == 2 * 2 + 3 * 2 + 2
    assert cost.epochs == 4 * cost.trainings
    assert cost.wall_seconds
    assert found.studies[0].counts == {"complete": 2}


def test_the_command_prints_a_table_json_and_a_page(compared_home: Path, tmp_path: Path) -> None:
    names, page = ("narrow", "small"), tmp_path / "compared.html"
    done = call_here("compare", *names, "--home", str(compared_home), "--html", str(page))
    assert done.returncode == 0
    assert done.stdout.split()[:4] == ["best", "small", "has", "the"]
    assert "validation_accuracy  small is " in done.stdout
    for text in ("Confirmed winners", "Trials and cost", "network.hidden", "trainings"):
        assert text in done.stdout
    text = page.read_text()
    assert "small has the best confirmed validation_accuracy" in text
    assert '<figure id="compared">' in text
    assert "<script src" not in text
    said = json.loads(call_here("compare", *names, "--home", str(compared_home), "--json").stdout)
    assert said["ranked"]
    assert [study["study"] for study in said["studies"]] == ["small", "narrow"]
    assert said["leads"][0]["paired"]
    assert said["differing_keys"] == [
        {"key": "network.hidden", "values": {"small": "20", "narrow": "2"}}
    ]


def test_on_a_narrow_terminal_no_line_is_cut(
    compared_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["hpsearch.console.output"], "PLAIN_WIDTH", 60)
    print_comparison(compared(compared_home, "small", "narrow", "repeats"))
    shown = capsys.readouterr().out
    assert "…\n" not in shown
    assert " validation_accuracy  0." in shown  # a line of its own
    assert "WARNING  Each of the 2 intervals holds by itself" in shown


@pytest.mark.parametrize("names", [["small"], ["small", "small/1"], []])
def test_two_different_runs_must_be_named(compared_home: Path, names: list[str]) -> None:
    with pytest.raises(StudyFileError, match="two or more different runs"):
        compare_studies(names, home=compared_home)
