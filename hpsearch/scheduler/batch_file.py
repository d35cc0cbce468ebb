"""The batch file: its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hpsearch.studyfile.tables.base import NAME, Table
from hpsearch.studyfile.tables.schedule import Retention, Schedule

WEBHOOK = "HPSEARCH_WEBHOOK"


class Entry(Table):
    """A study of the batch, or, with a matrix, several variants of it."""

    file: str = Field(description="a study file; its path starts at the batch file's folder")
    name: str | None = Field(
        default=None,
        pattern=NAME,
        description="of the study; left out: that of its file. A variant adds its values",
    )
    set: list[str] = Field(
        default_factory=list, description='as for --set, e.g. ["seed=1", "stages.0.trials=8"]'
    )
    matrix: dict[str, object] = Field(
        default_factory=dict,
        description="keys of the study with a list of values each: one study for every "
        'combination, e.g. { data.name = ["mnist", "digits"], seed = [0, 1, 2] }',
    )
    priority: int = Field(default=0, description="higher ones run first")


class Budget(Table):
    """How long one call of the batch may take; what is left is the next call's."""

    minutes: float = Field(gt=0)
    per: Literal["batch", "study"] = Field(
        default="batch", description="all studies share it, or each has as much"
    )


class Notify(Table):
    """One request when the batch is over, to an address in an environment variable."""

    webhook: str = Field(
        default=WEBHOOK,
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="the environment variable that holds the address, which is often a secret; "
        "nothing is sent where it is not set",
    )
    when: Literal["always", "failure"] = Field(
        default="always", description="failure: only if a study failed or was left unfinished"
    )


class BatchFile(Table):
    """A whole batch."""

    name: str = Field(pattern=NAME)
    studies: list[Entry] = Field(min_length=1)
    order: Literal["written", "interleaved"] = Field(
        default="written",
        description="among equal priorities: as written, or one variant of each entry in turn, "
        "so that a night that is too short has some of each",
    )
    on_failure: Literal["continue", "stop"] = Field(
        default="continue", description="after a failed study go on with the next, or leave it"
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=100,
        description="times a study is tried again whose database or workers were away",
    )
    retry_seconds: float = Field(
        default=30.0, gt=0, description="before the first of them; each later one waits twice that"
    )
    budget: Budget | None = Field(default=None, description="left out: no limit")
    schedule: Schedule = Schedule()
    retention: Retention | None = Field(
        default=None,
        description="which finished runs of its studies are deleted at the end of each call; left "
        "out: none",
    )
    notify: Notify = Notify()
