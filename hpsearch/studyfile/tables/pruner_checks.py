"""What is wrong with the [pruner] table of a study file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hpsearch.samplers.pruners import make_pruner, pruner_class
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.study_file import StudyFile


def pruner_mistakes(file: StudyFile) -> Iterator[Mistake]:
    """What is wrong with [pruner]."""
    if file.pruner is None:
        return
    if len(file.goals) > 1:
        rule = f"must be left out with {len(file.goals)} objectives: Optuna's pruners know one"
        yield Mistake("pruner", rule)
    rungs = file.pruner.rungs
    if any(later <= earlier for earlier, later in pairwise(rungs)):
        yield Mistake("pruner.rungs", f"must rise, got {rungs}")
    if rungs[-1] >= file.n_epochs:
        yield Mistake(
            "pruner.rungs",
            f"must be below the {file.n_epochs} epochs of the last stage, got {rungs[-1]}",
        )
    try:
        pruner_class(file.pruner.name)
    except ValueError as error:
        yield Mistake("pruner.name", str(error))
        return
    try:
        make_pruner(file.pruner.name, file.pruner.options, rungs=rungs, n_epochs=file.n_epochs)
    except ValueError as error:
        yield Mistake("pruner.options", str(error))
