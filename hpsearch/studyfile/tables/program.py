"""The [program] table of a study file, and [programs.NAME]: commands that are run as trials."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from hpsearch.errors import Problem, StudyFileError
from hpsearch.own_code import script_digests
from hpsearch.studyfile.tables.base import Table
from hpsearch.trainers import Program
from hpsearch.trainers.commands import Command, placeholders
from hpsearch.trainers.programs.metric_lines import EPOCH, as_toml

EXAMPLE = '["python", "train.py", "--lr={learning_rate}", "--epochs={epochs}"]'
METRICS_RULE = '"json-lines", or a table { pattern = "…" } or { csv = "…" }'
COMMAND_RULE = f"a list of words such as {EXAMPLE}, or a text where shell = true"
MOST_FOLDS = 1000
SCRIPTS = (  # what interpreters run
    *(".py", ".sh", ".bash", ".zsh", ".awk", ".r", ".R", ".jl", ".js", ".mjs", ".ts", ".pl"),
    *(".rb", ".lua", ".m", ".php", ".groovy", ".scala", ".sql"),
)
MOST_SCRIPT = 10_000_000  # bytes; a larger file is no script
TABLE_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}"
MOST_WORD = 255  # characters of a file's name


class Pattern(Table):
    """Metrics in lines that match a regular expression."""

    pattern: str = Field(
        description="a regular expression with a named group for each metric, and one named epoch"
    )


class Csv(Table):
    """Metrics in a CSV file that the program appends to."""

    csv: str = Field(
        description="the path of the file, relative to {folder}; its columns are "
        "metrics, and one is epoch"
    )


Words = list[str | Annotated[list[str], Field(min_length=1)]]


class ProgramTable(Table):
    """A command to run as a trial; the program brings its own data, folds and splits."""

    note_in_template = None

    command: Annotated[Words, Field(min_length=1)] | str = Field(
        description=f"its arguments, e.g. {EXAMPLE}; a list inside the list is left out if a "
        "hyperparameter in it is not active; with shell = true, a text"
    )
    metrics: Literal["json-lines"] | Pattern | Csv = Field(
        default="json-lines",
        description='"json-lines", as hpsearch.report prints them; { pattern = "…" } or '
        '{ csv = "log.csv" }',
    )
    checkpoint: str | None = Field(
        default=None,
        description='a path such as "{folder}/checkpoint" to which the program saves its state '
        "and from which it resumes; it must print an epoch's metrics, with the epoch, before it "
        "saves; default: the program starts from the beginning whenever its trial continues",
    )
    test: Annotated[Words, Field(min_length=1)] | str | None = Field(
        default=None,
        description="the command that scores the trained model on test data; it prints the "
        "objective's metric in the form that `metrics` names, and its epoch does not count; "
        "default: nothing is tested, and the report says so",
    )
    env: dict[str, str] = Field(default_factory=dict, description="environment variables to set")
    workdir: str = Field(
        default=".",
        description="the folder in which it is started, relative to the study file's folder",
    )
    shell: bool = Field(
        default=False, description="the commands are lines for /bin/sh; values are quoted"
    )
    folds: int = Field(
        default=1,
        ge=1,
        le=MOST_FOLDS,
        description="number of runs of every configuration, with {fold} = 0, 1, …; a trial's "
        "score is their mean",
    )
    first_epoch: Literal[0, 1] = Field(default=1, description="the number of the first epoch")
    probe: bool = Field(
        default=True,
        description="run one trial twice, to check whether the program's metrics are reproducible",
    )
    dry_start: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        description="seconds for which the first trial is tried before the study starts, or until "
        "it prints a metric; then the same for one epoch and the test command; 0: no such trial",
    )
    log_mb: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        description="maximum megabytes of output that each run adds to a trial's log",
    )
    artifacts_mb: float = Field(
        default=100.0,
        ge=0,
        description="maximum megabytes of {folder}/artifacts that go to MLflow for each of the "
        "best trials and of the winner's refits",
    )
    checkpoint_mb: float = Field(
        default=200.0,
        ge=0,
        description="maximum megabytes of a checkpoint that goes to MLflow or to another machine",
    )
    shared: str = Field(
        default="",
        description="with Dask, a folder that all workers share, for larger checkpoints; default: "
        "the files of a trial move with it from machine to machine",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="number of threads for its libraries (OMP_NUM_THREADS and similar); default: "
        "cores / execution.workers, or 1 if that is not set. Sums over several threads may differ "
        "in the last digit",
    )
    mlflow: Literal["private", "link"] = Field(
        default="private",
        description='where its own MLflow runs go: "private" to a store in its folder, "link" to '
        "the study's server, as runs below the trial's run",
    )

    @field_validator("metrics", "command", "test", mode="wrap")
    @classmethod
    def _one_problem(
        cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        """Of a value that has several forms, one problem instead of one for each form."""
        try:
            return handler(value)
        except ValidationError:
            rule = METRICS_RULE if info.field_name == "metrics" else COMMAND_RULE
            raise ValueError(f"must be {rule}") from None

    @property
    def commands(self) -> dict[str, Command]:
        """Its commands by key, words in tuples."""
        lines = {"command": self.command, "test": self.test}
        return {key: _words(line) for key, line in lines.items() if line is not None}

    def program(self, folder: Path, metrics: Sequence[str], threads: int = 1) -> Program:
        """What a worker needs to know of it.

        Args:
            folder: of the study file.
            metrics: that the study scores by.
            threads: where it does not say how many.
        """
        form, source = "json-lines", ""
        if isinstance(self.metrics, Pattern):
            form, source = "pattern", self.metrics.pattern
        elif isinstance(self.metrics, Csv):
            form, source = "csv", self.metrics.csv
        commands = self.commands
        return Program(
            command=commands["command"],
            metrics=tuple(metrics),
            workdir=str((folder / self.workdir).resolve()),
            form=form,  # type: ignore[arg-type]
            source=source,
            shell=self.shell,
            checkpoint=self.checkpoint,
            test=commands.get("test"),
            env=self.env,
            first_epoch=self.first_epoch,
            log_mb=self.log_mb,
            threads=self.threads or threads,
            probe=self.probe,
            checkpoint_mb=self.checkpoint_mb,
            shared=self.shared,
            files=tuple(self.files(folder).items()),
        )

    def files(self, folder: Path) -> dict[str, str]:
        """The digest of each script that its commands name, by the word that names it.

        Of a Python script also of the modules beside it that it imports.
        """
        known: dict[str, str] = {}
        place = folder / self.workdir
        for command in self.commands.values():
            for part in command:
                words = _shell_words(part) if self.shell and isinstance(part, str) else part
                for word in (words,) if isinstance(words, str) else words:
                    path = place / word
                    if "{" not in word and len(word) < MOST_WORD and _is_script(path):
                        top = Path(word).parent
                        digests = script_digests(path)
                        known |= {str(top / label): digest for label, digest in digests.items()}
        return known

    def fold_doubt(self, name: str) -> str:
        """That its command names a fold and nobody says how many there are; "" where it is said.

        Args:
            name: of this table.
        """
        asks = any(one.name == "fold" for one in placeholders(self.commands["command"]))
        if not asks or "folds" in self.model_fields_set:
            return ""
        return (
            f"{name}.command has {{fold}}, but {name}.folds is not set: every trial runs fold 0 "
            f"only. Write folds = 5 (the number of folds) in [{name}] for a mean over all folds, "
            "or folds = 1"
        )

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        folds = {table.folds for table in tables.values()}
        if len(folds) > 1:
            key = list(tables)[-1]
            rule = "must be the same for all programs, which are scored the same way"
            yield Problem(f"{key}.folds", rule, " and ".join(map(str, sorted(folds))))
        for key, table in tables.items():
            name = key.partition(".")[2]
            if name and not re.fullmatch(TABLE_NAME, name):
                yield Problem(key, "must have a name of letters, digits, '_', '-' and '.'")
            yield from table._own_problems(key)

    def _own_problems(self, key: str) -> Iterator[Problem]:
        for place, line in (("command", self.command), ("test", self.test)):
            if line is None:
                continue
            if isinstance(line, str) != self.shell:
                rule = "must be a text" if self.shell else "must be a list of words"
                hint = f"write {EXAMPLE}" if not self.shell else "shell = true takes one line"
                yield Problem(f"{key}.{place}", rule, repr(line), hint)
            elif isinstance(line, list) and not isinstance(line[0], str):
                yield Problem(f"{key}.{place}", "must begin with the program", repr(line[0]))
        if self.shared and not Path(self.shared).is_absolute():
            rule = "must be an absolute path, which names the same folder on all machines"
            yield Problem(f"{key}.shared", rule, repr(self.shared))
        if isinstance(self.metrics, Pattern):
            yield from self._pattern_problems(f"{key}.metrics.pattern", self.metrics.pattern)
        if self.mlflow == "link" and "MLFLOW_TRACKING_URI" in self.env:
            rule = 'must be left out beside mlflow = "link"'
            yield Problem(f"{key}.env.MLFLOW_TRACKING_URI", rule)

    def _pattern_problems(self, key: str, pattern: str) -> Iterator[Problem]:
        try:
            groups = set(re.compile(pattern).groupindex)
        except re.error as error:
            yield Problem(key, f"must be a regular expression: {error}", as_toml(pattern))
            return
        if not groups - {EPOCH}:
            hint = r"write e.g. 'val_acc (?P<val_acc>\S+)'"
            yield Problem(key, "must have a named group for a metric", as_toml(pattern), hint)
        elif self.checkpoint is not None and EPOCH not in groups:
            rule = "must have a group named epoch, because the program resumes from a checkpoint"
            hint = r"write e.g. 'epoch (?P<epoch>\d+)', or leave checkpoint out"
            yield Problem(key, rule, as_toml(pattern), hint)

    @classmethod
    def may_change(cls) -> Collection[str]:
        return ("dry_start", "log_mb", "artifacts_mb", "checkpoint_mb", "shared", "threads")


def _is_script(path: Path) -> bool:
    """Whether a file that a command names is code; data that a program reads may change."""
    if not path.is_file() or path.stat().st_size > MOST_SCRIPT:
        return False
    with path.open("rb") as file:
        return path.suffix in SCRIPTS or file.read(2) == b"#!"


def _shell_words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # quotes that the shell understands otherwise
        return line.split()


def _words(line: Words | str) -> Command:
    if isinstance(line, str):
        return (line,)
    return tuple(part if isinstance(part, str) else tuple(part) for part in line)


def refuse_unlinkable(tables: Mapping[str, ProgramTable], tracking_uri: str) -> None:
    """See that programs whose MLflow runs go to the study's server have one.

    Raises:
        StudyFileError: its store is a file, which one process writes at a time.
    """
    linked = [name for name, table in tables.items() if table.mlflow == "link"]
    if linked and tracking_uri.startswith("sqlite"):
        raise StudyFileError(
            f'{linked[0]}.mlflow = "link" must have an MLflow server, got SQLite, which one '
            "process writes at a time: start one with python -m mlflow server and name it with "
            '--tracking-uri, or write mlflow = "private"'
        )


def programs_of(
    program: ProgramTable | None, programs: Mapping[str, ProgramTable]
) -> dict[str, ProgramTable]:
    """All programs of a study file, by the trainer's name and key path that they have."""
    one = {} if program is None else {"program": program}
    return one | {f"programs.{name}": table for name, table in programs.items()}
