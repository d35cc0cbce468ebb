"""A study as one file for another machine: its records, from which everything else is told.

An archive holds what `layout.ARCHIVED` names and nothing else: records, tables and pictures.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from hpsearch.errors import HpsearchError
from hpsearch.records.format import converted, stamped
from hpsearch.records.layout import ARCHIVED, RUN_NUMBER, StudyFiles
from hpsearch.records.run_folder import RunFolder
from hpsearch.study_names import as_written, file_name, from_file_name, is_name

MANIFEST = "hpsearch.json"
PLACE = re.compile(rf"studies/([^/]+)/({RUN_NUMBER})/(.+)")
BLOCK_BYTES = 1 << 20  # copied at a time
Members = dict[tuple[str, int, str], zipfile.ZipInfo]  # by study, run and name below the run


def pack(runs: Sequence[RunFolder], path: Path) -> None:
    """Write the runs of one study into a file.

    Raises:
        OSError: it can't be written.
    """
    study = runs[0].files.study
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(stamped({"study": study.name})))
        for run in runs:
            for file, name in _archived(run):
                archive.write(file, f"studies/{study.path.name}/{run.files.number}/{name}")


def _archived(folder: RunFolder) -> Iterator[tuple[Path, str]]:
    for file in sorted(folder.path.rglob("*")):
        name = file.relative_to(folder.path).as_posix()
        if file.is_file() and not file.is_symlink() and ARCHIVED.fullmatch(name):
            yield file, name


def study_in(members: Members, path: Path) -> str:
    """The name of the study that an archive holds.

    Raises:
        HpsearchError: it holds none, or several.
    """
    names = sorted({study for study, _, _ in members})
    if len(names) != 1:
        raise HpsearchError(f"{path} must hold a single study, got {', '.join(names) or 'none'}")
    return names[0]


def checked_members(archive: zipfile.ZipFile, path: Path, home: Path) -> Members:
    """The members of an archive, none of which can come to lie outside its study's folder.

    Args:
        home: the folder of stores, whose disk must hold them.

    Raises:
        HpsearchError: one must not be there, a newer hpsearch made it, or the disk is too small.
    """
    members: Members = {}
    for info in archive.infolist():
        if info.filename == MANIFEST:
            _check_manifest(archive.read(info), path)
            continue
        place = PLACE.fullmatch(info.filename)
        plain = ".." not in PurePosixPath(info.filename).parts and not stat.S_ISLNK(
            info.external_attr >> 16
        )
        study = as_written(from_file_name(place[1])) if place else ""
        written = as_written(place[1]) if place else ""
        named = is_name(study) and as_written(file_name(study)) == written
        if place is None or not named or not plain or not ARCHIVED.fullmatch(place[3]):
            raise HpsearchError(
                f"{path} must hold only records, tables and pictures of a study, got "
                f"{info.filename!r}; nothing was imported"
            )
        members[study, int(place[2]), place[3]] = info
    size = sum(info.file_size for info in members.values())
    free = shutil.disk_usage(home).free
    if size > free:
        raise HpsearchError(f"{path} unpacks to {size} bytes, but only {free} are free")
    return members


def _check_manifest(content: bytes, path: Path) -> None:
    try:
        manifest = dict(json.loads(content))
    except (ValueError, TypeError) as error:
        raise HpsearchError(
            f"{path} must be a file written by hpsearch export: {error}"
        ) from error
    converted(manifest, str(path))


def unpack(archive: zipfile.ZipFile, members: Members, top: StudyFiles) -> None:
    """Write the members into a study's folder."""
    for (_, number, name), info in members.items():
        target = top.run(number).path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, target.open("wb") as copy:
            left = info.file_size  # as stated, so that it can't grow beyond what was checked
            while left > 0 and (block := source.read(min(left, BLOCK_BYTES))):
                copy.write(block)
                left -= len(block)
