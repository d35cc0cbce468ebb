"""The modules that a study file names for its training and its search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpsearch.own_code import module_of
from hpsearch.studyfile.entries import trainer_names
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.trainers import TRAINERS, is_program


def own_names(file: StudyFile) -> list[str]:
    """What it names of code: programs, functions, estimators, scores, a sampler, a pruner;
    installed ones too.

    Checks of claims are no part of it: they are asked of trials that are there, and may change.
    """
    trainers = [str(name) for name in trainer_names(file.space) or ()]
    found = [name for name in trainers if name not in TRAINERS]
    classes = [file.sampler.name]
    if file.pruner is not None:
        classes += _pruners({"name": file.pruner.name, "options": file.pruner.options})
    return [*found, *file.scoring.own, *(name for name in classes if ":" in name)]


def own_modules(file: StudyFile) -> list[str]:
    """The modules of these names; programs have none."""
    names = (name for name in own_names(file) if not is_program(name))
    return [module_of(name) for name in names if ":" in name or "." in name]


def _pruners(said: object) -> Iterator[str]:
    """The names of a pruner and of those that it wraps."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, Mapping):
        yield str(said.get("name", ""))
        options = said.get("options")
        if isinstance(options, Mapping):
            yield from _pruners(options.get("wrapped_pruner"))
