"""Taking the best configurations of an existing Optuna study for a study's first trials."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.storages import BaseStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpsearch.addresses import check_port, first_line, without_password
from hpsearch.counts import count_of
from hpsearch.errors import StorageError, StudyFileError, unknown
from hpsearch.records.layout import Home, StudyFiles
from hpsearch.records.study_json import read_study_json
from hpsearch.samplers.unit import round_float
from hpsearch.study.opening import run_name
from hpsearch.study.storage.trials import literal
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.stored import stored_file
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.base import Plain
from hpsearch.studyfile.tables.space import NAMED_HINT
from hpsearch.studyfile.tables.start.enqueue import (
    active_in,
    broken_beside,
    contains,
    range_text,
    searched_here,
)

ENVIRONMENT = "env:"
SQLITE_MAGIC = b"SQLite format 3\0"
OF_LIST = r"(.+)\[\d+\]"  # what a range of a list is called in Optuna (space.entry_name)
OWN_NAME = r" (?:\[.*\] )?\([0-9a-f]{12}\)"  # what follows our studies' names (run.storage_name)

Configuration = dict[str, Plain]


@dataclass(frozen=True)
class WarmStarted:
    """A study with the configurations that it starts with.

    Attributes:
        read: with them behind those of its own [[enqueue]].
        source: where they are from, for the run's artifacts; None: they were there already.
    """

    read: ReadStudy
    source: dict[str, Any] | None


def warm_started(
    read: ReadStudy, home: Home, *, fresh: bool, warn: Callable[[str], None]
) -> WarmStarted:
    """The study with its warm start: as the run took it that goes on, else from the old study.

    Args:
        fresh: a new run is to be started.
        warn: called with a line for what of the old study does not fit.

    Raises:
        StudyFileError: there is no such storage or study, or none of its trials fits.
        StorageError: the storage can't be opened.
    """
    if read.file.warm_start is None:
        return WarmStarted(read, None)
    taken = None if fresh else _taken_before(read.file, home.study(read.file.name))
    if taken is not None:
        return WarmStarted(_with(read, taken), None)
    import sqlalchemy

    said = read.file.warm_start
    storage, address = open_storage(said.storage, read.folder, "warm_start")
    try:
        name = name_in(storage, said.study, "warm_start")
        study = optuna.load_study(study_name=name, storage=storage)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of lists among old choices
            ranked = _ranked(study)
        taken, trials = _best_that_fit(read, ranked, warn)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise unreadable(address, error, "warm_start") from error
    source = {"storage": without_password(address), "study": study.study_name, "trials": trials}
    return WarmStarted(_with(read, taken), source)


def _with(read: ReadStudy, taken: Sequence[Configuration]) -> ReadStudy:
    enqueue = [*read.file.enqueue, *taken]
    return replace(read, file=read.file.model_copy(update={"enqueue": enqueue}))


def _taken_before(file: StudyFile, study: StudyFiles) -> list[Configuration] | None:
    """What the newest run took from the same place; None where there is none."""
    number = study.newest
    known = read_study_json(study.run(number))
    if not known:
        return None
    before = stored_file(known["file"], run_name(file.name, number))
    own = len(file.enqueue)
    same = before.warm_start == file.warm_start and before.enqueue[:own] == file.enqueue
    return before.enqueue[own:] if same else None


def open_storage(address: str, folder: Path, table: str) -> tuple[BaseStorage, str]:
    """A storage that a study file names, as it is: nothing is made in it. And its address.

    Args:
        folder: the study file's.
        table: which names it.

    Raises:
        StudyFileError: there is no such storage.
        StorageError: it can't be opened.
    """
    if address.startswith(ENVIRONMENT):
        variable = address.removeprefix(ENVIRONMENT)
        address = os.environ.get(variable, "")
        if not address:
            raise StudyFileError(
                f"{table}.storage: the environment variable {variable} must hold the old "
                "study's storage, got none"
            )
        check_port(f"{table}.storage, which {variable} holds,", address)
    try:
        path = _file_of(address, folder)
        if path is None:
            return optuna.storages.RDBStorage(literal(address), skip_table_creation=True), address
        with path.open("rb") as file:
            sqlite = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
        if sqlite:
            address = f"sqlite:///{path}"
            return optuna.storages.RDBStorage(literal(address), skip_table_creation=True), address
        return optuna.storages.JournalStorage(JournalFileBackend(str(path))), str(path)
    except FileNotFoundError as error:
        raise StudyFileError(
            f"{table}.storage must exist, got no file {error.filename}: correct the path, or "
            "leave the table out"
        ) from error
    except Exception as error:  # a driver that is missing, another kind of file, a wrong URL, …
        raise unreadable(address, error, table) from error


def _file_of(address: str, folder: Path) -> Path | None:
    """The file of an address; None: it is a server's."""
    if "://" not in address:
        return folder / address
    import sqlalchemy

    url = sqlalchemy.engine.make_url(address)
    if url.get_backend_name() != "sqlite":
        return None
    return folder / (url.database or "")


def unreadable(address: str, error: BaseException, table: str) -> StorageError:
    """What to say of a storage that can't be read."""
    cause = error.__cause__ if error.__cause__ is not None else error
    return StorageError(
        f"{table}.storage, {without_password(address)!r}, must be a readable Optuna "
        f"storage, got {type(cause).__name__}: {first_line(cause, address)}"
    )


