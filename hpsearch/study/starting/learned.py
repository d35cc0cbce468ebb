"""What a run learns from earlier studies: where it is read, and how the run keeps it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder
from hpsearch.samplers.coarse_to_fine.earlier import EarlierStudy
from hpsearch.samplers.history import observe
from hpsearch.study.recorded import Recorded
from hpsearch.study.starting.warm_start import name_in, open_storage, unreadable
from hpsearch.study.storage.refill import refill_optuna
from hpsearch.study.storage.trials import IN_MEMORY
from hpsearch.study.storage.trials import open_storage as open_trials
from hpsearch.study.stored_space import kept_arms
from hpsearch.studyfile.arms import Arm


@dataclass(frozen=True)
class LearnedStudy:
    """One search whose trials were taken.

    Attributes:
        name: the study's, with what tells its searches apart, if it has several.
        trials: what was tried, and how it scored; with the values that were fixed there.
    """

    name: str
    trials: EarlierStudy

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "configurations": [dict(one) for one in self.trials.configurations],
            "scores": list(self.trials.scores),
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> LearnedStudy:
        """The inverse of `as_dict`."""
        trials = EarlierStudy(tuple(stored["configurations"]), tuple(stored["scores"]))
        return cls(stored["name"], trials)


def keep_learned(folder: RunFolder, studies: Sequence[LearnedStudy]) -> None:
    """Write what a run learns from; it goes on and repeats by this."""
    path = folder.files.artifact(Artifact.LEARNED)
    folder.write_sealed(path, {"studies": [study.as_dict() for study in studies]})


def kept_learned(folder: RunFolder) -> list[LearnedStudy] | None:
    """What a run learns from; None where that was not written."""
    said = folder.read_sealed(folder.files.artifact(Artifact.LEARNED), "studies")
    return None if said is None else [LearnedStudy.of(one) for one in said["studies"]]


def carry_learned(recorded: RunFolder, again: RunFolder) -> None:
    """Have a replay learn from the same trials."""
    if (studies := kept_learned(recorded)) is not None:
        keep_learned(again, studies)


def learned_by(folder: RunFolder, arm: Arm) -> list[EarlierStudy]:
    """What an arm's search learns from."""
    return [like(study.trials, arm) for study in kept_learned(folder) or ()]


def like(study: EarlierStudy, arm: Arm) -> EarlierStudy:
    """The trials of a study without those of another trainer or another choice than is fixed in
    an arm. Other fixed numbers are no reason to leave them out."""
    fixed = {k: v for k, v in arm.space.fixed.items() if isinstance(v, str | bool)}
    pairs = [
        (params, score)
        for params, score in zip(study.configurations, study.scores, strict=True)
        if all(params[name] == fixed[name] for name in params.keys() & fixed.keys())
    ]
    return EarlierStudy(tuple(p for p, _ in pairs), tuple(s for _, s in pairs))


def of_run(run: Recorded, names: Mapping[str, str], key: str) -> Iterator[LearnedStudy]:
    """The searches of a run, from its records; without those of outer folds.

    Args:
        names: parameters with other names here.
        key: the table that names it.

    Raises:
        StudyFileError: it has several objectives.
    """
    if len(run.file.goals) > 1:
        raise StudyFileError(
            f"{key}.study must name a study with one objective, {run.study!r} has "
            f"{len(run.file.goals)}"
        )
    for arm in kept_arms(run.folder):
        if arm.fold is not None:
            continue
        storage = open_trials(IN_MEMORY)
        refill_optuna(storage, run.study, run.folder, arm, run.file.directions)
        study = optuna.load_study(study_name=run.study, storage=storage)
        trials = (r for r in run.folder.read_all("trial") if arm.holds(r.number))
        records = {arm.local(r.number): r for r in trials}
        seen = [o for o in observe(study.get_trials(deepcopy=False), study.direction) if o.usable]
        configurations = tuple(
            _renamed({**_plain(records[o.number].params), **o.params}, names) for o in seen
        )
        taken = EarlierStudy(configurations, tuple(o.score for o in seen))
        name = f"{run.study}/{run.number}"
        yield LearnedStudy(f"{name} ({arm.name})" if arm.name else name, taken)


def of_storage(
    address: str, study: str | None, names: Mapping[str, str], folder: Path, key: str
) -> LearnedStudy:
    """The trials of a study in an Optuna storage.

    Args:
        folder: of the study file.
        names, key: as for `of_run`.

    Raises:
        StudyFileError: there is no such study or storage, or it has several objectives.
        StorageError: the storage can't be read.
    """
    import sqlalchemy

    storage, address = open_storage(address, folder, key)
    try:
        name = name_in(storage, study, key)
        old = optuna.load_study(study_name=name, storage=storage)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of lists among old choices
            trials = EarlierStudy.of(old)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise unreadable(address, error, key) from error
    except ValueError as error:
        raise StudyFileError(f"{key}.study: {error}") from error
    configurations = tuple(_renamed(_plain(p), names) for p in trials.configurations)
    return LearnedStudy(name, EarlierStudy(configurations, trials.scores))


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Those values that can be stored, and be choices or numbers of a range."""
    plain = bool | int | float | str | None
    return {name: value for name, value in params.items() if isinstance(value, plain)}


def _renamed(params: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in params.items()}
