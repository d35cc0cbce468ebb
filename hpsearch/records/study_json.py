"""study.json: a run's id, where its file lies, its plans, and the file as it was understood."""

from __future__ import annotations

from typing import Any

from hpsearch.records.format import converted
from hpsearch.records.layout import RunFiles
from hpsearch.records.whole_files import read_json


def read_study_json(files: RunFiles) -> dict[str, Any]:
    """What study.json of a run says, as today's format has it; {} where there is none.

    Raises:
        StorageError: a newer hpsearch wrote it.
    """
    content = read_json(files.study_json)
    return {} if content is None else converted(content, str(files.study_json))
