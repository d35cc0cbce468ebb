"""An extended run in all stores, and on its way to another machine."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from hpsearch import doctor, export_study, import_study, run_study, sync, verify_study
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.recorded import find_run
from tests.harness.stores import new_home
from tests.harness.study_files import TINY

LOSS = TINY.replace(
    'metric = "validation_accuracy", direction = "maximize"',
    'metric = "validation_loss", direction = "minimize"',
).replace("[confirmation]", "[[stages]]\ntrials = 4\nepochs = 12\n[confirmation]")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run that was extended by a stage and another objective, beside its file."""
    folder = tmp_path_factory.mktemp("extended")
    for text, extend in ((TINY, False), (LOSS, True)):
        (folder / "small.toml").write_text(text)
        made = folder / "home" if extend else new_home(folder / "home")
        run_study(folder / "small.toml", home=made, workers=0, extend=extend)
    return folder / "home"


def runs(home: Path, key: str) -> dict[str, object]:
    """The value of a tag or a metric of every run that MLflow shows, by the run's name."""
    query = (
        "select r.name, coalesce("
        "(select value from tags t where t.run_uuid = r.run_uuid and t.key = ?),"
        "(select value from latest_metrics m where m.run_uuid = r.run_uuid and m.key = ?)) "
        "from runs r where r.lifecycle_stage = 'active'"
    )
    database = sqlite3.connect(home / "mlflow.db")
    try:
        return dict(database.execute(query, (key, key)).fetchall())
    finally:
        database.close()


def test_no_store_differs_from_the_records(home: Path) -> None:
    assert doctor(home=home).empty


def test_the_same_parent_run_tells_of_the_last_chapter(home: Path) -> None:
    chapters = runs(home, "hpsearch.chapter")
    assert {name: value for name, value in chapters.items() if value} == {"small": "2"}
    note = str(runs(home, "mlflow.note.content")["small"])
    assert "used for 2 configurations in chapters 1 and 2" in note


def test_runs_of_earlier_trials_have_the_scores_of_the_last_objective(home: Path) -> None:
    folder = RunFolder(home / "studies/small/1")
    objectives = runs(home, "objective")
    complete = [r for r in folder.read_all("trial") if r.outcome == "complete"]
    assert len(complete) == 7
    for record in complete:
        (name,) = (n for n in objectives if n.startswith(f"trial-{record.number:03}"))
        assert objectives[name] == pytest.approx(record.scores[record.length], rel=1e-9)


def test_the_report_says_what_each_chapter_drew(home: Path) -> None:
    report = (home / "studies/small/1/artifacts/report.html").read_text()
    assert "trials drawn in each: 8, 4" in report
    assert "used for 2 configurations in chapters 1 and 2" in report


def test_an_extended_run_arrives_whole_elsewhere(home: Path, tmp_path: Path) -> None:
    archive = export_study("small", tmp_path / "small.zip", home=home)
    there = tmp_path / "there"
    assert import_study(archive, home=there).empty
    here, moved = (find_run(Home(place), "small") for place in (home, there))
    assert [*moved.folder.read_all("trial")] == [*here.folder.read_all("trial")]
    for before, now in zip(here.chapters, moved.chapters, strict=True):
        results = before.result(), now.result()
        assert results[0] is not None
        assert results[1] is not None
        assert results[1].confirmed == results[0].confirmed
    assert verify_study("small", trials=1, home=there).problems == []


def test_another_store_gets_all_chapters(home: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'other.db'}"
    (row,) = sync("small", home=home, tracking_uri=uri).to_dict("records")
    assert not row["problem"]


def test_a_damaged_file_of_a_chapter_is_found(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    path = tmp_path / "home/studies/small/1/chapters/1/stages/0.json"
    path.write_bytes(path.read_bytes().replace(b'"promoted": [', b'"promoted": [0, '))
    (difference,) = doctor(home=tmp_path / "home").to_dict("records")
    assert "chapters/1/stages/0.json" in str(difference)
