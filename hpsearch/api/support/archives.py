"""Archives of studies, checked before any of their files is put into a home."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpsearch.api.export import refuse_pickled_states
from hpsearch.errors import DamagedError, HpsearchError, headline
from hpsearch.records.archive import checked_members, study_in, unpack
from hpsearch.records.layout import ARCHIVED, KINDS, Artifact, Home, RunFiles, StudyFiles
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.sealed import write_sealed
from hpsearch.records.study_json import chapter_of, code_of_starts, read_study_json
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.chapters.filing import ChapterFolder
from hpsearch.study.code_checks import code_warnings, program_repeats
from hpsearch.study.library_warnings import library_warnings
from hpsearch.study.recorded import Recorded
from hpsearch.study.stage_end import Decision
from hpsearch.study.starting.learned import kept_learned
from hpsearch.study.stored_space import kept_arms, kept_space
from hpsearch.studyfile.entries import trainer_names
from hpsearch.studyfile.stored import stored_file

# Of archives that are none, are cut off, damaged, encrypted or packed in an unknown way.
UNREADABLE = (OSError, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError)
LATEST = 253_402_300_800.0  # the year 10000, in seconds since 1970: no date is later


def unpack_study(path: Path, stores: Home) -> list[RunFolder]:
    """Check the study in an archive, and add its runs to a home; returns these, in order.

    Raises:
        HpsearchError: as import_study.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = checked_members(archive, path, stores.path)
            name = study_in(members, path)
            young = stores.importing(name)
            shutil.rmtree(young.path, ignore_errors=True)
            try:
                unpack(archive, members, young)
                return _move_in(young, stores.study(name), path)
            finally:
                shutil.rmtree(young.path, ignore_errors=True)
    except UNREADABLE as error:
        raise HpsearchError(
            f"{path} must be a file written by hpsearch export, got: {error}"
        ) from error


def _move_in(young: StudyFiles, study: StudyFiles, path: Path) -> list[RunFolder]:
    """Check what was unpacked, and put it into its place; returns the runs."""
    numbers = sorted(int(run.name) for run in young.path.iterdir())
    for number in numbers:
        _check_run(RunFolder(young.run(number).path), path)
        if study.run(number).path.exists():
            raise HpsearchError(
                f"run {number} of study {study.name!r} already exists in "
                f"{study.path.parent.parent}; import it into another home folder with --home"
            )
        _mark(young.run(number))
    study.path.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        young.run(number).path.rename(study.run(number).path)
    return [RunFolder(study.run(number).path) for number in numbers]


def _mark(files: RunFiles) -> None:
    """Note that it is imported, whatever the archive says of that: its folder is not trusted."""
    for one in (files, *files.chapters):
        write_sealed(one.study_json, {**read_study_json(one), "imported": True})


def _check_run(folder: RunFolder, path: Path) -> None:
    try:
        known = read_study_json(folder.files)
        stored_file(known["file"], str(path))
        _check_files(folder, known)
        for number in range(1, chapter_of(known).number):
            chapter = ChapterFolder(folder, number)
            earlier = read_study_json(chapter.files)
            stored_file(earlier["file"], str(path))
            _check_files(chapter, earlier)
        # Before records are read: an archive may hold a great number of them.
        _check_numbers(folder)
        for kind in KINDS:
            for record in folder.read_all(kind):
                _check_record(folder, record)
    except DamagedError as error:
        place = Path(error.name).relative_to(folder.path)
        raise HpsearchError(
            f"{path} must hold readable records, got {place} with {error.got}; nothing was "
            "imported"
        ) from error
    except HpsearchError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise HpsearchError(
            f"{path} must hold readable records, got {type(error).__name__}: {headline(error)}; "
            "nothing was imported"
        ) from error
    refuse_pickled_states(folder, str(path))
    _check_trainers(folder, path)


def _check_trainers(folder: RunFolder, path: Path) -> None:
    """Records are trained again by the trainer that they name: it must be one of the study's."""
    run = Recorded(folder.files.study.name, folder.files.number, folder)
    names = trainer_names(run.file.space) or []
    for kind in KINDS:
        for record in folder.read_all(kind):
            if record.params.get("trainer") not in names:
                raise HpsearchError(
                    f"{path} must hold records of the study's own trainers, "
                    f"{', '.join(map(str, names))}, got {record.params.get('trainer')!r} in "
                    f"{record.uid}; nothing was imported"
                )


def _check_files(folder: RunFolder, known: Mapping[str, Any]) -> None:
    """What is read of the other files is in them."""
    files = folder.files
    if not all(isinstance(known[key], str) for key in ("id", "path")):
        raise TypeError("study.json must have an id and a path")
    for code in code_of_starts(known):
        if not all(isinstance(text, str) for text in code.values()):
            raise TypeError("study.json must have digests as texts")
    kept_space(folder)
    kept_arms(folder)
    kept_learned(folder)
    for path in files.all_decisions():
        Decision.of(folder.required(path))
    for path in files.clocks():
        float(folder.required(path)["seconds"])
    if not all(isinstance(warning, str) for warning in code_warnings(folder)):
        raise TypeError("code_checks.json must hold warnings as texts")
    library_warnings(folder)
    if not all(isinstance(value, int | float) for value in program_repeats(folder).values()):
        raise TypeError("code_checks.json must hold differences as numbers")
    if (parent := folder.read_sealed(files.parent)) is not None:
        _ = [parent[key] for key in ("uid", "experiment", "started", "status", "tags", "look")]
    if (kept := folder.read_sealed(files.artifact(Artifact.RESULT))) is not None:
        Result.from_dict(kept["result"])


def _check_numbers(folder: RunFolder) -> None:
    """No record has a number that the study does not come to."""
    run = Recorded(folder.files.study.name, folder.files.number, folder)
    if run.chapter.first > len(folder.files.records("trial")):
        raise ValueError("a chapter that begins after more trials than there are")
    most = run.n_arms * (run.chapter.first + max(sum(plan) for plan in run.plans))
    for place in folder.files.records():
        number = int(place.path.name.partition("-")[0])
        if number >= most:
            raise ValueError(
                f"a record with number {number}, which must be below {most} as planned"
            )


def _check_record(folder: RunFolder, record: TrialRecord) -> None:
    """Its names lead to files beside it, nowhere else."""
    place = folder.files.record(record.kind, record.number, record.seed_number)
    if not place.json.exists():
        raise ValueError(f"record {record.uid} is not in its own folder")
    if not record.members:
        raise ValueError(f"record {record.uid} has no members")
    if not all(0 <= when < LATEST for when in (record.started, record.ended)):
        raise ValueError(f"record {record.uid} has an invalid time")
    scores = [*record.scores.values(), *record.rungs.values()]
    scores += [score for values in record.values.values() for score in values.values()]
    if not all(isinstance(score, int | float) for score in scores):
        raise TypeError(f"record {record.uid} must have numbers as scores")
    for name in filter(None, (record.state_file, *record.files)):
        if "/" in name or not ARCHIVED.fullmatch(
            place.file(name).relative_to(folder.path).as_posix()
        ):
            raise ValueError(f"record {record.uid} names {name!r}")
