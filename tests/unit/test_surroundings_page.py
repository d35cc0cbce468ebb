"""The page of surroundings names tests that are there."""

from __future__ import annotations

import re

from tests.harness.study_files import REPOSITORY


def test_every_test_that_the_page_names_is_there() -> None:
    page = (REPOSITORY / "docs/dev/surroundings.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    texts = [path.read_text() for path in (REPOSITORY / "tests").rglob("test_*.py")]
    there = {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.M)}
    assert len(named) > 25
    assert named - there == set()
