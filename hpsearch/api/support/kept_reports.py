"""The last report of each finished run is kept, so that printing it again loads nothing of the
search, which takes longer than all else."""

from __future__ import annotations

import time
import tomllib
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hpsearch.addresses import without_password
from hpsearch.api.support.report import Report, place_of, ui_command
from hpsearch.errors import DamagedError, FormatError, StorageError
from hpsearch.records.layout import Artifact, Home, RunFiles
from hpsearch.records.run_lock import running
from hpsearch.records.sealed import digest_of, read_sealed, write_sealed
from hpsearch.records.stamps import Stamp, is_young, stamp_of, stamps_of
from hpsearch.study_names import NUMBERED
from hpsearch.tracking.links import short_address

READ = (Artifact.RESULT, Artifact.CLAIMS, Artifact.AGREEMENT, Artifact.INCUMBENTS)
VERSION = 1  # raised with every change of what a report says: those of other versions are not used


def report_stamps(files: RunFiles) -> tuple[Stamp, ...]:
    """What changes whenever the report of a run may; () if something was written just now, so that
    the next write may bear the same time."""
    now = time.time()
    stamps = (*stamps_of(files), *(stamp_of(files.artifact(one)) for one in READ))
    return () if is_young(stamps, now) else stamps


def keep_report(
    files: RunFiles, stamps: tuple[Stamp, ...], report: Report, file: str | None = None
) -> None:
    """Keep the report of a run that MLflow has all of.

    Args:
        stamps: `report_stamps` from before the report was made.
        file: `digest_of_file` of the study file that leads to this report and needs nothing
            beside it; None: there is none.
    """
    if report.missing or not stamps:
        return
    content = {**_surroundings(files), "stamps": stamps, "file": file, "report": asdict(report)}
    with suppress(StorageError):  # then it is made again
        write_sealed(files.kept_report, content)


def digest_of_file(path: Path, text: str) -> str:
    """Of a study file: of its place, from which its paths start, and its text."""
    return digest_of(f"{path.resolve()}\0{text}".encode())


def kept_report(study: str, home: Home) -> Report | None:
    """The report of a study's newest run, or with "quickstart/2" that of this run.

    None if none is kept, or if anything that it depends on has changed since.
    """
    numbered = NUMBERED.search(study)
    with suppress(OSError):  # no name of a folder
        files = home.study(study[: numbered.start()] if numbered else study)
        run = files.run(int(numbered[0][1:]) if numbered else files.newest)
        if not numbered or numbered[0] == f"/{run.number}":
            return _report(run, _kept(run))
    return None


def report_of_file(path: Path, home: Home, uri: str) -> Report | None:
    """The report that a study file leads to; None as for `kept_report`, or if somebody runs the
    study.

    Args:
        uri: of the MLflow store that must have the run.
    """
    with suppress(OSError, ValueError, RecursionError):
        if not path.is_file():  # what comes through a pipe can be read once
            return None
        text = path.read_text(encoding="utf-8-sig")
        name = tomllib.loads(text).get("name")
        study = home.study(name) if isinstance(name, str) else None
        if study is None or not study.newest or running(study) is not None:
            return None
        kept = _kept(study.run(study.newest))
        if kept.get("file") == digest_of_file(path, text):
            report = _report(study.run(study.newest), kept)
            if report is not None and report.tracking_uri == without_password(uri):
                return report
    return None


def _surroundings(files: RunFiles) -> dict[str, Any]:
    """What a report depends on beside the run's files."""
    home = str(files.study.home.path.absolute())
    return {"report_version": VERSION, "hpsearch": version("hpsearch"), "home": home}


def _kept(files: RunFiles) -> dict[str, Any]:
    """The content of a run's kept report; {} if it can't be used."""
    with suppress(OSError, DamagedError, FormatError):
        content = read_sealed(files.kept_report) or {}
        stamps = [list(stamp) for stamp in report_stamps(files)]
        if stamps and content.items() >= {**_surroundings(files), "stamps": stamps}.items():
            return dict(content)
    return {}


def _report(files: RunFiles, kept: dict[str, Any]) -> Report | None:
    if not kept:
        return None
    home = files.study.home
    try:
        report = _restored(kept["report"])
    except (KeyError, TypeError, ValueError):  # of other code that calls itself the same version
        return None
    if report.tracking_uri == home.tracking_uri and not home.mlflow.exists():
        return None
    ui, short = ui_command(home, report.tracking_uri), short_address(*place_of(files))
    return replace(report, ran=False, ui=ui, short=short)


def _restored(fields: dict[str, Any]) -> Report:
    """The inverse of `asdict`."""
    from hpsearch.analysis.failures import Failure
    from hpsearch.analysis.kept_answers import Answers
    from hpsearch.records.outcome import Outcome
    from hpsearch.records.result import Result

    failures = [
        Failure(Outcome(one["outcome"]), one["reason"], tuple(one["numbers"]))
        for one in fields["failures"]
    ]
    answers, result = Answers(**fields["answers"]), Result.from_dict(fields["result"])
    return Report(**fields | {"result": result, "answers": answers, "failures": failures})
