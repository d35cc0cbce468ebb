"""The methods of a study as a text: what a paper needs to say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from hpsearch.records.result import Result
from hpsearch.reports.methods.findings import findings
from hpsearch.reports.methods.markup import FORMS, Form, Html, written
from hpsearch.reports.methods.paragraphs import paragraphs
from hpsearch.reports.methods.passage import Cells, Cite, Fact, Part, Passage
from hpsearch.reports.methods.places import Places
from hpsearch.reports.methods.references import Reference, in_order
from hpsearch.reports.methods.tables import tables
from hpsearch.study.recorded import Recorded


@dataclass(frozen=True)
class Methods:
    """The text on a study, with its tables and what it cites.

    Attributes:
        study: the name of the run.
        passages: its paragraphs.
        tables: the result, and what was searched.
    """

    study: str
    passages: tuple[Passage, ...]
    tables: tuple[Cells, ...]

    @classmethod
    def of(cls, run: Recorded, result: Result | None, why: str = "") -> Methods:
        """Of a run.

        Args:
            result: None: the search ended without one.
            why: then the reason.
        """
        places = Places(run.folder, run.file, result, run.protocol)
        passages = (*paragraphs(places), *findings(places, why))
        return cls(run.name, passages, tuple(tables(places)))

    def _parts(self) -> Iterator[Part]:
        for passage in self.passages:
            yield from passage.parts()
        for table in self.tables:
            yield from table.parts()

    def references(self) -> list[Reference]:
        """What it cites, by author and year."""
        return in_order(k for part in self._parts() if isinstance(part, Cite) for k in part.keys)

    def text(self, form: Literal["markdown", "latex", "text"] = "markdown") -> str:
        """All of it; in LaTeX without the entries of what is cited, which are `bibtex`."""
        return self._written(FORMS[form])

    def html(self) -> str:
        """All of it; each number has its place in the records as its title."""
        return self._written(Html())

    def _written(self, form: Form) -> str:
        return written(form, self.passages, self.tables, self.references())

    def bibtex(self) -> str:
        """The entries of what it cites."""
        return "".join(f"{reference.bibtex()}\n" for reference in self.references())

    def facts(self) -> list[Fact]:
        """Its numbers, and texts of records, in turn."""
        return [part for part in self._parts() if isinstance(part, Fact)]

    def sources(self) -> pd.DataFrame:
        """A row for each of its facts, in turn: text, and place in the records."""
        rows = [{"text": fact.text, "place": fact.place} for fact in self.facts()]
        return pd.DataFrame(rows, columns=["text", "place"])

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "study": self.study,
            "markdown": self.text("markdown"),
            "latex": self.text("latex"),
            "text": self.text("text"),
            "bibtex": self.bibtex(),
            "sources": [{"text": fact.text, "place": fact.place} for fact in self.facts()],
        }
