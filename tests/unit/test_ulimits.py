"""Which errors come from a limit of the system, and what is said of them."""

from __future__ import annotations

import errno
import os
import resource

import numpy as np
import pytest

from hpsearch.cli.base import exits
from hpsearch.ulimits import FILES, MEMORY, PROCESSES, Limit, exhausted, too_low


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), FILES),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), MEMORY),
        (MemoryError(), MEMORY),
        (RuntimeError("can't start new thread"), PROCESSES),
        (ImportError("libblas.so: failed to map segment from shared object"), MEMORY),
    ],
)
def test_an_error_of_a_limit_names_it(error: Exception, limit: Limit) -> None:
    wrapped = RuntimeError("could not load")
    wrapped.__cause__ = error
    limited = limit.got != resource.RLIM_INFINITY
    said = f"{limit.ulimit} must allow all" if limited else f"must have more {limit.what}"
    for raised in (error, wrapped):
        assert said in exhausted(raised)
        assert (str(error) or "MemoryError") in exhausted(raised)


def test_a_process_that_can_not_be_started_is_told_from_a_pipe_that_waits() -> None:
    waiting = BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    starting = compile("raise error", "/usr/lib/python3/subprocess.py", "exec")
    with pytest.raises(BlockingIOError) as raised:
        exec(starting, {"error": waiting})
    assert PROCESSES.what in exhausted(raised.value)
    assert exhausted(waiting.with_traceback(None)) == ""


def test_an_error_while_another_is_handled_is_its_own() -> None:
    error = KeyError("x")
    error.__context__ = MemoryError()
    assert exhausted(error) == ""


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "no file"), ImportError("no module"), ValueError("7")]
)
def test_other_errors_are_none_of_a_limit(error: Exception) -> None:
    assert exhausted(error) == ""


def test_a_command_that_runs_out_of_memory_ends_with_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended, exits(debug=False):
        np.empty(10**17)
    assert ended.value.code == 1
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert "Unable to allocate 711. PiB" in line


def test_limits_of_this_process_are_enough_until_one_is_not() -> None:
    assert too_low(to_train=True) == ""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (31, before[1]))
    try:
        assert "must be at least 32, got 31" in too_low(to_train=True)
        assert too_low(to_train=False) == ""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
