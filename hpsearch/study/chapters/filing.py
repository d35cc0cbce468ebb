"""Putting a finished chapter's files aside, so that the next one begins in their place.

chapters/<n>/ of a run has the study file, the space, the decisions and the result of its chapter
n, under the names that they had. Records stay where they are. The next chapter is begun when
study.json names it; a kill before that leaves a folder of the chapter that study.json names, and
the next start puts everything back.
"""

from __future__ import annotations

from shutil import rmtree

from hpsearch.records.layout import Artifact, ChapterFiles, RunFiles
from hpsearch.records.rescored import read_rescored
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.sealed import read_sealed, write_sealed
from hpsearch.records.study_json import chapter_of, read_study_json
from hpsearch.records.whole_files import storage_errors, write_below, write_whole

FILES = (Artifact.STUDY_TOML, Artifact.STUDY_JSON)


class ChapterFolder(RunFolder):
    """An earlier chapter of a run, read as a run is.

    Args:
        run: the run's folder.
        number: of the chapter.
    """

    def __init__(self, run: RunFolder, number: int) -> None:
        super().__init__(run.files.chapter(number).path)
        self.files: ChapterFiles = run.files.chapter(number)


def put_aside(files: RunFiles) -> None:
    """Put the files of the chapter that study.json names into a folder of their own.

    Raises:
        StorageError: the disk is full or read-only.
    """
    known = read_study_json(files)
    place = files.chapter(chapter_of(known).number)
    for artifact in FILES:
        if files.artifact(artifact).exists():
            write_below(place.artifact(artifact), files.artifact(artifact).read_bytes())
    if (space := read_sealed(files.space)) is not None:
        write_sealed(place.space, space)
    write_sealed(place.study_json, known)
    with storage_errors(place.path):
        for path in files.decided:
            target = place.path / path.relative_to(files.path)
            if path.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)


def put_back(files: RunFiles) -> None:
    """Undo `put_aside` where no next chapter began; nothing to do otherwise.

    Raises:
        DamagedError: a file of a run that has chapters is not what was written.
        StorageError: the disk is full or read-only.
    """
    if not files.chapters:
        return
    chapter = chapter_of(read_study_json(files)).number
    place = files.chapter(chapter)
    if not place.path.exists():
        return
    with storage_errors(place.path):
        of_next = read_rescored(files.rescored)
        if of_next is not None and of_next.chapter > chapter:
            rmtree(files.rescored.parent)
        for path in files.decided:
            kept = place.path / path.relative_to(files.path)
            if kept.exists() and not path.exists():
                kept.rename(path)
    for artifact in FILES:
        if place.artifact(artifact).exists():
            write_whole(files.artifact(artifact), place.artifact(artifact).read_bytes())
    if (space := read_sealed(place.space)) is not None:
        write_sealed(files.space, space)
    with storage_errors(place.path):
        rmtree(place.path)
