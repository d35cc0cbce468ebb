"""A study on its way to another machine."""

from __future__ import annotations

from pathlib import Path

from hpsearch.errors import HpsearchError
from hpsearch.records.archive import pack
from hpsearch.records.layout import KINDS, Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.run_lock import unchanged
from hpsearch.study.recorded import find_runs
from hpsearch.study_names import as_written
from hpsearch.trainers import TRAINERS


def export_study(
    study: str, to: str | Path | None = None, *, home: str | Path | None = None
) -> Path:
    """Write all runs of a study, or one of them, to one file; returns its path.

    Args:
        study: its name, or that of one of its runs.
        to: the file to write; None: <study>.hpsearch.zip in the current folder.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.

    Raises:
        HpsearchError: there is no such study, it is unfinished and has states that only pickle
            can hold, or the file already exists.
        StudyLockedError: another process runs it.
    """
    stores = Home.find(Path(home) if home else None)
    runs = find_runs(stores, study)
    top, named = runs[0].folder.files.study, as_written(study)
    alone = "" if named == as_written(top.name) else f"-{runs[0].number}"
    path = Path(to or f"{top.path.name}{alone}.hpsearch.zip")
    if path.exists():
        raise HpsearchError(f"{path} already exists; name another file with --to")
    with unchanged(stores.study(runs[0].study)):
        for run in runs:
            refuse_pickled_states(run.folder, run.name)
        young = path.with_name(f".{path.name}.new")
        try:
            pack([run.folder for run in runs], young)
            young.rename(path)
        except OSError as error:
            raise HpsearchError(
                f"{path} must be writable, got: {error.strerror}; name another file with --to"
            ) from error
        finally:
            young.unlink(missing_ok=True)
    return path


def refuse_pickled_states(folder: RunFolder, name: str) -> None:
    """States of estimators and functions are pickled, which runs code when it is read.

    Raises:
        HpsearchError: a record has one.
    """
    for kind in KINDS:
        for record in folder.read_all(kind):
            if record.state_file and record.params.get("trainer") not in TRAINERS:
                raise HpsearchError(
                    f"{name} is unfinished: trial {record.number} of {record.params['trainer']} "
                    "is paused, and its state is a pickle, which an archive must not contain. "
                    "Finish the study first"
                )
