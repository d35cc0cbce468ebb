"""What is wrong with the [budget] table of a study file."""

from __future__ import annotations

from collections.abc import Iterator

from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.study_file import StudyFile


def budget_mistakes(file: StudyFile) -> Iterator[Mistake]:
    """Limits that nothing can come of."""
    budget, first = file.budget, file.stages[0]
    trials = min(file.sampler.batch, first.trials)
    least = trials * first.epochs * file.n_members
    if budget.epochs is not None and budget.epochs < least:
        yield Mistake(
            "budget.epochs",
            f"must be at least {least}, the first batch's {trials} trials x {first.epochs} epochs "
            f"x {file.n_members} members, got {budget.epochs}",
        )
    if budget.plateau is None and budget.plateau_improvement:
        yield Mistake(
            "budget.plateau_improvement",
            "must go with budget.plateau, the number of trials that are to bring it",
        )
