"""What to change in a study file whose best trials lie at the end of a range."""

from __future__ import annotations

from hpsearch.study.chapters.extension import can_be_extended
from hpsearch.studyfile.lines import line_of
from hpsearch.studyfile.reading import ReadStudy


def widening(read: ReadStudy, key: str, change: str) -> str:
    """A sentence without its full stop that says where to widen a range, and how to go on.

    Args:
        key: the range's, e.g. "space.learning_rate".
        change: e.g. "high = 1".
    """
    line = line_of(read.text, key)
    where = "[space]" if line is None else f"line {line} of the study file, {key}"
    first = f"Widen the range in {where}, e.g. {change}"
    if not can_be_extended(read.file):
        return first
    return f"{first}; also raise trials in [[stages]], then go on with --extend"
