"""A study as one file for another machine: its records, from which everything else is told."""

from __future__ import annotations

import json
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

from hpsearch.api.doctor import doctor
from hpsearch.api.stores import held
from hpsearch.errors import HpsearchError
from hpsearch.records.home import Home
from hpsearch.records.result import RESULT, Result
from hpsearch.records.trial_record import Kind, RunFolder, TrialRecord
from hpsearch.records.whole_files import write_whole
from hpsearch.reports.study_report import REPORT, write_report
from hpsearch.study.opening import STUDY
from hpsearch.study.recorded import find_runs
from hpsearch.studyfile.stored import stored_file
from hpsearch.trainers import TRAINERS

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
MANIFEST = "hpsearch.json"
# What an archive may hold of a run. The rest belongs to one machine, or is made from these.
FILES = re.compile(
    r"(study|space|parent)\.json|(journal|slices)\.jsonl|stages/\d+\.json"
    r"|artifacts/study\.(toml|json)|artifacts/result\.json"
    r"|artifacts/[\w.-]+\.(csv|png)|artifacts/figures/\w+\.png"
    r"|(trials|confirmation|test)/[\d-]+/"
    r"(record\.json|log\.txt|weights\.npz|estimator\.skops|state-[\d-]+\.npz)"
)
PLACE = re.compile(r"studies/([A-Za-z0-9][A-Za-z0-9_.-]{0,79})/([1-9]\d{0,5})/(.+)")


def export_study(
    study: str, to: str | Path | None = None, *, home: str | Path | None = None
) -> Path:
    """Write all runs of a study, or one of them, into one file; returns its path.

    Args:
        study: its name, or that of one of its runs.
        to: the file to make; None: <study>.hpsearch.zip in the current directory.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ of the current directory.

    Raises:
        HpsearchError: there is no such study, or it is not over and has states that only pickle
            can hold, or the file is there already.
        StudyLockedError: somebody runs it.
    """
    stores = Home.find(Path(home) if home else None)
    runs = find_runs(stores, study)
    path = Path(to) if to else Path(f"{study.replace('/', '-')}.hpsearch.zip")
    if path.exists():
        raise HpsearchError(f"{path} must not be there yet; name another file with --to")
    with held(stores, runs[0].study):
        for run in runs:
            _refuse_pickled_states(run.folder, run.name)
        young = path.with_name(f".{path.name}.new")
        try:
            with zipfile.ZipFile(young, "w", zipfile.ZIP_DEFLATED) as archive:
                said = {"format": FORMAT, "study": runs[0].study}
                archive.writestr(MANIFEST, json.dumps(said))
                for run in runs:
                    top = f"studies/{run.study}/{run.folder.path.name}"
                    for file, name in _members(run.folder):
                        archive.write(file, f"{top}/{name}")
            young.rename(path)
        except OSError as error:
            raise HpsearchError(
                f"{path} must be writable, got: {error.strerror}; name another file with --to"
            ) from error
        finally:
            young.unlink(missing_ok=True)
    return path


def _members(folder: RunFolder) -> Iterator[tuple[Path, str]]:
    for file in sorted(folder.path.rglob("*")):
        name = file.relative_to(folder.path).as_posix()
        if file.is_file() and not file.is_symlink() and FILES.fullmatch(name):
            yield file, name


def import_study(file: str | Path, *, home: str | Path | None = None) -> pd.DataFrame:
    """Take a study from an archive, and tell Optuna and MLflow of it.

    Nothing in the archive is run: it may hold records, tables and pictures alone, and none of its
    files can come to lie outside the study's folder. Figures and the report are drawn anew.

    Returns:
        As `doctor` after a repair: what is still different, with a row each.

    Raises:
        HpsearchError: the file is no archive of a study, or the home has such a run already.
    """
    stores = Home.find(Path(home) if home else None)
    stores.create()
    path = Path(file)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked(archive, path)
            names = sorted({study for study, _, _ in members})
            if len(names) != 1:
                raise HpsearchError(
                    f"{path} must hold one study, got {', '.join(names) or 'none'}"
                )
            young = stores.path / f".{names[0]}.importing"
            shutil.rmtree(young, ignore_errors=True)
            try:
                _unpack(archive, members, young)
                _move_in(young, stores.studies / names[0], path)
            finally:
                shutil.rmtree(young, ignore_errors=True)
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise HpsearchError(
            f"{path} must be a file that hpsearch export made, got: {error}"
        ) from error
    found = doctor(names[0], home=stores.path, repair=True)
    return found[~found["repaired"] & (found["place"] != "host")]


