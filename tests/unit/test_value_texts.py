"""Values as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from hpsearch.value_texts import value_text


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (True, "", "true"),
        (False, ".4g", "false"),
        ("True", "", "True"),  # a text of the study file's
        (0.123456, ".4g", "0.1235"),
        (0.123456, "", "0.123456"),
        (3, ".4g", "3"),
        (None, "", "None"),
    ],
)
def test_a_value_is_spelled_as_in_a_study_file(value: Any, form: str, text: str) -> None:
    assert value_text(value, form) == text
