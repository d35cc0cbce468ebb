"""The [confirmation] table of a study file."""

from __future__ import annotations

from typing import Literal

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
        default=5,
        ge=2,
        le=LARGEST,
        description="fresh seeds and splits each; the interval needs at least 2",
    )
    splits: Literal["fresh", "kept"] = Field(
        default="fresh",
        description='"fresh": repeat r of every configuration is trained and scored on the same '
        "new draw of the split, as the search has looked at its own split again and again; "
        '"kept": on the split of the search. Time-ordered and fixed splits, and data that is the '
        "trainer's own, are kept",
    )
    default: bool = Field(
        default=True,
        description="run the configuration of all defaults beside the winner: on the same splits "
        "and seeds, and on the test set",
    )
    test_seeds: int = Field(
        default=5,
        ge=1,
        le=LARGEST,
        description="refits of the winner on training and validation data",
    )
