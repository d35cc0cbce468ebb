"""What a command makes sure of before it begins."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from pathlib import Path

import pytest

from hpsearch.execution.executors import InlineExecutor
from hpsearch.process_start import problem_of_folder, provide_home, tolerate_warnings
from hpsearch.processes import GARBAGE_AFTER, collect_rarely


def test_a_folder_that_was_deleted_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert problem_of_folder() == ""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "the current folder was deleted" in problem_of_folder()


def test_a_user_without_a_home_gets_a_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", "/home/somebody")
    provide_home()
    assert os.environ["HOME"] == "/home/somebody"

    def nobody(number: int) -> object:
        raise KeyError(number)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)  # as in a container that runs as any number
    provide_home()
    made = Path(os.environ["HOME"])
    assert made.parent == tmp_path
    assert made.stat().st_mode & 0o777 == 0o700
    provide_home()
    assert Path(os.environ["HOME"]) == made


@pytest.mark.parametrize("option", ["error", "error::DeprecationWarning"])
def test_warnings_that_the_shell_makes_errors_are_shown(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.filterwarnings("error", category=DeprecationWarning)
        monkeypatch.setattr(sys, "warnoptions", [])
        tolerate_warnings()  # the filter is the program's own
        with pytest.raises(DeprecationWarning):
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        monkeypatch.setattr(sys, "warnoptions", [option])
        tolerate_warnings()
        with pytest.warns(DeprecationWarning, match="old"):
            warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_garbage_is_looked_for_rarely_where_no_code_of_a_users_own_runs() -> None:
    usual = gc.get_threshold()
    try:
        collect_rarely()
        assert gc.get_threshold()[0] == GARBAGE_AFTER > usual[0]
        InlineExecutor()
        assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*usual)
