"""The sampler that a study file asks for, and what is wrong with what it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import optuna

from hpsearch import samplers  # each one's module is loaded when it is made
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.objectives import Direction


def make_sampler(file: StudyFile, space: Space) -> samplers.StudySampler:
    """The sampler of a study.

    Raises:
        ValueError: there is none of this name, or it refuses the options.
    """
    said, options = file.sampler, dict[str, Any](file.sampler.options)
    for reserved in {"seed", "proposal", "batch"} & options.keys():
        raise ValueError(f"must leave out {reserved}, which the study file says elsewhere")
    if said.name == "grid":
        if options:
            raise ValueError(f"must be left out where the sampler is a grid, got {options}")
        return samplers.GridSampler(space.cells())
    if said.name == "listed":
        if options:
            raise ValueError(f"must be left out where the sampler is a list, got {options}")
        return samplers.GridSampler(file.enqueue)
    if said.name == "qmc":
        from hpsearch.samplers.sobol import SobolSampler  # loads scipy.stats

        names = [parameter.name for parameter in space.parameters]
        return SobolSampler(names, seed=file.seed, **options)
    if said.name != "coarse-to-fine":
        return samplers.NamedSampler(said.name, options)
    if said.proposal == "random":  # the literal rule: one stage's worth, then the first box
        options.setdefault("n_startup", file.stages[0].trials)
    return samplers.CoarseToFineSampler(
        seed=file.seed, proposal=said.proposal, batch=said.batch, **options
    )


def sampler_mistakes(file: StudyFile, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """What [sampler] asks for that can't be had; the first arm that can't have it."""
    for arm in arms:
        found = [*_arm_mistakes(file, arm)]
        yield from found
        if found:
            return


def _arm_mistakes(file: StudyFile, arm: Arm) -> Iterator[Mistake]:
    name, space = file.sampler.name, arm.space
    if "proposal" in file.sampler.model_fields_set and name != "coarse-to-fine":
        yield Mistake(
            "sampler.proposal", f"must be left out: it belongs to coarse-to-fine, not to {name!r}"
        )
    if name in ("grid", "brute-force"):
        try:
            n_cells = len(space.cells())
        except ValueError as error:
            parameter, _, rule = str(error).partition(" ")
            yield Mistake(f"space.{parameter}", f"{rule} in a {_noun(name)}")
            return
        yield from _count_mistakes(file, n_cells, arm.name)
    if name == "listed":
        yield from _count_mistakes(file, len(file.enqueue), arm.name)
    try:
        sampler = make_sampler(file, space)
    except (TypeError, ValueError) as error:
        known = name in ("coarse-to-fine", "grid", "listed", "qmc") or file.sampler.options
        yield Mistake(f"sampler.{'options' if known else 'name'}", str(error))
        return
    if len(file.goals) > 1 and not _takes_several(sampler, space):
        yield Mistake(
            "sampler.name",
            f"must be able to do {len(file.goals)} objectives, as tpe, nsga2, gp, random, qmc, "
            f"grid, listed and brute-force are, got {name!r}; or write one objective, and the "
            "others as [[constraints]]",
        )


def _takes_several(sampler: samplers.StudySampler, space: Space) -> bool:
    """Whether a sampler draws a first trial of two objectives."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directions: list[Direction] = ["maximize", "minimize"]
    try:
        study = optuna.create_study(directions=directions, sampler=sampler)
        if not sampler.draw_ahead(study, [0], space.suggest, (0,)):
            space.suggest(study.ask())
    except ValueError as error:
        return "multi-objective" not in str(error)
    return True


def _noun(name: str) -> str:
    return "grid" if name == "grid" else "brute-force search"


def _count_mistakes(file: StudyFile, n_cells: int, arm: str) -> Iterator[Mistake]:
    """Of trials that are more, or in a grid fewer, than there are combinations."""
    stages, last = file.stages, len(file.stages) - 1
    if file.sampler.name == "brute-force":
        drawn = stages[0].trials
        drawn += sum(stage.trials - round(stage.trials * stage.promote) for stage in stages[1:])
        if drawn > n_cells:
            yield Mistake(
                f"stages.{last}.trials",
                f"must leave at most {n_cells} new trials in all, one a combination, got {drawn}",
            )
        return
    listed = file.sampler.name == "listed"
    if last:
        sampler = "a list" if listed else "a grid"
        yield Mistake("stages", f"must be one where the sampler is {sampler}, got {len(stages)}")
    elif stages[0].trials != n_cells:
        noun = "those listed" if listed else "the cells of the grid"
        where = f" of {arm}" if arm else ""
        yield Mistake(
            "stages.0.trials", f"must be {n_cells}, {noun}{where}, got {stages[0].trials}"
        )
