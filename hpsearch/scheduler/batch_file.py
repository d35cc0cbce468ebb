"""The batch file: its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hpsearch.studyfile.tables.base import Name, Table
from hpsearch.studyfile.tables.schedule import Retention, Schedule

WEBHOOK = "HPSEARCH_WEBHOOK"


class Entry(Table):
    """A study of the batch, or, with a matrix, several variants of it."""

    file: str = Field(description="a study file; its path is relative to the batch file's folder")
    name: Name | None = Field(
        default=None,
        description="the name of the study; default: the name in its file. Variants append their "
        "values",
    )
    set: list[str] = Field(
        default_factory=list,
        description='keys to override, as with --set, e.g. ["seed=1", "stages.0.trials=8"]',
    )
    matrix: dict[str, object] = Field(
        default_factory=dict,
        description="keys of the study, each with a list of values: one study for every "
        'combination, e.g. { data.name = ["mnist", "digits"], seed = [0, 1, 2] }',
    )
    priority: int = Field(default=0, description="studies with a higher priority run first")


class Budget(Table):
    """How long one run of the batch may take; the next run does the rest."""

    minutes: float = Field(gt=0)
    per: Literal["batch", "study"] = Field(
        default="batch",
        description="whether all studies share the minutes, or each study gets them",
    )


class Notify(Table):
    """A request that is sent when the batch is over, to an address in an environment variable."""

    webhook: str = Field(
        default=WEBHOOK,
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="the environment variable that holds the address, which is often a secret; if "
        "it is not set, nothing is sent",
    )
    when: Literal["always", "failure"] = Field(
        default="always", description="always, or only if a study failed or is unfinished"
    )


class BatchFile(Table):
    """A whole batch."""

    name: Name
    studies: list[Entry] = Field(min_length=1)
    order: Literal["written", "interleaved"] = Field(
        default="written",
        description="the order among equal priorities: as written, or one variant of each entry "
        "in turn, so that a window that is too short covers some of each",
    )
    on_failure: Literal["continue", "stop"] = Field(
        default="continue",
        description="whether the batch goes on with the next study after a failed one, or stops",
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=100,
        description="how often a study is tried again after its database or workers became "
        "unavailable",
    )
    retry_seconds: float = Field(
        default=30.0,
        gt=0,
        description="seconds before the first retry; the wait doubles each time",
    )
    budget: Budget | None = Field(default=None, description="left out: no limit")
    schedule: Schedule = Schedule()
    retention: Retention | None = Field(
        default=None,
        description="which finished runs of its studies are deleted at the end of each call; left "
        "out: none",
    )
    notify: Notify = Notify()
