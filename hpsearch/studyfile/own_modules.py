"""The modules that a study file names for its training and its search."""

from __future__ import annotations

from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.space import trainer_names
from hpsearch.trainers import TRAINERS


def own_names(file: StudyFile) -> list[str]:
    """What it names by module: functions, estimators, a sampler, a pruner; installed ones too.

    Checks of claims are no part of it: they are asked of trials that are there, and may change.
    """
    trainers = [str(name) for name in trainer_names(file.space) or ()]
    found = [name for name in trainers if name not in TRAINERS and (":" in name or "." in name)]
    classes = [file.sampler.name]
    if file.pruner is not None:
        wrapped = file.pruner.options.get("wrapped_pruner")
        inner = wrapped.get("name") if isinstance(wrapped, dict) else wrapped
        classes += [file.pruner.name, str(inner or "")]
    return [*found, *(name for name in classes if ":" in name)]


def own_modules(file: StudyFile) -> list[str]:
    """The modules of these names."""
    return [_module(name) for name in own_names(file)]


def _module(name: str) -> str:
    return name.partition(":")[0] if ":" in name else name.rpartition(".")[0]
