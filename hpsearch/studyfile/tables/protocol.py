"""The papers' protocol: what it fixes, and what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hpsearch.execution.population import Exam
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.study_file import StudyFile


def exam_of(file: StudyFile) -> Exam:
    """What the trials of a study are scored on."""
    return "validation" if file.protocol == "honest" else "both"


# What the tables of papers 000 and 001 were measured with, by table of the study file and key.
PAPER: dict[str, dict[str, Any]] = {
    "data": {"draw": "first"},
    "objective": {"best_epoch": True},
    "space": {"random_streams": "legacy", "dtype": "float64"},
}


def follow_protocol(said: dict[str, Any]) -> list[Mistake]:
    """Fill in what the protocol of a study file fixes; what contradicts it is a mistake.

    Under "paper" the first images of each class in file order are trained on, in float64, with the
    random streams of textbook scripts, and the test set is scored after every epoch. Trials are
    still ranked by validation images: their best test scores are the papers' figures, those of the
    winners' refits the honest ones.
    """
    if said.get("protocol") != "paper":
        return []
    mistakes = []
    for table, keys in PAPER.items():
        place = said.setdefault(table, {})
        if not isinstance(place, dict):
            continue  # the schema says what is wrong with it
        for key, value in keys.items():
            if place.setdefault(key, value) != value:
                rule = f'must be {_toml(value)} under protocol = "paper", got {_toml(place[key])}'
                mistakes.append(Mistake(f"{table}.{key}", rule))
    return [*mistakes, *_split_mistakes(said)]


def _split_mistakes(said: dict[str, Any]) -> Iterator[Mistake]:
    data = said["data"] if isinstance(said["data"], dict) else {}
    split = data.get("split")
    if isinstance(split, dict) and split.get("kind") == "fixed":
        return
    yield Mistake(
        "data.split",
        'must be of kind "fixed" under protocol = "paper", which learns from all shots: name a '
        "range of images behind them for validation, e.g. "
        '{ kind = "fixed", validation = [59000, 60000] }',
    )


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
