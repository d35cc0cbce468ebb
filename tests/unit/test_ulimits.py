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
        (BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)), PROCESSES),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), MEMORY),
        (MemoryError(), MEMORY),
        (RuntimeError("can't start new thread"), PROCESSES),
        (ImportError("libblas.so: failed to map segment from shared object"), MEMORY),
    ],
)
def test_an_error_of_a_limit_names_it(error: Exception, limit: Limit) -> None:
    wrapped = RuntimeError("could not load")
    wrapped.__cause__ = error
    for raised in (error, wrapped):
        assert f"{limit.what} enough" in exhausted(raised)
        assert f"({limit.ulimit}: " in exhausted(raised)


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
    assert line.startswith("error: there must be memory enough")
    assert "Unable to allocate 711. PiB" in line


def test_limits_of_this_process_are_enough_until_one_is_not() -> None:
    assert too_low() == ""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (31, before[1]))
    try:
        assert "must be at least 32, got 31" in too_low()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
