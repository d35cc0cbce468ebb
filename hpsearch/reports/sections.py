"""What a report says beside its figures: tables and texts, under the question that they answer."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from hpsearch.reports.charts import Chart

Content = pd.DataFrame | str | Chart  # a table, HTML, a figure


@dataclass(frozen=True)
class Section:
    """One thing that is shown.

    Attributes:
        what: a sentence on how to read it.
        folded: its heading alone is seen until it is opened.
    """

    heading: str
    what: str
    content: Content
    folded: bool = False


@dataclass(frozen=True)
class Chapter:
    """The sections that answer one question."""

    question: str
    sections: Sequence[Section]


def claims_html(claims: Sequence[Mapping[str, str]], artifacts: Path) -> str:
    """Each claim with its verdict, what it rests on, and its figure among the artifacts."""
    parts = []
    for claim in claims:
        parts.append(
            f'<p class="verdict"><b>{escape(claim["text"])}: {escape(claim["verdict"])}.</b></p>'
            f"<p>{escape(claim['detail'])}</p>"
        )
        if claim.get("figure"):
            parts.append(image_html(artifacts / claim["figure"], claim["text"]))
    return "\n".join(parts)


def image_html(path: Path, what: str) -> str:
    """A PNG file as part of the page."""
    drawn = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(what)}" src="data:image/png;base64,{drawn}">'


def lines_html(lines: Sequence[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{escape(line)}.</li>' for line in lines)}</ul>"
