"""The records of a run, asked for values by their places.

A place is a file below the run's folder and a JSON pointer in it (RFC 6901). `*` in the file
stands for all records of a kind; what was made of several values follows in brackets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hpsearch.records.layout import KINDS, Artifact, Kind
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.methods.passage import Fact, Part
from hpsearch.study.stored_space import sees_all_rows
from hpsearch.studyfile.study_file import StudyFile

DIGITS = ".6g"  # of a number with a fraction: as many as draws are rounded to
DRAWN = ".4g"  # of a drawn value in a sentence; the records have all its digits
SCORE = ".4f"  # as the console shows scores
UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}
LEAST = 2  # of a unit that a time is told in
FILES: Mapping[Kind, str] = {
    kind: f"{'trials' if kind == 'trial' else kind}/*/record.json" for kind in KINDS
}
# What was made of several values, as it stands behind a place.
HOW_MANY, EACH, NAME = " (how many)", " (each)", " (a name)"

Key = str | int


@dataclass(frozen=True)
class Branch:
    """A value of a JSON file, with its place.

    Attributes:
        content: it, or the table or list that it is.
        place: the file, "#" and the pointer.
    """

    content: Any
    place: str

    def at(self, *key: Key) -> Branch:
        """What is below it."""
        content, place = self.content, self.place
        for name in key:
            content = content[name]
            place += "/" + str(name).replace("~", "~0").replace("/", "~1")
        return Branch(content, place)

    def fact(self, *key: Key, form: str = DIGITS) -> Fact:
        """A value below it."""
        found = self.at(*key)
        return Fact(_text(found.content, form), found.place)

    def how_many(self, *key: Key) -> Fact:
        """How many entries a list or table below it has."""
        found = self.at(*key)
        return Fact(str(len(found.content)), found.place + HOW_MANY)

    def name(self, name: str, *key: Key) -> Fact:
        """A name that a table below it has."""
        return Fact(name, self.at(*key).place + NAME)


@dataclass(frozen=True)
class Places:
    """A run whose search is over.

    Attributes:
        folder: its records.
        study: the study file as it was understood.
        found: its result; None: it ended without one.
        protocol: of confirmation and test, as of a Run.
    """

    folder: RunFolder
    study: StudyFile
    found: Result | None
    protocol: int

    @property
    def result(self) -> Result:
        """The result of a run that has one."""
        assert self.found is not None
        return self.found

    @cached_property
    def file(self) -> Branch:
        """The study file."""
        return Branch(self.study.model_dump(mode="json"), "study.json#/file")

    @cached_property
    def in_result(self) -> Branch:
        """The result."""
        return Branch(self.result.as_dict(), f"artifacts/{Artifact.RESULT}#/result")

    def artifact(self, which: Artifact) -> Branch:
        """A JSON file among the artifacts; None is the content of one that was not written."""
        path = self.folder.files.artifact(which)
        return Branch(self.folder.read_json(path), f"artifacts/{which}#")

    @cached_property
    def records(self) -> Mapping[Kind, Sequence[TrialRecord]]:
        """Those of the study's own searches, by kind."""
        own = sees_all_rows(self.folder)
        return {
            kind: [record for record in records if own(record.number)]
            for kind, records in self._everything.items()
        }

    @cached_property
    def _everything(self) -> Mapping[Kind, Sequence[TrialRecord]]:
        """All records, those of the searches of outer folds too."""
        return {kind: list(self.folder.read_all(kind)) for kind in FILES}

    def record(self, record: TrialRecord) -> Branch:
        """One of the records."""
        files = self.folder.files
        path = files.record(record.kind, record.number, record.seed_number).json
        return Branch(record.content(), f"{path.relative_to(files.path)}#")

    def n_records(self, kind: Kind) -> Fact:
        """How many records of a kind there are, those of outer folds among them."""
        return Fact(str(len(self._everything[kind])), FILES[kind] + HOW_MANY)

    def n_ended(self, kind: Kind, outcome: Outcome) -> Fact:
        """How many records of a kind ended so."""
        number = sum(record.outcome is outcome for record in self.records[kind])
        return Fact(str(number), f"{FILES[kind]}#/outcome (how many are {outcome})")

    def each(self, kind: Kind, *key: Key, part: int = 0) -> list[Fact]:
        """The different texts at a place of all records of a kind, in their order.

        Args:
            part: of a text with semicolons between its parts, from 1; 0: all of it.
        """
        found: dict[str, Fact] = {}
        for record in self.records[kind]:
            for value in _all(record.content(), key):
                text = value.split("; ")[part - 1] if part else value
                place = _pointer(kind, key) + EACH
                found.setdefault(text, Fact(text, place))
        return list(found.values())

    def time(self, kind: Kind, *key: Key) -> tuple[Part, ...]:
        """The sum over all records of a kind of a number of seconds, in a unit that suits it."""
        seconds = sum(_follow(record.content(), key) for record in self._everything[kind])
        unit = max(
            (u for u in UNITS if seconds >= LEAST * UNITS[u]),
            key=UNITS.__getitem__,
            default="seconds",
        )
        place = _pointer(kind, key) + f" (sum, in {unit})"
        return Fact(f"{seconds / UNITS[unit]:.3g}", place), f" {unit}"


def _follow(tree: Any, key: Sequence[Key]) -> Any:
    for name in key:
        tree = tree[name]
    return tree


def _all(tree: Any, key: Sequence[Key]) -> list[Any]:
    """The values at a place, none where it is missing; "*" stands for all entries of a list."""
    found = [tree]
    for name in key:
        if name == "*":
            found = [entry for one in found for entry in one]
        else:
            found = [one[name] for one in found if not isinstance(one, Mapping) or name in one]
    return found


def _text(value: Any, form: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, form)
    if isinstance(value, list):
        return ", ".join(_text(one, form) for one in value)
    return str(value)


def _pointer(kind: Kind, key: Sequence[Key]) -> str:
    """Of a value of all records of a kind."""
    return "/".join([f"{FILES[kind]}#", *map(str, key)])
