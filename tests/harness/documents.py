"""The blocks of code in README, CONTRIBUTING and docs/."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
FENCED = re.compile(r"^ *```(?P<kind>\w+)[^\n]*\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code of a document."""

    place: str
    kind: str
    text: str


def blocks() -> list[Block]:
    """All of them, in order."""
    found = []
    documents = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")]
    for path in [*documents, *sorted((REPOSITORY / "docs").rglob("*.md"))]:
        text = path.read_text()
        for match in FENCED.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            place = f"{path.relative_to(REPOSITORY)}:{line}"
            found.append(Block(place, match["kind"], textwrap.dedent(match["text"])))
    return found
