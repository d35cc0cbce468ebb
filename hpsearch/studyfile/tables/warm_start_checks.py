"""What is wrong with the [warm_start] table of a study file."""

from __future__ import annotations

from collections.abc import Iterator

from hpsearch.addresses import has_password
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.study_file import StudyFile


def warm_start_mistakes(file: StudyFile) -> Iterator[Mistake]:
    """What can be said without looking at the old study."""
    said = file.warm_start
    if said is None:
        return
    if has_password(said.storage):
        yield Mistake(
            "warm_start.storage",
            "must hold no password, which would be kept with the study's records: put the address "
            "into an environment variable NAME and write env:NAME",
        )
    if file.sampler.name in ("grid", "listed"):
        yield Mistake(
            "warm_start", f"must be left out where sampler.name = {file.sampler.name!r} says all"
        )
    room = file.stages[0].trials - len(file.enqueue)
    if said.top > room:
        yield Mistake(
            "warm_start.top",
            f"must be at most the {room} trials of the first stage that [[enqueue]] leaves, "
            f"got {said.top}",
        )
