"""study.json: a run's id, where its file lies, its plans, the file as it was understood, the
digests of the user's own code, and whether it was imported."""

from __future__ import annotations

from collections.abc import Mapping
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


def is_imported(known: Mapping[str, Any]) -> bool:
    """Whether a run came in an archive and was not started here since: the folder that it names
    is one of another machine, chosen by whoever made the archive.

    Args:
        known: what study.json says.
    """
    return bool(known.get("imported"))


def code_of_starts(known: Mapping[str, Any]) -> list[dict[str, str]]:
    """Digests of the files of a user's own code, by label, at each start that had others.

    Args:
        known: what study.json says; [] comes of one without any, and of older versions.
    """
    return [dict(code) for code in known.get("code", ())]
