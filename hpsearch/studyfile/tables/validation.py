"""The [validation] table of a study file: what the search itself is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from pydantic import Field

from hpsearch.datasets.split_kinds import moved
from hpsearch.errors import Problem
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.tables.base import Facts, Table
from hpsearch.studyfile.tables.data import AnySplit

OUTER = "validation.outer"


class Validation(Table):
    """How the whole search is validated, because the winner's own score is optimistic."""

    outer: AnySplit | None = Field(
        default=None,
        description="a split, as in data.split: the whole search runs once for each outer fold, "
        "on the other rows, and its winner is tested on the fold's rows; the search on all rows "
        "then finds the winner",
    )

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for table in tables.values():
            if table.outer is not None:
                for problem in table.outer.made().check(None):
                    yield moved(problem, OUTER)
                if table.outer.made().as_needed:
                    rule = "must be left out: every outer fold is searched"
                    yield Problem(f"{OUTER}.folds_as_needed", rule, "true")

    def problems(self, facts: Facts) -> Iterator[Problem]:
        if self.outer is None:
            return
        if facts.compare:
            rule = "must be left out where cases are compared"
            hint = "write a separate study for each of them; a batch file runs them all"
            yield Problem(OUTER, rule, f"compare = {[*facts.compare]}", hint)
        if facts.protocol != "honest":
            rule = f"must be left out under protocol = {facts.protocol!r}"
            yield Problem(OUTER, rule, hint="its trials are scored on the test set")

    def problems_of_arms(self, facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
        if self.outer is None:
            return
        selection, outer = arms[-1].selection, self.outer.made()
        split = selection.split
        if selection.unknown:
            rule = "must be left out: the trainer brings its own data"
            yield Problem(OUTER, rule, hint="name it in [data], so that rows can be held out")
            return
        if split.beside_shots:
            rule = "must be drawn from the rows of each outer fold"
            hint = 'take another kind, such as "k-fold", or leave validation.outer out'
            yield Problem("data.split", rule, repr(split.kind), hint)
        elif split.column != outer.column:
            known, asked = (
                f"{one.role} = {one.name!r}" if one else "no column"
                for one in (split.column, outer.column)
            )
            rule = f"must use the column that data.split uses, which has {known}"
            yield Problem(
                OUTER, rule, asked, "otherwise inner and outer splits contradict each other"
            )
        for problem in outer.check(selection.shots):
            yield moved(problem, OUTER)
