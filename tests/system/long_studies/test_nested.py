"""Nested search: the whole search once an outer fold, and the one on all rows that wins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from hpsearch import plan_study, run_study, show_study, study_status, study_trials, verify_study
from hpsearch.datasets import DATASETS
from hpsearch.datasets.base import Examples
from hpsearch.errors import StudyFailed
from hpsearch.records.estimate import CORRECTED
from hpsearch.records.layout import KINDS, Artifact, Home
from hpsearch.records.result import OUTER_FOLD, Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.events import Event, PhaseStarted, RunReached
from hpsearch.studyfile.reading import read_study, refuse_unfit
from tests.harness.study import run
from tests.harness.study_files import NESTED

CLAIM = """\
[[claims]]
text = "Trials are counted."
check = "counting_trials:count"
"""


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores of a nested study, beside its file; to be read only."""
    folder = tmp_path_factory.mktemp("nested")
    (folder / "nested.toml").write_text(NESTED)
    run(folder / "nested.toml", folder / "home")
    return folder / "home"


@pytest.fixture
def folder(nested: Path) -> RunFolder:
    return RunFolder(nested / "studies" / "nested" / "1")


@pytest.fixture
def result(nested: Path) -> Result:
    return show_study("nested", home=nested).result


def test_every_search_has_its_own_trials_winner_and_test(
    folder: RunFolder, result: Result
) -> None:
    outer = result.outer
    assert outer is not None
    assert [fold.values for fold in outer.folds] == [{OUTER_FOLD: k} for k in (1, 2, 3)]
    for index, fold in enumerate(outer.folds):
        assert fold.best_number is not None
        assert fold.best_number % 4 == index
        assert fold.default is not None
    assert result.best_number % 4 == 3  # of the search on all rows
    assert result.arms == []
    assert {entry["number"] % 4 for entry in result.top} == {3}
    assert {int(number) % 4 for number in result.confirmed} == {3}
    trials = list(folder.read_all("trial"))
    assert {len([t for t in trials if t.number % 4 == index]) for index in range(4)} == {4}
    assert sum(result.counts.values()) == 16
    # Each search has rows of its own; their draws differ, too.
    assert len({trial.digests["data"] for trial in trials}) == 4
    assert len({trial.digests["test"] for trial in folder.read_all("test")}) == 4
    first = [t.params["learning_rate"] for t in trials if t.number < 4]
    assert len(set(first)) == 4


def test_the_search_is_worth_what_its_winners_score_on_rows_that_it_did_not_see(
    folder: RunFolder, result: Result
) -> None:
    assert result.outer is not None
    scored: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for record in folder.read_all("test"):
        history = record.members[0].history["test_accuracy"]
        assert len(record.members[0].predicted or ()) == (359 if record.number % 4 == 3 else 30)
        if record.number % 4 < 3:
            scored[record.number % 4].append(history[-1])
    found = result.outer.test["test_accuracy"]
    assert found.values == pytest.approx([sum(s) / 2 for s in scored.values()])
    assert (found.over, found.method) == ("outer folds", CORRECTED)
    assert result.outer.gain is not None
    gains = [
        f.default.test_gain.mean for f in result.outer.folds if f.default and f.default.test_gain
    ]
    assert result.outer.gain.values == gains
    assert {one.parameter for one in result.outer.agreement} == {"trainer", "learning_rate"}
    (label, text), *_ = result.outer_lines
    assert label == "outer folds"
    assert "3 outer folds): test_accuracy of this search's winners" in text
    assert "allows for the training rows that folds share" in text
    assert "corrected resampled t interval over outer folds" in result.intervals


def test_the_data_set_s_test_set_stays_sealed_until_the_last_refit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = DATASETS["digits"]
    test = type(dataset).test
    opened: list[int] = []
    phases: list[tuple[str, str]] = []

    def noted(self: object) -> Examples:
        opened.append(len(phases))
        return test(dataset)

    def tell(event: Event) -> None:
        if isinstance(event, PhaseStarted):
            phases.append((event.arm, event.name))

    monkeypatch.setattr(type(dataset), "test", noted)
    path = tmp_path / "nested.toml"
    path.write_text(NESTED.replace("shots = 9", "shots = 6"))
    result = run(path, tmp_path / "home", "seed=11", tell=tell)
    assert phases[-1] == ("all rows", "test")
    assert [arm for arm, name in phases if name == "test"] == [
        *("outer fold 1", "outer fold 2", "outer fold 3"),
        "all rows",
    ]
    assert min(opened) >= len(phases) - 1  # not before the last search was confirmed
    assert result.test_uses == 2  # the winner and the defaults


def test_a_replay_derives_the_same_result(nested: Path) -> None:
    found = verify_study("nested", home=nested, trials=2)
    assert found.problems == []
    assert found.replay.result
    assert found.replay.draws == 16


@pytest.fixture(autouse=True)
def counting(tmp_path: Path) -> None:
    (tmp_path / "counting_trials.py").write_text(
        "from hpsearch.claims import Verdict\n"
        "def count(evidence):\n"
        "    runs = evidence.runs\n"
        "    n = runs[runs['kind'] == 'trial']['trial'].nunique()\n"
        "    return Verdict('holds', f'{n} trials')\n"
    )


class Stop(Exception):
    pass


def test_an_interrupted_nested_study_goes_on_to_the_same_table(
    nested: Path, folder: RunFolder, result: Result, tmp_path: Path
) -> None:
    path, home = nested.parent / "nested.toml", tmp_path / "home"
    for after in (3, 9, 9):
        events: Iterator[int] = iter(range(after))

        def tell(event: Event, events: Iterator[int] = events) -> None:
            if isinstance(event, RunReached) and next(events, None) is None:
                raise Stop

        with pytest.raises(Stop):
            run(path, home, tell=tell)
    again = run(path, home)
    assert again.outer == result.outer
    assert again.validation == result.validation
    assert again.test == result.test
    mine = RunFolder(home / "studies" / "nested" / "1")
    for kind in KINDS:
        before = [(r.number, r.params, r.scores) for r in folder.read_all(kind)]
        now = [(r.number, r.params, r.scores) for r in mine.read_all(kind)]
        assert before == now


def test_the_table_of_trials_names_the_outer_fold(nested: Path) -> None:
    table = study_trials("nested", home=nested)
    folds = table["outer_fold"].tolist()
    assert folds[:4] == [1, 2, 3, pd.NA]
    status = study_status("nested", home=nested).iloc[0]
    assert (status["state"], status["trials"], status["planned"]) == ("finished", 16, 16)
    assert status["best_trial"] % 4 == 3


def test_plan_counts_every_search(nested: Path, folder: RunFolder) -> None:
    plan = plan_study(nested.parent / "nested.toml", trials=0)
    assert plan.outer == "4 searches: one for each of 3 outer folds, and one on all rows"
    runs = {phase.name: phase.runs for phase in plan.phases}
    assert runs["stage 1"] == 12
    again = [*folder.read_all("confirmation"), *folder.read_all("default")]
    assert runs["confirmation"] == len(again)
    tested = [*folder.read_all("test"), *folder.read_all("default-test")]
    assert runs["refit and test"] == len(tested)


def test_the_page_s_example_is_six_searches(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/nested.md").read_text()
    path = tmp_path / "example.toml"
    path.write_text(page.partition("```toml\n")[2].partition("```")[0])
    plan = plan_study(path, trials=0)
    assert plan.outer.startswith("6 searches")
    refuse_unfit(read_study(path))


def test_an_outer_fold_without_a_winner_ends_the_study(tmp_path: Path) -> None:
    path = tmp_path / "nested.toml"
    path.write_text(NESTED)
    wild = "space.learning_rate={low=1e30, high=1e35, log=true}"
    with pytest.raises(StudyFailed, match=r"^outer fold 1: at least one trial must reach"):
        run(path, tmp_path / "home", "space.trainer=sgd", wild)


def test_report_and_tables_tell_the_outer_folds_from_the_study(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hpsearch.console.report import print_report

    path = tmp_path / "nested.toml"
    path.write_text(NESTED + CLAIM)
    report = run_study(path, home=home, workers=0)
    files = RunFolder(Home(home).study("nested").run(1).path).files
    table = pd.read_csv(files.artifact(Artifact.OUTER))
    assert table["outer fold"].tolist() == ["1", "2", "3", "all rows"]
    assert table["trial"].tolist()[-1] == report.result.best_number
    trials = pd.read_csv(files.artifact(Artifact.TRIALS))
    assert trials["outer_fold"].isna().sum() == 4
    page = files.artifact(Artifact.REPORT).read_text()
    assert "<h3>Outer folds</h3>" in page
    assert "<h3>Agreement</h3>" in page
    stages = pd.read_csv(files.artifact(Artifact.STAGES))
    assert stages["newly drawn"].tolist() == [3, 1]  # of the search on all rows
    parent = json.loads(files.parent.read_text())
    assert parent["metrics"]["outer/test_accuracy"] == pytest.approx(
        report.result.outer.test["test_accuracy"].mean  # type: ignore[union-attr]
    )
    assert "Outer folds:**" in parent["tags"]["mlflow.note.content"]
    # Claims are of the search on all rows: trials of other rows are no pairs.
    assert report.answers.claims[0]["detail"] == "4 trials"
    print_report(report)
    said = capsys.readouterr().out
    assert "Outer folds, each tested on rows that its search did not see" in said
    assert "outer gain" in said
    assert report.as_dict()["outer"]["split"] == {"kind": "k-fold", "folds": 3}
