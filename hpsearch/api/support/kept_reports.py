"""Reports of finished runs as they were made last.

Who looks one up again need not load the search, which takes longer than all else.
"""

from __future__ import annotations

import json
import time
import tomllib
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hpsearch.addresses import without_password
from hpsearch.api.support.report import Report, place_of, ui_command
from hpsearch.errors import StorageError
from hpsearch.records.layout import Artifact, Home, RunFiles
from hpsearch.records.sealed import digest_of
from hpsearch.records.stamps import Stamp, is_young, stamp_of, stamps_of
from hpsearch.records.whole_files import json_bytes, write_whole
from hpsearch.study_names import NUMBERED
from hpsearch.tracking.links import short_address

READ = (Artifact.RESULT, Artifact.CLAIMS, Artifact.AGREEMENT, Artifact.INCUMBENTS)
FORMAT = 1  # raised with every change of what a report says: kept ones of others are made anew


def report_stamps(files: RunFiles) -> tuple[Stamp, ...]:
    """What changes whenever the report of a run may."""
    return (*stamps_of(files), *(stamp_of(files.artifact(one)) for one in READ))


def keep_report(
    files: RunFiles, stamps: tuple[Stamp, ...], report: Report, text: str | None = None
) -> None:
    """Keep the report of a run that MLflow has all of.

    Args:
        stamps: `report_stamps` from before the report was made.
        text: the study file that leads to it, where nothing else has a part in that; None: no
            study file does.
    """
    if report.missing or is_young(stamps, time.time()):
        return
    file = None if text is None else digest_of(text.encode())
    said = {**_about(files), "stamps": stamps, "file": file, "report": asdict(report)}
    with suppress(StorageError):  # the next look makes it anew
        write_whole(files.kept_report, json_bytes(said))


def kept_report(study: str, home: Home) -> Report | None:
    """The report of a study's newest run, or with "quickstart/2" of that one.

    None where none is kept, or something of it has changed since.
    """
    numbered = NUMBERED.search(study)
    files = home.study(study[: numbered.start()] if numbered else study)
    number = int(numbered[0][1:]) if numbered else files.newest
    return _report(files.run(number), _kept(files.run(number)))


def report_of_file(path: Path, home: Home, uri: str) -> Report | None:
    """The report that this study file leads to; None as for `kept_report`.

    Args:
        uri: of the MLflow store that must have the run.
    """
    with suppress(OSError, ValueError):
        text = path.read_text(encoding="utf-8-sig")
        name = tomllib.loads(text).get("name")
        files = home.study(name) if isinstance(name, str) else None
        if files is not None and files.newest:
            run = files.run(files.newest)
            kept = _kept(run)
            report = _report(run, kept)
            is_same = kept.get("file") == digest_of(text.encode())
            if is_same and report and report.tracking_uri == without_password(uri):
                return report
    return None


def _about(files: RunFiles) -> dict[str, Any]:
    """What must be so still, beside the stamps."""
    home = str(files.study.home.path.absolute())
    return {"format": FORMAT, "version": version("hpsearch"), "home": home}


def _kept(files: RunFiles) -> dict[str, Any]:
    """What was kept of a run; {} where it is of no use."""
    with suppress(OSError, ValueError):
        said = json.loads(files.kept_report.read_bytes())
        stamps = [list(stamp) for stamp in report_stamps(files)]
        if isinstance(said, dict) and said.items() >= {**_about(files), "stamps": stamps}.items():
            return said
    return {}


def _report(files: RunFiles, kept: dict[str, Any]) -> Report | None:
    if not kept:
        return None
    home = files.study.home
    with suppress(KeyError, TypeError):  # of a version with other fields and the same number
        report = _restored(kept["report"])
        if report.tracking_uri == home.tracking_uri and not home.mlflow.exists():
            return None
        ui, short = ui_command(home, report.tracking_uri), short_address(*place_of(files))
        return replace(report, ran=False, ui=ui, short=short)
    return None


def _restored(said: dict[str, Any]) -> Report:
    """The inverse of `asdict`."""
    from hpsearch.analysis.failures import Failure
    from hpsearch.analysis.kept_answers import Answers
    from hpsearch.records.outcome import Outcome
    from hpsearch.records.result import Result

    failures = [
        Failure(Outcome(one["outcome"]), one["reason"], tuple(one["numbers"]))
        for one in said["failures"]
    ]
    found = {"answers": Answers(**said["answers"]), "failures": failures}
    return Report(**said | {"result": Result.from_dict(said["result"])} | found)
