"""The [schedule] and [retention] tables of study and batch files."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from hpsearch.studyfile.tables.base import Table
from hpsearch.timetable import Cron, Window, span, zone_named


class Schedule(Table):
    """When a study or a batch runs by itself; these keys may change at any time."""

    note_in_template = None

    timezone: str | None = Field(
        default=None,
        description="the time zone of cron and window, e.g. Europe/Berlin; default: the machine's",
    )
    cron: str | None = Field(
        default=None,
        description="minute hour day-of-month month day-of-week, e.g. 0 2 * * mon-fri; default: "
        "it runs only on request",
    )
    window: str | None = Field(
        default=None,
        description='hours in which it may run, e.g. "02:00-06:00"; unfinished studies resume in '
        "the next window; default: at any time",
    )
    missed: Literal["skip", "once", "all"] = Field(
        default="once",
        description="what to do about runs that were missed (the machine was off, or another run "
        "took longer): skip them, make up for all with one run, or run each of them",
    )
    fresh: bool = Field(
        default=False,
        description="start new runs of finished studies each time, as --fresh does, e.g. because "
        "the data changes; false: only resume what is unfinished",
    )

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        zone_named(value)
        return value

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            Cron(value, zone_named(_zone(info)))
        return value

    @field_validator("window")
    @classmethod
    def _window(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            Window.parse(value, zone_named(_zone(info)))
        return value

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields

    @property
    def occurrences(self) -> Cron | None:
        """When it is due; None: never by itself."""
        return Cron(self.cron, zone_named(self.timezone)) if self.cron else None

    @property
    def hours(self) -> Window | None:
        """When it may run; None: always."""
        return Window.parse(self.window, zone_named(self.timezone)) if self.window else None


def _zone(info: ValidationInfo) -> Any:
    return info.data.get("timezone")


class Retention(Table):
    """Which finished runs of a study are deleted or kept; may be changed at any time."""

    note_in_template = None

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
