"""The base of all tables of study and batch files.

A table is a pydantic model: its keys with their defaults and descriptions. The same class has its
checks (`own_problems`, `problems`, `problems_of_arms`) and its rules for a study that continues
(`may_change`, `resume_problems`), if any. A new table is a file and one line in study_file.py; a
new key is one line in its table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from hpsearch.errors import Problem
from hpsearch.study_names import LENGTH, RULE, as_written, is_name
from hpsearch.studyfile.arms import Arm

LARGEST = 1_000_000  # trials or epochs; a larger number is a typing mistake

Plain = bool | int | float | str


def _checked_name(text: str) -> str:
    name = as_written(text)
    if not is_name(name):
        raise PydanticCustomError(NAME_RULE, "{rule}", {"rule": RULE})
    return name


NAME_RULE = "study_name"  # the kind of pydantic's error
Name = Annotated[
    str,
    AfterValidator(_checked_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LENGTH}),
]


@dataclass(frozen=True)
class Facts:
    """The facts about the rest of a well-formed study file that a table may use.

    Attributes:
        seed, protocol, compare, enqueue: as in the file.
        names: the keys of [space] and [network].
        directions: the directions of all objectives.
        trials, epochs, promoted: the numbers of each stage.
        n_members: the number of members of one trial.
        sampler: its name.
        learns: whether it learns from earlier studies.
        batch: the number of trials drawn together.
        nested: whether the search runs on outer folds, too.
        rows: the training rows of each stage; None: all.
        pruned: whether a pruner ends trials inside stages.
        constrained: whether there are constraints.
        folder: the folder to which paths are relative.
    """

    seed: int
    protocol: str
    compare: Sequence[str]
    enqueue: Sequence[Mapping[str, Plain]]
    names: Sequence[str]
    directions: Sequence[str]
    trials: Sequence[int]
    epochs: Sequence[int]
    promoted: Sequence[int]
    n_members: int
    sampler: str
    learns: bool
    batch: int
    nested: bool
    rows: Sequence[int | None]
    pruned: bool
    constrained: bool
    folder: Path

    @property
    def n_objectives(self) -> int:
        """One, or several."""
        return len(self.directions)


class Table(BaseModel):
    """A table of a file: no unknown keys, no silent conversions."""

    # Built when first used, as part of the study file: alone they would be built a second time.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    # How a new study file shows it: "" as a table whose keys stand in comments; a text: the table
    # is a comment, too, with this note; None: not at all.
    note_in_template: ClassVar[str | None] = ""

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        """Problems that don't depend on the other tables, which may be malformed.

        Args:
            tables: the tables by key path: one, or all of a list, e.g. "stages.0", "stages.1".
        """
        return iter(())

    def problems(self, facts: Facts) -> Iterator[Problem]:
        """Problems that depend on the other tables, all of which are well-formed."""
        return iter(())

    def problems_of_arms(self, facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
        """Problems in the arms of the study; called if there are no other problems."""
        return iter(())

    @classmethod
    def may_change(cls) -> Collection[str]:
        """The keys that may differ from those of the start when a study continues."""
        return ()

    @classmethod
    def resume_problems(
        cls,
        before: Mapping[str, Self],
        now: Mapping[str, Self],
        facts: Facts,
        closed: Sequence[int],
    ) -> Iterator[Problem]:
        """Problems with the new values of keys that may change.

        Args:
            before, now: the tables by key path, at the start before and at this one.
            facts: the facts of the file now.
            closed: the finished stages except the last one: later stages build on them.
        """
        return iter(())
