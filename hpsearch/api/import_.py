"""A study that came from another machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.api.doctor import doctor
from hpsearch.api.support.archives import unpack_study
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.study_report import write_report

if TYPE_CHECKING:
    import pandas as pd


def import_study(file: str | Path, *, home: str | Path | None = None) -> pd.DataFrame:
    """Import a study from an archive, and add it to Optuna and MLflow.

    Nothing in the archive is run: it may hold only records, tables and pictures, and none of its
    files can be written outside the study's folder. Figures and the report are drawn again. The
    folder that it names for its modules and data is not trusted, now or later.

    Returns:
        The remaining differences, a row for each, as from `doctor` after a repair.

    Raises:
        HpsearchError: the file is not an archive of a study, a newer hpsearch wrote it, or the
            home folder already has such a run.
    """
    stores = Home.find(Path(home) if home else None)
    stores.create()
    runs = unpack_study(Path(file), stores)
    for run in runs:
        _redraw(run)
    found = doctor(runs[0].files.study.name, home=stores.path, repair=True)
    return found[~found["repaired"] & (found["place"] != "host")]


def _redraw(folder: RunFolder) -> None:
    """What names or shows the machine that the archive came from."""
    path = folder.files.artifact(Artifact.RESULT)
    kept = folder.read_sealed(path)
    if kept is None:
        return
    kept["result"]["folder"] = str(folder.artifacts)
    folder.write_sealed(path, kept)
    folder.files.artifact(Artifact.REPORT).unlink(missing_ok=True)
    write_report(folder, Result.from_dict(kept["result"]))