def name_in(storage: BaseStorage, study: str | None, table: str) -> str:
    """The study that is meant; one of hpsearch's goes by its own name too, where one has it.

    Args:
        study: as the table says it; None: the only one.

    Raises:
        StudyFileError: there is none, or several.
    """
    names = sorted(optuna.get_all_study_names(storage))
    if study is None:
        if len(names) == 1:
            return names[0]
        there = ", ".join(names) or "none"
        raise StudyFileError(f"{table}.study must name one of the studies there: {there}")
    own = [name for name in names if re.fullmatch(re.escape(study) + OWN_NAME, name)]
    if study in names or len(own) != 1:
        own = [study]
    if own[0] not in names:
        raise StudyFileError(f"{table}.study {unknown(study, names)}")
    return own[0]


def _ranked(study: optuna.Study) -> list[FrozenTrial]:
    """Complete trials, best first; of several objectives those that none is better than in all."""
    if len(study.directions) > 1:
        return sorted(study.best_trials, key=lambda trial: trial.number)
    sign = -1 if study.direction == StudyDirection.MAXIMIZE else 1
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    scored = [trial for trial in trials if trial.value is not None]
    return sorted(scored, key=lambda trial: (sign * (trial.value or 0.0), trial.number))


def _best_that_fit(
    read: ReadStudy, ranked: Sequence[FrozenTrial], warn: Callable[[str], None]
) -> tuple[list[Configuration], list[dict[str, Any]]]:
    """The configurations taken, and the old trials they are from."""
    said, known = read.file.warm_start, searched_here(read.space, read.file.compare)
    assert said is not None
    taken: list[Configuration] = []
    trials: list[dict[str, Any]] = []
    left_out = Counter[str]()
    for trial in ranked:
        if len(taken) == said.top:
            break
        renamed = {said.names.get(name, _key(name, known)): v for name, v in trial.params.items()}
        fitting, problems = _fitting(renamed, known, read)
        missing = "" if not fitting else _missing(fitting, read)
        broken = next(filter(None, (broken_beside(arm, fitting) for arm in read.arms)), "")
        left_out.update(problems)
        if missing:
            left_out[f"all, because sampler {read.file.sampler.name!r} needs {missing}"] += 1
        elif broken:
            left_out[f"all, because they violate the relation {broken!r}"] += 1
        elif fitting and fitting not in [*read.file.enqueue, *taken]:
            taken.append(fitting)
            trials.append({"number": trial.number, "values": trial.values, "params": fitting})
    for what, count in left_out.items():
        warn(f"warm start: left out of {count_of(count, 'old configuration')}: {what}")
    if not taken:
        raise StudyFileError(
            "[warm_start] must find a configuration that fits [space], but none of the "
            f"{len(ranked)} complete trials does; searched here: {', '.join(known)}. If "
            "parameters have other names there, map them with warm_start.names"
        )
    return taken, trials


def _key(name: str, known: Collection[str]) -> str:
    """What a parameter of an old study is here: one of a list of ranges is the hyperparameter."""
    of_list = re.fullmatch(OF_LIST, name)
    return of_list[1] if name not in known and of_list and of_list[1] in known else name


def _fitting(
    params: Mapping[str, Any], known: Mapping[str, Sequence[Parameter]], read: ReadStudy
) -> tuple[Configuration, list[str]]:
    """What of an old configuration can be tried here, and why the rest can't."""
    fitting: Configuration = {}
    problems = []
    # What has a list of ranges comes last, parents first: the other values say which one it is.
    of_lists = [name for name, entries in known.items() if entries[0].entry is not None]
    for name in [*(n for n in params if n not in of_lists), *(n for n in of_lists if n in params)]:
        old = params[name]
        if name not in known:
            fixed = read.space.given(read.space.fixed).get(name)
            if name not in read.file.compare and not _same(fixed, old):
                problems.append(f"{name}, which is not searched here")
            continue
        drawn = known[name]
        if name in of_lists:
            found = (active_in(arm, name, fitting) for arm in read.arms)
            drawn = [p for p in found if p is not None]
            if not drawn:
                continue
        called = _named(old, read.space.named.get(name, {}))
        values = [_converted(old if called is None else called, p) for p in drawn]
        value = None if None in values else values[0]
        if value is None:
            inside = range_text(drawn[values.index(None)].distribution)
            hint = "" if isinstance(old, bool | int | float | str) else f" ({NAMED_HINT})"
            problems.append(f"{name}, which lies outside {inside}{hint}")
        else:
            fitting[name] = value
    active = {
        name: value
        for name, value in fitting.items()
        if any(active_in(arm, name, fitting) is not None for arm in read.arms)
    }
    return active, problems


def _named(value: Any, names: Mapping[str, Any]) -> str | None:
    """The name of the choice that stands for an old value; None where there is none."""
    return next((name for name, meant in names.items() if _same(meant, value)), None)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal; a list is the tuple of the same items."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _converted(value: Any, parameter: Parameter) -> Plain | None:
    """The value as it would be drawn here; None where it never would."""
    d = parameter.distribution
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(d, IntDistribution) and plain and float(value).is_integer():
        value = int(value)
    if isinstance(d, FloatDistribution) and plain:
        value = float(value)
    if not isinstance(value, bool | int | float | str) or not contains(d, value):
        return None
    if isinstance(d, FloatDistribution):
        return min(d.high, max(d.low, round_float(float(value))))
    return value


def _missing(fitting: Configuration, read: ReadStudy) -> str:
    """A parameter that is not there, of samplers that can't draw a part of a configuration."""
    if read.file.sampler.name == "coarse-to-fine":
        return ""
    for arm in read.arms:
        for parameter in arm.space.parameters:
            if parameter.key not in fitting and active_in(arm, parameter.key, fitting):
                return parameter.key
    return ""
