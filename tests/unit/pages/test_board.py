"""The board reads what changed, and no more than a look has time for."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hpsearch.pages import board as module
from hpsearch.pages.board import Board
from hpsearch.pages.study_row import Link, StudyRow
from hpsearch.pages.wording import moment
from hpsearch.records import stamps
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.recorded import Recorded


def no_links(folder: RunFolder, row: StudyRow) -> Sequence[Link]:
    return []


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that a look has read, in order; each counts as finished."""
    found: list[str] = []

    def row(run: Recorded, *_: object, changed: float, **more: object) -> StudyRow:
        found.append(run.name)
        when = moment(changed)
        return StudyRow(run.study, run.number, "finished", when, trials=len(found))

    monkeypatch.setattr(module, "study_row", row)
    return found


def begin(home: Path, name: str, number: int = 1, *, age: float = 0.0) -> Path:
    """A run that has begun."""
    path = Home(home).study(name).run(number).study_json
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    when = time.time() - age
    for place in (path, path.parent):
        os.utime(place, (when, when))
    return path


def test_the_newest_run_of_every_study_is_shown_and_all_of_one(
    tmp_path: Path, read: list[str]
) -> None:
    begin(tmp_path, "a")
    begin(tmp_path, "a", 2)
    begin(tmp_path, "b")
    board = Board(Home(tmp_path), no_links)
    assert {one.row.key: one.row.earlier for one in board.look().rows} == {"a/2": 1, "b/1": 0}
    assert [one.row.key for one in board.look("a").rows] == ["a/2", "a/1"]
    assert board.look("c").rows == []


def test_only_what_changed_is_read_again(tmp_path: Path, read: list[str]) -> None:
    begin(tmp_path, "a", age=100)
    begin(tmp_path, "b", age=200)
    board = Board(Home(tmp_path), no_links)
    first = board.look()
    assert read == ["a", "b"]
    assert board.look() == first
    assert read == ["a", "b"]
    (tmp_path / "studies/b/1/journal.jsonl").write_text("{}\n")
    second = board.look()
    assert read == ["a", "b", "b"]
    assert second.revision > first.revision
    assert [one.row.study for one in second.rows if one.revision > first.revision] == ["b"]


def test_a_look_reads_the_newest_first_and_ends_in_time(tmp_path: Path, read: list[str]) -> None:
    for number in range(5):
        begin(tmp_path, f"s{number}", age=100 * number)
    board = Board(Home(tmp_path), no_links)
    first = board.look(seconds=0.0)
    assert read == ["s0"]
    assert [one.row.state for one in first.rows] == ["finished", *["reading"] * 4]
    assert first.unread == 4
    looks = [board.look(seconds=0.0) for _ in range(4)]
    assert read == ["s0", "s1", "s2", "s3", "s4"]
    assert looks[-1].unread == 0


def test_what_was_written_just_now_is_read_again(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "CLOCK_TICK", 50.0)  # the next write may bear the same time
    begin(tmp_path, "young", age=10)
    begin(tmp_path, "old", age=100)
    board = Board(Home(tmp_path), no_links)
    board.look()
    board.look()
    assert read == ["young", "old", "young"]


def test_a_deleted_study_is_gone(tmp_path: Path, read: list[str]) -> None:
    path = begin(tmp_path, "a")
    board = Board(Home(tmp_path), no_links)
    before = board.look()
    path.unlink()
    after = board.look()
    assert after.rows == []
    assert after.revision > before.revision


def test_a_study_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    begin(tmp_path, "<b>")
    begin(tmp_path, "other")
    rows = {one.row.study: one.row for one in Board(Home(tmp_path), no_links).look().rows}
    assert [row.state for row in rows.values()] == ["unreadable"] * 2
    assert "study.json" in rows["<b>"].reason


@pytest.mark.parametrize("name", ["..", "../studies/a", "", "b"])
def test_a_run_is_found_by_name_not_by_path(tmp_path: Path, name: str) -> None:
    begin(tmp_path, "a")
    board = Board(Home(tmp_path), no_links)
    assert board.run(name) is None
    assert board.run("a", 2) is None
    found = board.run("a")
    assert found is not None
    assert found.path == tmp_path / "studies/a/1"
