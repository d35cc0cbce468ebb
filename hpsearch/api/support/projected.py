"""What MLflow has of a run."""

from __future__ import annotations

from typing import Any

from hpsearch.addresses import without_password
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.study_file import StudyFile


def projected(folder: RunFolder, file: StudyFile, uri: str) -> dict[str, Any]:
    """What MLflow has when it has all of the journal, and the answers to all questions."""
    journal = folder.files.journal
    return {
        "tracking_uri": without_password(uri),
        "bytes": journal.stat().st_size if journal.exists() else 0,
        "asked": file.model_dump(mode="json", include={"comparison", "claims"}),
    }


def is_projected(folder: RunFolder, file: StudyFile, uri: str) -> bool:
    """Whether MLflow has all of that."""
    return bool(folder.read_sealed(folder.files.projected) == projected(folder, file, uri))
