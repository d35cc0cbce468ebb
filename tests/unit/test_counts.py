"""One rule for numbers and their nouns, and no text that goes without it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hpsearch
from hpsearch.counts import all_tried, count_of, noun_of

# A number of an f-string or a template, then a plural that a single one would not have.
PLURAL = re.compile(
    r"(?<!\{)\}\}? (random |fresh |test |old )?"
    r"(epochs|trials|refits|folds|seeds|splits|configurations|trainings|stages|records)\b"
)
# What is several, or no number.
SEVERAL = (
    "{folds} folds",  # of a split: at least 2
    "{trials} trials; --fresh",  # of all stages: "64 and 16"
    "{rungs} epochs",
    '"{n} trials were drawn"',
    "(one trial was run twice)",
)


@pytest.mark.parametrize(("n", "text"), [(0, "0 trials"), (1, "1 trial"), (64, "64 trials")])
def test_a_number_has_its_noun(n: int, text: str) -> None:
    assert count_of(n, "trial") == text


def test_a_noun_may_have_a_plural_of_its_own_and_a_number_a_form() -> None:
    assert count_of(2, "study", "studies") == "2 studies"
    assert count_of(1, "study", "studies") == "1 study"
    assert count_of(12_000, "epoch", form=",") == "12,000 epochs"
    assert count_of(1.0, "minute", form="g") == "1 minute"
    assert noun_of(1, "failure") == "failure"


def test_a_single_configuration_is_the_only_one() -> None:
    assert all_tried(1) == "the only configuration was tried"
    assert all_tried(6) == "all 6 configurations were tried"


def test_no_text_writes_a_plural_after_whatever_number() -> None:
    folder = Path(hpsearch.__file__).parent
    found = [
        f"{path.relative_to(folder)}: {line.strip()}"
        for path in (*folder.rglob("*.py"), *folder.rglob("*.html"))
        if "shipped" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if PLURAL.search(line) and not any(text in line for text in SEVERAL)
    ]
    assert found == []
