"""A copy of a home as it could have been at one moment, also while its studies run.

The order is that of what is told from what, backwards: the databases, then the records that they
are told from. So nothing in a database of the copy lacks its record, and what the databases lack
is told from the records once more. Records are copied from the newest to the oldest, and the
decisions of stages last, over and over until no decision was taken meanwhile: no record of the
copy was drawn from a result, or promoted by a decision, that the copy has not.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from hpsearch.records.databases import copy_database
from hpsearch.records.layout import KINDS, Home, RecordFiles, RunFiles

MOST_PASSES = 20  # over a run whose stages end faster than it is copied; then the last one counts


def copy_home(home: Home, target: Home) -> None:
    """Copy databases, artifacts and records; no lock, nothing half written.

    Args:
        target: a folder that is there, empty.

    Raises:
        OSError: something can't be read or written.
        sqlite3.Error: a database can't be read.
    """
    for source, copy in ((home.optuna, target.optuna), (home.mlflow, target.mlflow)):
        if source.exists():
            copy_database(source, copy)
    for study in home.all_studies():
        for number in study.numbers():
            _copy_run(study.run(number), target.study(study.name).run(number))
    # After the database that names them: of a run under way there may be more.
    _copy_below(home.artifacts, target.artifacts, every=True)
    _copy_below(home.default_artifacts, target.default_artifacts, every=True)
    for folder in home.beside():
        _copy_below(folder, target.path / folder.relative_to(home.path))


def _copy_run(run: RunFiles, copy: RunFiles) -> None:
    """A run's folder; one that is deleted meanwhile is left out."""
    for _ in range(MOST_PASSES):
        decided = run.all_decisions()
        _copy_once(run, copy)
        if run.all_decisions() == decided:
            break
    if not run.study_json.exists():
        shutil.rmtree(copy.path, ignore_errors=True)


def _copy_once(run: RunFiles, copy: RunFiles) -> None:
    _copy_below(run.artifacts, copy.artifacts)
    for told in (run.parent, run.failed):
        _copy_file(told, copy.path / told.name)
    for place in [place for kind in reversed(KINDS) for place in reversed(run.records(kind))]:
        _copy_record(place, RecordFiles(copy.path / place.path.relative_to(run.path)))
    # A record that is new since then is not taken: what it was drawn from may be missing.
    done = {run.artifacts, run.parent, run.failed, *run.folders_of_records()}
    for path in _files(run.path):
        if not done.intersection((path, *path.parents)):
            _copy_file(path, copy.path / path.relative_to(run.path))


def _copy_record(place: RecordFiles, copy: RecordFiles) -> None:
    """A record with the files that it names, which its next state replaces."""
    with suppress(FileNotFoundError):
        if copy.json.read_bytes() == place.json.read_bytes():
            return
    while True:
        try:
            before = place.json.read_bytes()
        except FileNotFoundError:  # the run was deleted
            return
        shutil.rmtree(copy.path, ignore_errors=True)
        _copy_below(place.path, copy.path)
        copy.json.write_bytes(before)
        with suppress(FileNotFoundError):
            if place.json.read_bytes() == before:
                return


def _copy_below(folder: Path, copy: Path, *, every: bool = False) -> None:
    for path in _files(folder, every=every):
        _copy_file(path, copy / path.relative_to(folder))


def _copy_file(path: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):  # replaced or deleted meanwhile
        shutil.copy2(path, copy)  # of a link what it leads to: elsewhere it would lead nowhere


def _files(folder: Path, *, every: bool = False) -> Iterator[Path]:
    """The files below a folder, in order.

    Args:
        every: else not those of a process, such as locks, but in folders of programs.
    """
    for path in sorted(_below(folder)):
        names = path.relative_to(folder).parts
        own = takewhile(lambda name: not RecordFiles.is_member(name), names)
        if path.is_file() and (every or not any(map(Home.is_passing, own))):
            yield path


def _below(folder: Path) -> Iterator[Path]:
    """All files below a folder, but for what goes while they are looked for.

    Raises:
        OSError: a folder can't be read.
    """

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    for top, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(top, name) for name in names)
