"""Finding the earlier studies that a new run is to learn from, by [[learn_from]]."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hpsearch.api.support.archives import unpack_study
from hpsearch.counts import count_of
from hpsearch.errors import DamagedError, HpsearchError, StudyFileError
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.samplers.coarse_to_fine.earlier import LEAST_TRIALS, n_fitting
from hpsearch.study.recorded import Recorded, find_runs
from hpsearch.study.starting.learned import LearnedStudy, kept_learned, like, of_run, of_storage
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.start.learn_from import AUTO, LearnFrom

MOST = 10  # studies that "auto" takes, the newest


def earlier_studies(
    read: ReadStudy, home: Home, *, fresh: bool, warn: Callable[[str], None]
) -> list[LearnedStudy] | None:
    """What a new run is to learn from; None where a run goes on, which has it.

    Args:
        fresh: a new run is to be started.
        warn: called with a line for each study of which too little fits.

    Raises:
        DamagedError: what the run learned from is gone.
        StudyFileError: a study, storage or archive that is named is not there, or has several
            objectives.
        StorageError: a storage can't be read.
    """
    if not read.file.learn_from:
        return None
    going_on = 0 if fresh else home.study(read.file.name).newest
    if going_on and _is_kept(RunFolder(home.study(read.file.name).run(going_on).path)):
        return None
    found = dict[str, LearnedStudy]()
    for place, said in enumerate(read.file.learn_from):
        for one in _found(read, home, said, f"learn_from.{place}", going_on, warn):
            found.setdefault(one.name, one)
    return [one for one in found.values() if _fits(read, one, warn)]


def _is_kept(folder: RunFolder) -> bool:
    """Whether a run that goes on has what it learns from; not if it was killed before."""
    if kept_learned(folder) is not None:
        return True
    if any(folder.read_all("trial")):
        path = folder.files.artifact(Artifact.LEARNED)
        raise DamagedError(path, "no such file beside trials that were drawn by it")
    return False


def n_used(read: ReadStudy, one: LearnedStudy) -> int:
    """How many trials of a study can be learned from, in the case that has most of them."""
    return max(
        n_fitting({p.name: p.distribution for p in arm.space.parameters}, like(one.trials, arm))
        for arm in read.arms
    )


def _fits(read: ReadStudy, one: LearnedStudy, warn: Callable[[str], None]) -> bool:
    n = n_used(read, one)
    if n < LEAST_TRIALS:
        trials = count_of(len(one.trials.scores), "trial")
        warn(
            f"learn_from: {one.name} is left out: at least {LEAST_TRIALS} of its {trials} must "
            f"fit [space], and {n} do"
        )
    return n >= LEAST_TRIALS


def _found(
    read: ReadStudy,
    home: Home,
    said: LearnFrom,
    key: str,
    going_on: int,
    warn: Callable[[str], None],
) -> Iterator[LearnedStudy]:
    """The searches that a table names.

    Args:
        key: the table's.
        going_on: the number of the run that is to learn, if it was begun; 0: it was not.
    """
    if said.storage is not None:
        one = of_storage(said.storage, said.study, said.names, read.folder, key)
        yield replace(one, name=f"{one.name} in {said.storage}")
    elif said.archive is not None:
        with TemporaryDirectory(prefix="hpsearch-") as place:
            other = Home(Path(place))
            other.create()
            try:
                folder = unpack_study(read.folder / said.archive, other)[-1]
            except HpsearchError as error:
                raise StudyFileError(f"{key}.archive: {error}") from error
            name, number = folder.files.study.name, folder.files.number
            if said.study not in (None, name):
                rule = f"must be {name!r}, the study in {said.archive}, got {said.study!r}"
                raise StudyFileError(f"{key}.study {rule}")
            for one in of_run(Recorded(name, number, folder), said.names, key):
                yield replace(one, name=f"{one.name} in {said.archive}")
    elif said.study == AUTO:
        for run in _alike(read.file, home, going_on):
            with suppress(HpsearchError):  # a damaged one is no reason not to start
                yield from [*of_run(run, {}, key)]
    else:
        assert said.study is not None
        own = said.study == read.file.name
        if own and not home.study(said.study).numbers():
            return  # it is to learn from its earlier runs, of which there is none yet
        try:
            runs = find_runs(home, said.study)
        except StudyFileError as error:
            raise StudyFileError(f"{key}.study: {error}") from error
        for run in reversed(runs):  # the newest may have been begun only
            found = [*of_run(run, said.names, key)]
            if any(one.trials.scores for one in found) and not (own and run.number == going_on):
                yield from found
                return
        if not own:
            warn(f"{key}.study: {said.study} has no trial with a score")


def _alike(file: StudyFile, home: Home, going_on: int) -> list[Recorded]:
    """The newest finished runs of each study that searches the same trainer by the same metric."""
    found = []
    for study in home.all_studies():
        own = study.name == file.name
        for number in reversed(study.numbers()):
            if own and number == going_on:
                continue
            run = Recorded(study.name, number, RunFolder(study.run(number).path))
            with suppress(HpsearchError):
                if run.result() is None:
                    continue
                other = run.file
                if (
                    len(other.goals) == 1
                    and other.objective.metric == file.objective.metric
                    and other.objective.direction == file.objective.direction
                    and other.space.get("trainer") == file.space.get("trainer")
                ):
                    found.append(run)
                break
    newest = sorted(found, key=lambda run: run.folder.files.study_json.stat().st_mtime)
    return newest[-MOST:]
