"""How many folds a program has, as far as its options tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hpsearch.studyfile.scripts.names import N_FOLDS
from hpsearch.studyfile.scripts.option import Option
from hpsearch.studyfile.tables.program import MOST_FOLDS

PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}  # "which fifth validates"
FIRST_TO_LAST = re.compile(r"(?<![\d.])0\s*(?:\.{2,3}|…|-|–|to|through|up to)\s*(\d+)")
BELOW = re.compile(r"<\s*(\d+)")
OF = re.compile(r"(\d+)[- ]folds?\b|\bof (\d+)\b")


def n_folds(options: Sequence[Option], fold: Option) -> tuple[int, str]:
    """The number of folds, and where it was found; 0 and "" where nothing tells.

    Args:
        options: all of the program's.
        fold: the one that takes the number of a fold.
    """
    for n, why in _found(options, fold):
        if 1 < n <= MOST_FOLDS:
            return n, why
    return 0, ""


def _found(options: Sequence[Option], fold: Option) -> Iterator[tuple[int, str]]:
    if fold.choices:
        yield len(fold.choices), f"the choices of {fold.shown}"
    if fold.high is not None and fold.low == 0:
        yield int(fold.high) + 1, f"the bounds of {fold.shown}"
    for option in options:
        if option.name.replace("-", "_").lower() in N_FOLDS and isinstance(option.default, int):
            yield option.default, f"the default of {option.shown}"
    help_text, why = fold.help.lower(), f"the help of {fold.shown}"
    if match := FIRST_TO_LAST.search(help_text):
        yield int(match[1]) + 1, why
    if match := BELOW.search(help_text):
        yield int(match[1]), why
    if match := OF.search(help_text):
        yield int(match[1] or match[2]), why
    for word, n in PARTS.items():
        if re.search(rf"\b{word}\b", help_text):
            yield n, why
