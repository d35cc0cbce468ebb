"""A home is copied as it could have been at one moment, whatever is written meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hpsearch.records.databases import shrink
from hpsearch.records.layout import Home, RunFiles
from hpsearch.records.snapshot import copy_home


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def put_record(run: RunFiles, number: int, epochs: int) -> None:
    """As a run writes it: the state, the record that names it, then the old state goes."""
    place = run.record("trial", number)
    state = place.state(epochs, 0)
    put(state, "")
    put(place.json, state.name)
    for old in place.states():
        if old != state:
            old.unlink()


@pytest.fixture
def run(tmp_path: Path) -> RunFiles:
    """A run of four trials in its first stage."""
    found = Home(tmp_path / "home").study("a").run(1)
    put(found.study_json, "{}")
    for number in range(4):
        put_record(found, number, 1)
    return found


@pytest.fixture
def copied(run: RunFiles, tmp_path: Path) -> RunFiles:
    """Where its copy will be."""
    (tmp_path / "copy").mkdir()
    return Home(tmp_path / "copy").study("a").run(1)


def while_copying(
    monkeypatch: pytest.MonkeyPatch, name: str, happens: Callable[[], None]
) -> list[Path]:
    """Have something happen once, just before the first file of this name is copied."""
    copy, seen = shutil.copy2, list[Path]()

    def copy_after(source: Path, target: Path, **how: bool) -> None:
        if source.name == name and not seen:
            seen.append(source)
            happens()
        copy(source, target, **how)

    monkeypatch.setattr(shutil, "copy2", copy_after)
    return seen


def test_a_record_and_the_state_it_names_belong_together(
    run: RunFiles, copied: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = while_copying(monkeypatch, "state-1-0.npz", lambda: put_record(run, 3, 2))
    copy_home(run.study.home, copied.study.home)
    assert seen
    for place in copied.records():
        assert [path.name for path in place.states()] == [place.json.read_text()]
    assert copied.record("trial", 3).json.read_text() == "state-2-0.npz"


def test_no_record_is_copied_without_the_decision_that_promoted_it(
    run: RunFiles, copied: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide() -> None:  # after the other records were copied: 1, 0 and the rest are left
        put(run.stage(0, None), "{}")
        put_record(run, 3, 5)
        put_record(run, 1, 5)

    put(run.record("trial", 1).log, "")
    seen = while_copying(monkeypatch, "log.txt", decide)
    copy_home(run.study.home, copied.study.home)
    assert seen
    assert copied.stage(0, None).exists()
    promoted = [copied.record("trial", n).json.read_text() for n in (1, 3)]
    assert promoted == ["state-5-0.npz"] * 2


def test_a_trial_that_was_drawn_meanwhile_is_not_there_without_those_before_it(
    run: RunFiles, copied: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw() -> None:
        put_record(run, 0, 9)
        put_record(run, 4, 1)

    seen = while_copying(monkeypatch, "record.json", draw)
    copy_home(run.study.home, copied.study.home)
    assert seen
    assert not copied.record("trial", 4).json.exists()
    assert copied.record("trial", 0).json.read_text() == "state-9-0.npz"


def test_locks_and_half_written_files_stay_behind_but_those_of_programs(
    run: RunFiles, copied: RunFiles
) -> None:
    home = run.study.home
    member = run.record("trial", 0).member(0)
    kept = [member / "lock", home.artifacts / "r/artifacts/lock", home.batch("b", "1").summary]
    left = [run.study.lock, run.path / ".parent.json.12", home.schedule.health]
    for path in (*kept, *left):
        put(path, "x")
    put(run.study.deleted(7) / "record.json", "x")
    copy_home(home, copied.study.home)
    target = copied.study.home.path
    assert all((target / path.relative_to(home.path)).exists() for path in kept)
    names = {path.name for path in target.rglob("*")}
    assert not names & {".parent.json.12", "health.json", ".7.deleted"}
    assert not (target / run.study.lock.relative_to(home.path)).exists()


def test_a_database_is_copied_with_what_is_written_to_it_and_shrinks_when_rows_go(
    run: RunFiles, copied: RunFiles
) -> None:
    home = run.study.home
    with closing(sqlite3.connect(home.mlflow, isolation_level=None)) as live:
        live.execute("PRAGMA journal_mode=WAL")
        live.execute("create table t (x)")
        live.executemany("insert into t values (?)", [("x" * 1000,)] * 1000)
        live.execute("begin")
        live.execute("insert into t values ('half')")
        copy_home(home, copied.study.home)
        live.execute("rollback")
        live.execute("delete from t where rowid > 10")
    with closing(sqlite3.connect(copied.study.home.mlflow)) as copy:
        assert copy.execute("select count(*) from t").fetchone() == (1000,)
    assert shrink(home.mlflow) > 500_000
    assert shrink(home.mlflow) == 0
    assert shrink(home.optuna) == 0


def test_files_of_other_runs_are_copied_and_links_by_what_they_lead_to(
    run: RunFiles, copied: RunFiles, tmp_path: Path
) -> None:
    home, copy = run.study.home, copied.study.home
    put(home.default_artifacts / "0/run/model.txt", "mine")
    put(tmp_path / "cache/weights", "far away")
    program = run.path / "trials/00000/member-0"
    program.mkdir(parents=True)
    (program / "weights").symlink_to(tmp_path / "cache/weights")
    copy_home(home, copy)
    assert (copy.default_artifacts / "0/run/model.txt").read_text() == "mine"
    found = copied.path / "trials/00000/member-0/weights"
    assert found.read_text() == "far away"
    assert not found.is_symlink()
