"""How numbers and times read."""

from __future__ import annotations

import pytest

from hpsearch.pages import wording
from hpsearch.records.estimate import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "0.0000"), (0.95604, "0.9560"), (-1.5, "-1.5000"), (2.5e-7, "2.5e-07"),
     (123456789.0, "1.23e+08")],
)  # fmt: skip
def test_a_score_has_four_digits(value: float | None, text: str) -> None:
    assert wording.score(value) == text


def test_only_what_is_random_has_an_interval() -> None:
    assert wording.interval(Estimate(0.5, 0.4, 0.6, [0.45, 0.55])) == "0.4000 … 0.6000"
    assert wording.interval(Estimate(0.5, None, None, [0.5])) == ""
    assert wording.interval(Estimate(0.5, 0.5, 0.5, [0.5, 0.5])) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (59.0, "less than a minute left"), (61.0, "about 1 min left"),
     (3600.0, "about 60 min left"), (2 * 3600.0, "about 2 h left"),
     (72 * 3600.0, "about 3 days left")],
)  # fmt: skip
def test_the_time_left_is_coarse(seconds: float | None, text: str) -> None:
    assert wording.time_left(seconds) == text
