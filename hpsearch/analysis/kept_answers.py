"""The answers of a finished study as its files have them, for those who only read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder


@dataclass(frozen=True)
class Answers:
    """The answers of a study, as its files of artifacts have them.

    Attributes:
        claims: {text, check, given, verdict, detail, figure} each; figure is a file's name or "".
            Those of a difference have its p value, `p`, and where there are several such claims
            also the one by Holm's test over them, `p_holm`. Where another check may be meant, the
            detail ends with `hint`.
        agreement: {cells, n, equal, within_one_image, mean_absolute_difference} of each group of
            cells of the printed table.
    """

    claims: list[dict[str, Any]]
    agreement: list[dict[str, Any]]


def answered(folder: RunFolder) -> Answers:
    """The answers that were written."""
    paths = (folder.files.artifact(a) for a in (Artifact.CLAIMS, Artifact.AGREEMENT))
    return Answers(*(folder.read_json(path) or [] for path in paths))
