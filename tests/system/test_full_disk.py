"""A disk that is full, or read-only, in the middle of a study: said, and gone on after."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from hpsearch.errors import StorageError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.artifacts import write_artifacts
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.commands import Called
from tests.harness.study import run, table
from tests.harness.study_files import SMALL

SHORT = ["stages=[{trials=6, epochs=2}, {trials=4, epochs=4}]", "space.learning_rate.high=0.5"]


def test_a_full_disk_is_said_and_the_same_start_goes_on(
    study_file: Path, tmp_path: Path, small_files: Callable[[], AbstractContextManager[None]]
) -> None:
    read, stores = read_study(study_file, SHORT), Home(tmp_path / "full")
    stores.create()
    for events_seen in (2, 5, 11):
        opened = open_run(read, stores, fresh=False)
        study, numbers = Study(read, opened, stores.storage_url, 0), itertools.count(1)
        with (
            ExitStack() as full,
            pytest.raises(StorageError, match=r"must be writable, got: .*run the same command"),
        ):
            study.execute(
                lambda event, numbers=numbers, full=full, events_seen=events_seen: (  # type: ignore[misc]
                    full.enter_context(small_files()) if next(numbers) == events_seen else None
                )
            )
        assert opened.folder.files.leftovers() == []
        opened.close()
    run(study_file, tmp_path / "full", *SHORT)
    run(study_file, tmp_path / "roomy", *SHORT)
    assert table(tmp_path / "full") == table(tmp_path / "roomy")


@pytest.mark.figures
def test_figures_that_don_t_fit_are_said(
    study_file: Path, home: Path, small_files: Callable[[], AbstractContextManager[None]]
) -> None:
    result = run(study_file, home, *SHORT)
    folder = RunFolder(home / "studies/small/1")
    with small_files(), pytest.raises(StorageError, match="artifacts must be writable"):
        write_artifacts(read_study(study_file, SHORT), folder, result)


COMMANDS = ("study FILE", "doctor --repair", "report small", "sync", "delete small --yes")
# The words of commands, after where an archive goes; what each ended with is printed as JSON.
LOOK = """
import json, sys, hpsearch
from tests.harness.commands import call_here
to, *commands, _, home = sys.argv[1:]
ended = [call_here(*words.split(), "--home", home) for words in commands]
found = hpsearch.doctor(home=home)
assert found.empty, found.to_string()
assert hpsearch.show_study("small", home=home).result.study == "small"
hpsearch.export_study("small", to, home=home)
print(json.dumps(ended))
"""


class Seen(NamedTuple):
    """What a process did in a home that it could only read.

    Attributes:
        ended: what each of COMMANDS ended with.
        archive: that it wrote elsewhere.
    """

    ended: dict[str, Called]
    archive: Path


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("read-only")
    (folder / "small.toml").write_text(SMALL)
    run(folder / "small.toml", folder / "home", *SHORT)
    commands = [words.replace("FILE", str(folder / "small.toml")) for words in COMMANDS]
    done = read_only(folder / "home", "-c", LOOK, str(folder / "small.zip"), *commands)
    assert done.returncode == 0, done.stderr
    ended = [Called(*one) for one in json.loads(done.stdout.splitlines()[-1])]
    return Seen(dict(zip(COMMANDS, ended, strict=True)), folder / "small.zip")


def read_only(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments and --home, in a mount of its own that is gone with it."""
    mounted = f"mount --bind -o ro {home} {home} && mount -o remount,bind,ro {home}"
    python = shlex.join([sys.executable, *arguments, "--home", str(home)])
    script = f"({mounted}) || exit 77; exec {python}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no mount is allowed here")
    return done


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_home_on_a_read_only_disk_is_one_line(seen: Seen, command: str) -> None:
    done = seen.ended[command]
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "must be writable" in line
    assert "--home" in line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_home_on_a_read_only_disk_can_be_looked_at(seen: Seen) -> None:
    assert seen.archive.is_file()
