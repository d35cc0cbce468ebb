"""The papers' protocol: what it fixes, and what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from hpsearch.datasets.split_kinds import Fixed
from hpsearch.errors import Problem
from hpsearch.execution.slices import Exam
from hpsearch.studyfile.toml import toml_value

Protocol = Literal["honest", "paper", "test-every-epoch"]


def exam_of(protocol: Protocol) -> Exam:
    """What the trials of a study are scored on."""
    return "validation" if protocol == "honest" else "both"


# What the tables of papers 000 and 001 were measured with, by table of the study file and key.
PAPER: dict[str, dict[str, Any]] = {
    "data": {"draw": "first"},
    "objective": {"best_epoch": True},
    "space": {"random_streams": "legacy", "dtype": "float64"},
}


def follow_protocol(said: dict[str, Any]) -> list[Problem]:
    """Fill in what the protocol of a study file fixes; what contradicts it is a problem.

    Under "paper" the first images of each class in file order are trained on, in float64, with the
    random streams of textbook scripts, and the test set is scored after every epoch. Trials are
    still ranked by validation images: their best test scores are the papers' figures, those of the
    winners' refits the honest ones.
    """
    if said.get("protocol") != "paper":
        return []
    problems = []
    for table, keys in PAPER.items():
        place = said.setdefault(table, {})
        if not isinstance(place, dict):
            continue  # the schema says what is wrong with it
        for key, value in keys.items():
            if place.setdefault(key, value) != value:
                rule = f'must be {toml_value(value)} under protocol = "paper"'
                got = toml_value(place[key])
                problems.append(Problem(f"{table}.{key}", rule, got))
    return [*problems, *_split_problems(said)]


def _split_problems(said: dict[str, Any]) -> Iterator[Problem]:
    data = said["data"] if isinstance(said["data"], dict) else {}
    split = data.get("split")
    if isinstance(split, dict) and split.get("kind") == Fixed.kind:
        return
    yield Problem(
        "data.split",
        f'must be of kind "{Fixed.kind}" under protocol = "paper", which learns from all shots',
        hint="name a range of images behind them for validation, e.g. "
        f'{{ kind = "{Fixed.kind}", validation = [59000, 60000] }}',
    )