def _checked(archive: zipfile.ZipFile, path: Path) -> dict[tuple[str, int, str], zipfile.ZipInfo]:
    """The members by study, run and name; HpsearchError for one that must not be there."""
    members = {}
    for info in archive.infolist():
        if info.filename == MANIFEST:
            continue
        place = PLACE.fullmatch(info.filename)
        plain = ".." not in PurePosixPath(info.filename).parts and not stat.S_ISLNK(
            info.external_attr >> 16
        )
        if place is None or not plain or not FILES.fullmatch(place[3]):
            raise HpsearchError(
                f"{path} must hold records, tables and pictures of a study alone, "
                f"got {info.filename!r}; nothing was taken from it"
            )
        members[place[1], int(place[2]), place[3]] = info
    size = sum(info.file_size for info in members.values())
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise HpsearchError(f"{path} unpacks to {size} bytes, but only {free} are free")
    return members


def _unpack(
    archive: zipfile.ZipFile,
    members: dict[tuple[str, int, str], zipfile.ZipInfo],
    top: Path,
) -> None:
    for (_, number, name), info in members.items():
        target = top / str(number) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, target.open("wb") as copy:
            left = info.file_size  # what it says, so that it can't grow beyond what was checked
            while left > 0 and (block := source.read(min(left, 1 << 20))):
                copy.write(block)
                left -= len(block)


def _move_in(young: Path, top: Path, path: Path) -> None:
    """Check what was unpacked, and put it into its place."""
    runs = sorted(young.iterdir(), key=lambda p: int(p.name))
    for run in runs:
        folder = RunFolder(run)
        _check_run(folder, path)
        place = top / run.name
        if place.exists():
            raise HpsearchError(
                f"run {run.name} of study {top.name!r} must not be in {top.parent.parent} yet; "
                "import it into a folder of its own with --home"
            )
    top.mkdir(parents=True, exist_ok=True)
    for run in runs:
        place = top / run.name
        run.rename(place)
        _redraw(RunFolder(place))


def _check_run(folder: RunFolder, path: Path) -> None:
    try:
        stored_file(folder.read_json(STUDY)["file"], str(path))
        for kind in get_args(Kind):
            for record in folder.read_all(kind):
                _check_record(folder, record)
    except HpsearchError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise HpsearchError(
            f"{path} must hold records that can be read, got {type(error).__name__}: "
            f"{str(error).splitlines()[0]}; nothing was taken from it"
        ) from error
    _refuse_pickled_states(folder, str(path))


def _check_record(folder: RunFolder, record: TrialRecord) -> None:
    """Its names lead to files beside it, nowhere else."""
    place = folder.folder(record.kind, record.number, record.seed_number)
    if not (place / "record.json").exists():
        raise ValueError(f"record {record.uid} does not lie in its folder")
    for name in filter(None, (record.state_file, *record.files)):
        if not FILES.fullmatch(f"trials/0/{name}"):
            raise ValueError(f"record {record.uid} names {name!r}")


def _refuse_pickled_states(folder: RunFolder, name: str) -> None:
    """States of estimators and functions are pickled, which runs code when it is read."""
    for kind in get_args(Kind):
        for record in folder.read_all(kind):
            if record.state_file and record.params.get("trainer") not in TRAINERS:
                raise HpsearchError(
                    f"{name} must be over: trial {record.number} of {record.params['trainer']} "
                    "waits to go on, and its state is a pickle, which no archive may hold. Run "
                    "the study to its end first"
                )


def _redraw(folder: RunFolder) -> None:
    """What names or shows the machine that the archive came from."""
    said: dict[str, Any] | None = folder.read_json(RESULT)
    if said is None:
        return
    said["result"]["folder"] = str(folder.artifacts)
    write_whole(folder.path / RESULT, json.dumps(said, indent=1).encode())
    (folder.artifacts / REPORT).unlink(missing_ok=True)
    write_report(folder, Result.from_dict(said["result"]))
