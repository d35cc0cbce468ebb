"""Overtuning as the report told of it, for those who have no report at hand."""

from __future__ import annotations

from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder


def overtuning_warnings(folder: RunFolder) -> list[str]:
    """A line for each arm whose successive bests are not confirmed; [] in older runs."""
    told = folder.read_json(folder.files.artifact(Artifact.INCUMBENTS)) or []
    return [one["text"] for one in told if one["warns"]]
