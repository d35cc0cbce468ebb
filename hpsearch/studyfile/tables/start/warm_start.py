"""The [warm_start] table of a study file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import Field

from hpsearch.addresses import has_password, has_wrong_port
from hpsearch.counts import count_of
from hpsearch.errors import Problem
from hpsearch.studyfile.tables.base import Facts, Table

MOST = 10_000  # configurations; more is no start but the search itself


def address_problems(key: str, address: str) -> Iterator[Problem]:
    """What is wrong with the address of a storage."""
    if has_password(address):
        yield Problem(
            key,
            "must hold no password, which would be kept with the study's records",
            hint="put the address into an environment variable NAME and write env:NAME",
        )
    elif "://" in address and has_wrong_port(address):
        yield Problem(key, "must have a port from 1 to 65535, or none", repr(address))


class WarmStart(Table):
    """An Optuna study whose best configurations are tried first, after those of [[enqueue]].

    They are copied when a run is started for the first time: it goes on and repeats without the
    old study. Only configurations are taken, no scores, which were measured in another way.
    """

    storage: str = Field(
        min_length=1,
        description="an Optuna storage: a URL, the path of an SQLite or journal file (relative to "
        "the study file's folder), or env:NAME for an environment variable that holds a URL with "
        "a password",
    )
    study: str | None = Field(
        default=None,
        description="the study's name in Optuna, or the name of an hpsearch study; default: the "
        "only study there",
    )
    top: int = Field(
        default=5,
        ge=1,
        le=MOST,
        description="number of its best complete trials to take, among those that fit [space]; a "
        "few give a good start, many leave little to search",
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="parameters with other names there: { lr = 'learning_rate' }",
    )

    note_in_template = "begins with the best trials of an existing Optuna study"

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for key, start in tables.items():
            yield from address_problems(f"{key}.storage", start.storage)

    def problems(self, facts: Facts) -> Iterator[Problem]:
        """What can be said without looking at the old study."""
        if facts.nested:
            rule = "must be left out with validation.outer"
            hint = (
                "configurations found with the rows of an outer fold would make its score "
                "optimistic"
            )
            yield Problem("warm_start", rule, hint=hint)
        if facts.sampler in ("grid", "listed"):
            rule = f"must be left out where sampler.name = {facts.sampler!r} determines all trials"
            yield Problem("warm_start", rule)
        room = facts.trials[0] - len(facts.enqueue)
        if self.top > room:
            left = count_of(room, "trial")
            rule = f"must be at most the {left} of the first stage that [[enqueue]] leaves"
            yield Problem("warm_start.top", rule, str(self.top))
