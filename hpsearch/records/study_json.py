"""study.json: a run's id, where its file lies, its plans, and the file as it was understood."""

from __future__ import annotations

from typing import Any

from hpsearch.records.layout import RunFiles
from hpsearch.records.sealed import read_sealed


def read_study_json(files: RunFiles) -> dict[str, Any]:
    """What study.json of a run says, as today's format has it; {} where there is none.

    Raises:
        DamagedError: it is not what was written.
        FormatError: a newer hpsearch wrote it.
    """
    return read_sealed(files.study_json, "id", "file") or {}
