"""Names of axes in lines."""

from __future__ import annotations

import pytest

from hpsearch.reports.marks import lines_of


@pytest.mark.parametrize(
    ("name", "beside", "lines"),
    [
        ("validation_accuracy", True, ["validation_accuracy"]),
        ("seconds since the first slice", False, ["seconds since the first slice"]),
        ("seconds since the first slice", True, ["seconds since the first", "slice"]),
        (
            "passes/images to validation_accuracy 0.95",
            True,
            ["passes/images to", "validation_accuracy 0.95"],
        ),
        ("a_name_of_more_letters_than_fit", True, ["a_name_of_more_letters_than_fit"]),
        ("", True, [""]),
    ],
)
def test_the_name_of_an_axis_is_broken_between_words(
    name: str, beside: bool, lines: list[str]
) -> None:
    assert lines_of(name, beside=beside) == lines
