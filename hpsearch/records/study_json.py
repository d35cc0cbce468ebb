"""study.json: a run's id, where its file lies, its plans, the file as it was understood, the
digests of the user's own code, the chapter that it is in, and whether it was imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hpsearch.records.layout import RunFiles
from hpsearch.records.sealed import read_sealed


@dataclass(frozen=True)
class Chapter:
    """A part of a run that has one study file; a run that was never extended has one chapter.

    Attributes:
        number: from 1.
        first: the number of its first trial, in each case; those below are of earlier chapters.
        began: when, in seconds since 1970; 0 of the first chapter.
        toml: the digest of the text of its study file; "" of the first chapter.
    """

    number: int = 1
    first: int = 0
    began: float = 0.0
    toml: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


FIRST = Chapter()


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


def chapter_of(known: Mapping[str, Any]) -> Chapter:
    """The chapter that a run is in.

    Args:
        known: what study.json says; older versions knew no chapters.
    """
    return Chapter(**known.get("chapter", {}))
