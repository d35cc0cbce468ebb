"""The folder of schedules: what is said of a file that appears, changes or goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.scheduler.schedules import ScheduleFolder
from tests.harness.study_files import SMALL

DAILY = '[schedule]\ncron = "0 2 * * *"\nwindow = "02:00-06:00"\ntimezone = "UTC"\n'
TIMES = "cron 0 2 * * *, window 02:00-06:00, UTC"


@pytest.fixture
def files(tmp_path: Path) -> ScheduleFolder:
    return ScheduleFolder(tmp_path)


def put(files: ScheduleFolder, name: str, text: str) -> list[str]:
    """Write a file, and what is said of it; each write is later than the one before."""
    path = files.folder / f"{name}.toml"
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))
    return [str(one) for one in files.reload()]


def test_the_life_of_a_schedule_is_told(files: ScheduleFolder) -> None:
    assert put(files, "a", SMALL) == []
    assert put(files, "a", SMALL + DAILY) == [f"a: scheduled, {TIMES}"]
    assert put(files, "a", f"{SMALL}# \n{DAILY}") == [f"a: changed, {TIMES}"]
    (broken,) = put(files, "a", SMALL + DAILY.replace("0 2", "0 25"))
    assert broken.startswith("a: is not scheduled until it is corrected: ")
    assert "schedule.cron: must be a cron expression" in broken
    assert not files.found
    assert put(files, "a", f"{SMALL}[schedule]\n") == ["a: changed, when asked"]
    assert not files.problems
    assert put(files, "a", SMALL) == ["a: has no [schedule] any more"]
    put(files, "a", SMALL + DAILY)
    (files.folder / "a.toml").unlink()
    assert [str(one) for one in files.reload()] == ["a: the file is gone"]
    assert not files.found


def test_a_file_that_had_no_schedule_goes_without_a_word(files: ScheduleFolder) -> None:
    put(files, "a", SMALL)
    (files.folder / "a.toml").unlink()
    assert files.reload() == []


def test_a_link_to_nothing_keeps_no_other_file_from_being_read(files: ScheduleFolder) -> None:
    (files.folder / "a.toml").symlink_to(files.folder / "nothing")
    assert put(files, "b", SMALL + DAILY) == [f"b: scheduled, {TIMES}"]


def test_a_schedule_is_found_by_its_name_with_or_without_its_ending(
    files: ScheduleFolder,
) -> None:
    (files.folder / "below").mkdir()
    put(files, "below/a", SMALL + DAILY)
    put(files, "broken", "name = [")
    found = files.named("below/a")
    assert found == files.named("below/a.toml")
    assert (found.name, found.n_studies) == ("below/a", 1)
    assert found.key == str(files.folder.resolve() / "below/a.toml")
    with pytest.raises(StudyFileError, match=r"must be one of below/a, got 'b'"):
        files.named("b")
    with pytest.raises(StudyFileError, match=r"broken\.toml"):
        files.named("broken")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=f"must exist, got {tmp_path / 'none'}"):
        ScheduleFolder(tmp_path / "none").reload()
