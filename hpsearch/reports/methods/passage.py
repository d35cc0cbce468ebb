"""A text about a study, before it is written in any form: every number in it has its place.

A sentence is made of words, which hold no digit, and of facts, names and citations. So no number
gets into a text without the place in the records that it was read from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

# The place of what no record says, such as the level of an interval.
BY_DEFINITION = "by definition"


@dataclass(frozen=True)
class Fact:
    """A number or a text of a record.

    Attributes:
        text: as it is written.
        place: where it is from: a file below the run's folder, "#", and the JSON pointer in it,
            e.g. "study.json#/file/seed"; behind it in brackets what was made of the values there.
    """

    text: str
    place: str


@dataclass(frozen=True)
class Name:
    """A name of a study file or of a record, e.g. learning_rate, which is shown as code."""

    text: str


@dataclass(frozen=True)
class Cite:
    """What is cited at this point, by keys of references.REFERENCES."""

    keys: tuple[str, ...]


Part = str | Fact | Name | Cite
Parts = tuple[Part, ...]
Value = Part | Sequence[Part]


@dataclass(frozen=True)
class Passage:
    """A paragraph.

    Attributes:
        title: e.g. "Data".
        sentences: each without its full stop.
    """

    title: str
    sentences: tuple[Parts, ...]

    def parts(self) -> Iterator[Part]:
        """All of them, in turn."""
        for sentence in self.sentences:
            yield from sentence


@dataclass(frozen=True)
class Cells:
    """A table.

    Attributes:
        name: a word, by which texts refer to it.
        caption: a sentence.
        head: of the columns.
        rows: a cell a column.
    """

    name: str
    caption: Parts
    head: tuple[Parts, ...]
    rows: tuple[tuple[Parts, ...], ...]

    def parts(self) -> Iterator[Part]:
        """All of them, row by row."""
        for cell in (self.caption, *self.head, *(cell for row in self.rows for cell in row)):
            yield from cell


def say(template: str, **values: Value) -> Parts:
    """A sentence from its words, with values at the fields: "{n} trials were drawn".

    Raises:
        ValueError: a digit in the words, which no place is known of.
    """
    found: list[Part] = []
    for words, field, _, _ in Formatter().parse(template):
        found.append(_checked(words))
        if field is not None:
            found += map(_checked, _parts_of(values[field]))
    return tuple(part for part in found if part != "")


def listed(items: Sequence[Value], last: str = "and") -> Parts:
    """ "a, b and c"."""
    found: list[Part] = []
    for place, item in enumerate(items):
        if place:
            found.append(f" {last} " if place == len(items) - 1 else ", ")
        found += _parts_of(item)
    return tuple(map(_checked, found))


def _parts_of(value: Value) -> Sequence[Part]:
    return (value,) if isinstance(value, str | Fact | Name | Cite) else value


def _checked(part: Part) -> Part:
    if isinstance(part, str) and any(character.isdigit() for character in part):
        raise ValueError(f"a number must have its place in the records, got {part!r}")
    return part
