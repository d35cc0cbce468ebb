"""The [[learn_from]] tables of a study file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import Field

from hpsearch.errors import Problem
from hpsearch.studyfile.tables.base import Facts, Table
from hpsearch.studyfile.tables.start.warm_start import address_problems

AUTO = "auto"


class LearnFrom(Table):
    """Earlier studies whose trials and scores shape the start and the model of the search.

    What is taken is copied when a run is started for the first time: it goes on and repeats
    without them. How far a study counts is learned from the results.
    """

    study: str | None = Field(
        default=None,
        min_length=1,
        description='a study of this home, or NAME/3 for one of its runs; "auto": the newest '
        "finished run of every study of this home with the same trainer, metric and direction; "
        "with a storage or an archive, the study there, which may be left out if it is the only "
        "one",
    )
    storage: str | None = Field(
        default=None,
        min_length=1,
        description="an Optuna storage, as in [warm_start]; default: this home",
    )
    archive: str | None = Field(
        default=None,
        min_length=1,
        description="an archive written by hpsearch export, relative to the study file's folder",
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="parameters with other names there: { lr = 'learning_rate' }",
    )

    note_in_template = None  # [warm_start] is the start of what a template shows

    @property
    def source(self) -> str:
        """Where it is from, in a word or two."""
        return self.study or self.archive or self.storage or ""

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for key, said in tables.items():
            if said.archive is not None and said.storage is not None:
                yield Problem(f"{key}.storage", "must be left out beside archive")
            if said.study is None and said.archive is None and said.storage is None:
                yield Problem(f"{key}.study", "is missing: name a study, an archive or a storage")
            if said.study == AUTO and not said.archive and not said.storage and said.names:
                rule = 'must be left out with study = "auto", whose studies have the same names'
                yield Problem(f"{key}.names", rule)
            if said.storage is not None:
                yield from address_problems(f"{key}.storage", said.storage)

    def problems(self, facts: Facts) -> Iterator[Problem]:
        if facts.nested:
            rule = "must be left out with validation.outer"
            hint = (
                "what was learned from the rows of an outer fold would make its score optimistic"
            )
            yield Problem("learn_from", rule, hint=hint)
        if not facts.learns:
            rule = 'must go with sampler.name = "coarse-to-fine" and sampler.proposal = "gp"'
            yield Problem("learn_from", rule, repr(facts.sampler))
