"""The [retention] table of study and batch files."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, field_validator

from hpsearch.studyfile.tables.base import Table
from hpsearch.timetable import span


class Retention(Table):
    """Which finished runs of a study are kept for ever; may be changed at any time."""

    note_in_template: ClassVar[str | None] = None

    older: str = Field(
        default="30d",
        description="runs that ended longer ago are deleted, unless another key keeps them: a "
        "number with m, h, d or w for minutes, hours, days or weeks. The default is a month, "
        "after which a nightly search has 30 newer runs",
    )
    keep_best: int = Field(
        default=5,
        ge=0,
        description="so many runs with the best validation scores stay, among those with the same "
        "objective: enough to see whether the best one was luck",
    )
    keep_last: int = Field(
        default=3,
        ge=1,
        description="so many of the newest finished runs stay, to compare the next one with. At "
        "least 1, so that the study's name always leads to a run",
    )

    @field_validator("older")
    @classmethod
    def _span(cls, value: str) -> str:
        span(value)
        return value

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields

    @property
    def age(self) -> timedelta:
        """What `older` says."""
        return span(self.older)
