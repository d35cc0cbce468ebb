"""Who runs a study: one process at a time, which says who it is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from hpsearch.errors import StorageError, StudyLockedError
from hpsearch.processes import birth
from hpsearch.records import run_lock
from hpsearch.records.layout import StudyFiles
from hpsearch.records.run_lock import held, running

HERE = os.uname().nodename
NOBODY = (1 << 22) + 1  # beyond the largest number that Linux gives a process


@pytest.fixture
def study(tmp_path: Path) -> StudyFiles:
    return StudyFiles(tmp_path)


def test_a_second_start_is_told_who_has_the_study(study: StudyFiles) -> None:
    since = r"\(since \d{4}(-\d\d){2} \d\d(:\d\d){2}\)"
    me = rf"process {os.getpid()} on {re.escape(HERE)} {since}"
    with held(study):
        assert re.fullmatch(me, running(study) or "")
        with (
            pytest.raises(StudyLockedError, match=f"is already running: {me}"),
            held(study),
        ):
            pass
        assert running(study)
    assert running(study) is None
    with held(study):
        study.holder.unlink()  # not written yet
        with (
            pytest.raises(StudyLockedError, match="already running: another process"),
            held(study),
        ):
            pass


def test_an_error_lets_others_have_the_study(study: StudyFiles) -> None:
    with pytest.raises(KeyError), held(study):
        raise KeyError
    with held(study):
        pass


class NoLock:
    """The lock of a file system that gives it to everybody."""

    def __init__(self, path: Path) -> None:
        self.is_held = False

    def acquire(self, timeout: float) -> None:
        self.is_held = True

    def release(self) -> None:
        self.is_held = False


def test_a_file_system_that_gives_one_lock_to_two_is_told_of(
    study: StudyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_lock, "FileLock", NoLock)
    said = f"process {{}} on {HERE} (since 2026-11-30 08:00:00)\n{{}}"
    study.holder.write_text(said.format(NOBODY, ""))
    with held(study):  # it ended without a word
        assert f"process {os.getpid()} " in (running(study) or "")
    study.holder.write_text(parent := said.format(os.getppid(), birth(os.getppid())))
    with pytest.raises(StorageError, match=r"locks hold for all, got .* version 4"), held(study):
        pass
    assert study.holder.read_text() == parent


OTHER = f"not-{HERE}"
HOLDERS = {
    "alive": (os.getpid(), HERE, birth(os.getpid()), True),
    "alive, on a system that does not tell of births": (os.getpid(), HERE, "", True),
    "dead, and another process has its number": (os.getpid(), HERE, "1 another-boot", False),
    "dead": (NOBODY, HERE, "", False),
    "on another machine, as far as can be known": (NOBODY, OTHER, "1 another-boot", True),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_process_that_is_gone_runs_nothing(study: StudyFiles, holder: str) -> None:
    pid, host, born, runs = HOLDERS[holder]
    text = f"process {pid} on {host} (since 2026-11-21 12:00:00)"
    study.holder.write_text(f"{text}\n{born}")
    assert running(study) == (text if runs else None)


@pytest.mark.parametrize(("text", "said"), [("", "another process"), ("process 1", "process 1")])
def test_a_name_that_is_being_written_counts(study: StudyFiles, text: str, said: str) -> None:
    study.holder.write_text(text)
    assert running(study) == said
