"""The [confirmation] table of a study file."""

from __future__ import annotations

from pydantic import Field

from hpsearch.studyfile.tables.base import LARGEST, Table


class Confirmation(Table):
    """What happens when the search is over."""

    top: int = Field(
        default=3,
        ge=1,
        le=LARGEST,
        description="configurations run again on fresh seeds; with several objectives: 8, as the "
        "Pareto front is theirs",
    )
    seeds: int = Field(
        default=5, ge=2, le=LARGEST, description="fresh seeds each; the interval needs at least 2"
    )
    test_seeds: int = Field(
        default=5,
        ge=1,
        le=LARGEST,
        description="refits of the winner on training and validation data",
    )
