"""How many folds a program has."""

from __future__ import annotations

from typing import Any

import pytest

from hpsearch.studyfile.scripts.folds import n_folds
from hpsearch.studyfile.scripts.option import Option


def fold(**more: Any) -> Option:
    return Option("--fold", "fold", "int", 0, **more)


@pytest.mark.parametrize(
    ("help_text", "expected"),
    [
        ("0..4, which fifth validates", 5),
        ("fold to hold out (0-9)", 10),
        ("0 to 2", 3),
        ("0 <= fold < 4", 4),
        ("which one of 5 folds", 5),
        ("the fold, of 8", 8),
        ("which third is validation data", 3),
        ("the validation fold", 0),
        ("validates on 10-20 % of the rows", 0),
        ("fold of 1", 0),
        ("0..4000", 0),
    ],
)
def test_the_help_tells(help_text: str, expected: int) -> None:
    option = fold(help=help_text)
    n, why = n_folds([option], option)
    assert (n, why) == (expected, "the help of --fold" if expected else "")


def test_choices_bounds_and_another_option_tell() -> None:
    option = fold(choices=(0, 1, 2), help="0..4")
    assert n_folds([option], option) == (3, "the choices of --fold")
    option = fold(low=0, high=4)
    assert n_folds([option], option) == (5, "the bounds of --fold")
    option, several = fold(), Option("--n-folds", "n_folds", "int", 7)
    assert n_folds([option, several], option) == (7, "the default of --n-folds")
