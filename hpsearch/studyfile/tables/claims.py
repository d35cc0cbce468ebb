"""The [[claims]] tables of a study file: what it is asked when it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Self

from pydantic import Field

from hpsearch.claims import case_place, check_arguments, find_check
from hpsearch.errors import Problem, StudyFileError
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.tables.base import Facts, Table


class Claim(Table):
    """A claim to check once the study is finished."""

    text: str = Field(min_length=1, description="the claim, in a sentence")
    check: str = Field(description="a check by name, or module:function beside the study file")
    data: str | None = Field(
        default=None,
        description="the data.name that the claim is about: a study of other data does not judge "
        "it; left out: any data",
    )
    given: dict[str, object] = Field(default_factory=dict, description="the check's arguments")

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for key, claim in tables.items():
            try:
                check = find_check(claim.check)
            except (ValueError, StudyFileError) as error:
                yield Problem(f"{key}.check", str(error))
                continue
            try:
                check_arguments(check, claim.check, claim.given)
            except ValueError as error:
                yield Problem(f"{key}.given", str(error))

    def problems_of_arms(self, facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
        if self.check != "better_tuned":
            return
        where = self.given.get("where") or {}
        found: list[Problem] = []
        for side in ("of", "than"):
            values = self.given[side]
            if not isinstance(values, Mapping) or not isinstance(where, Mapping):
                rule = f"{side} and where must be tables"
                found.append(Problem("claims", rule, f"{values!r}"))
                continue
            try:
                case_place({**where, **values}, [arm.values for arm in arms])
            except ValueError as error:
                found.append(Problem("claims", f"{self.text!r}, {side}: {error}"))
        if not found and self.given["of"] == self.given["than"]:
            rule = f"{self.text!r}: of and than must be two cases"
            found.append(Problem("claims", rule, "one"))
        yield from found

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields
