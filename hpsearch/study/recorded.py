"""Runs that are in the records already: found by name, read without a lock."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from functools import cached_property
from os.path import normpath
from pathlib import Path
from typing import Any

from hpsearch.datasets import DATASETS
from hpsearch.datasets.opened import forget_opened
from hpsearch.errors import Problem, StudyFileError, unknown
from hpsearch.own_code import is_own, look_first_in
from hpsearch.records.layout import DECISION_KEYS, Artifact, Home
from hpsearch.records.result import Result, read_result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.run_lock import running
from hpsearch.records.study_json import Chapter, chapter_of, is_imported, read_study_json
from hpsearch.study.chapters.filing import ChapterFolder
from hpsearch.study.opening import run_name, storage_name
from hpsearch.study.stored_space import kept_arms, kept_space, with_kinds
from hpsearch.study_names import NUMBERED, as_written
from hpsearch.studyfile.arms import SHOTS
from hpsearch.studyfile.own_modules import own_names
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.stored import stored_file
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.compare import choices_of
from hpsearch.studyfile.tables.space import read_space
from hpsearch.trainers import forget_changed_code, is_program


@dataclass(frozen=True)
class Recorded:
    """A run of a study in the records, whether anybody runs it or not.

    Attributes:
        study: the study's name.
        number: of the run, from 1.
    """

    study: str
    number: int
    folder: RunFolder

    @property
    def name(self) -> str:
        """As Optuna, MLflow and the commands call it: "quickstart", "quickstart/2"."""
        return run_name(self.study, self.number)

    @cached_property
    def _said(self) -> dict[str, Any]:
        return read_study_json(self.folder.files)

    @property
    def id(self) -> str:
        """Unique over all folders of stores."""
        return str(self._said["id"])

    def storage_names(self) -> list[str]:
        """Of its Optuna studies, one for each arm."""
        if not self.file.compare and self.file.outer is None:
            return [storage_name(self.name, self.id)]
        return [storage_name(self.name, self.id, arm.name) for arm in kept_arms(self.folder)]

    @property
    def plans(self) -> tuple[tuple[int, ...], ...]:
        """The stages' numbers of trials, at first and after each change."""
        now = [stage.trials for stage in self.file.stages]
        return tuple(map(tuple, self._said.get("plans", [now])))

    @property
    def protocol(self) -> int:
        """As of a Run."""
        return int(self._said.get("protocol", 1))

    @property
    def chapter(self) -> Chapter:
        """As of a Run."""
        return chapter_of(self._said)

    @property
    def chapters(self) -> list[Recorded]:
        """The run in each of its chapters: with the study file, decisions and result of that one,
        and the records of all."""
        earlier = range(1, self.chapter.number)
        folders = [ChapterFolder(self.folder, number) for number in earlier]
        return [*(Recorded(self.study, self.number, folder) for folder in folders), self]

    def of_trial(self, number: int) -> Recorded:
        """The run in the chapter that drew a trial."""
        return [one for one in self.chapters if one.chapter.first * one.n_arms <= number][-1]

    @cached_property
    def file(self) -> StudyFile:
        """The study file as it was understood at the last start.

        Raises:
            StudyFileError: another version of hpsearch wrote it, whose keys are others.
        """
        stored = stored_file(self._said.get("file"), self.name)
        if "confirmation_named" in self._said:  # else of an older run, which names all
            named = set(self._said["confirmation_named"])
            table = stored.confirmation.model_copy()
            table.__pydantic_fields_set__.intersection_update(named)
            stored = stored.model_copy(update={"confirmation": table})
        return with_kinds(stored, kept_space(self.folder))

    def read(self, trusted: Path | None = None) -> ReadStudy:
        """The study file as if it had just been read, with its space.

        Args:
            trusted: the folder of the user's own modules and data; None: that of the study file,
                where the study was started on this machine.

        Raises:
            StudyFileError: what it names, e.g. a function beside it, is there no more; or it was
                imported and names what only a trusted folder may have.
        """
        written = self.folder.files.artifact(Artifact.STUDY_TOML)
        text = written.read_text(encoding="utf-8")
        path = self._path(trusted)
        look_first_in(str(path.parent))
        forget_opened()
        forget_changed_code()
        entries = {name: entry for name, entry in self.file.space.items() if name != SHOTS}
        file = self.file
        space, problems = read_space(
            file.network,
            entries,
            file.prepare,
            relations=file.relations,
            prepared=file.prepared,
        )
        if space is None:
            raise StudyFileError(_gone(self.name, path, problems), problems)
        return ReadStudy(path, text, self.file, space)

    @property
    def folder_of_file(self) -> Path | None:
        """Where the study file lay when it was started here; None of an imported run."""
        if is_imported(self._said) or "path" not in self._said:
            return None
        return Path(str(self._said["path"])).parent

    def _path(self, trusted: Path | None) -> Path:
        """Where the study file counts as lying: modules and data are looked for beside it.

        An archive's own path is not followed. Of an imported run it is that of its records, among
        which an import lets no code.
        """
        written = self.folder.files.artifact(Artifact.STUDY_TOML).resolve()
        if trusted is not None:
            if not trusted.is_dir():
                raise StudyFileError(f"--trust-code must name a folder, got {str(trusted)!r}")
            if is_imported(self._said):
                self._refuse_outside(trusted.resolve())
            return trusted.resolve() / written.name
        if not is_imported(self._said):
            return Path(self._said.get("path", written))
        names = [n for n in own_names(self.file) if is_program(n) or is_own(n)]
        data = self.file.data
        if data is not None and data.name not in DATASETS:
            names.append(data.name)
        if names:
            raise StudyFileError(
                f"{self.name!r} was imported, and paths of code or data in an archive are not "
                f"trusted: name the folder that holds {', '.join(names)} with --trust-code "
                f"FOLDER; the code in it will run{self._commands()}"
            )
        return written

    def _commands(self) -> str:
        """The archive's own commands, which no folder vouches for, in words."""
        commands = [
            command
            for table in self.file.all_programs.values()
            for command in table.commands.values()
        ]
        lines = [shlex.join(w if isinstance(w, str) else " ".join(w) for w in c) for c in commands]
        return f", and {' and '.join(lines)}" if lines else ""

    def _refuse_outside(self, trusted: Path) -> None:
        """Refuse data of an archive's file that does not lie in the folder that is trusted."""
        data = self.file.data
        if data is None:
            return
        named = {"data.name": None if data.name in DATASETS else data.name, "data.test": data.test}
        for key, name in named.items():
            if name is not None and not Path(normpath(trusted / name)).is_relative_to(trusted):
                rule = f"must be in {trusted}, because the study was imported"
                raise StudyFileError(Problem(key, rule, repr(name)).statement)

    @property
    def n_arms(self) -> int:
        """How many searches it has."""
        if self.file.outer is not None:
            return self.file.outer.n_splits + 1
        counts = [len(choices_of(self.file.space[name])) for name in self.file.compare]
        return math.prod(counts)

    def decisions(self, stage: int) -> list[dict[str, Any]]:
        """What was decided at a stage's end, in each arm that has come there."""
        return [
            self.folder.required(path, *DECISION_KEYS)
            for path in self.folder.files.decisions(stage)
        ]

    def result(self) -> Result | None:
        """What it found, if it is finished."""
        return read_result(self.folder, *self.file.scope)

    def holder(self) -> str | None:
        """Who runs it now; only a study's newest run is ever run."""
        study = self.folder.files.study
        return running(study) if self.number == study.newest else None


def find_runs(home: Home, name: str | None = None) -> list[Recorded]:
    """All runs of a home, or those of a study, or with "quickstart/2" that run alone.

    Raises:
        StudyFileError: there is no such study or run; lists those that there are.
    """
    found = [
        Recorded(study.name, number, RunFolder(study.run(number).path))
        for study in home.all_studies()
        for number in study.numbers()
    ]
    if name is None:
        return found
    numbered = NUMBERED.search(name)
    study = as_written(name[: numbered.start()] if numbered else name)
    wanted = [r for r in found if study == as_written(r.study)]
    if numbered:
        wanted = [r for r in wanted if numbered[0] == f"/{r.number}"]
    if wanted:
        return wanted
    studies = list(dict.fromkeys(r.study for r in found))
    if not studies:
        raise StudyFileError(
            f"study {name!r} must be in {home.studies}, got no study there yet: start one with "
            "python -m hpsearch study FILE, or name another home folder with --home"
        )
    if study not in studies:
        raise StudyFileError(f"study {unknown(name, studies)} in {home.studies}")
    runs = [f"{study}/{r.number}" for r in found if r.study == study]
    raise StudyFileError(f"run {unknown(name, runs)}")


def find_run(home: Home, name: str) -> Recorded:
    """The newest run of a study, or with "quickstart/2" that one.

    Raises:
        StudyFileError: there is no such study or run; lists those that there are.
    """
    return find_runs(home, name)[-1]


def _gone(name: str, path: Path, problems: list[Problem]) -> str:
    lines = "\n".join(f"  {problem}" for problem in problems)
    return f"everything that {path} names must exist as when {name!r} was run, got:\n{lines}"
