"""What a program of a user's own is started with: its command line, and what stands in it.

Names in braces stand for what a trial gives: "--lr={learning_rate}". A group of arguments, a list
in the list, is left out where a hyperparameter in it is not active in the trial, or where one that
is named with a question mark, "{nesterov?}", is false; that piece itself is never passed.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Command = tuple[str | tuple[str, ...], ...]
Purpose = Literal["search", "confirm", "test"]
MetricForm = Literal["json-lines", "pattern", "csv"]
# What is known of every trial beside its hyperparameters.
KNOWN = (
    "epochs",
    "n_epochs",
    "seed",
    "fold",
    "folder",
    "checkpoint",
    "gpu",
    "purpose",
    "params_json",
)
BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
ASKED = re.compile(r"\{[^{}]*\?\}")


@dataclass(frozen=True)
class Program:
    """A program that is run as a trial, as a study file describes it.

    Attributes:
        command: its words and groups of words; of a shell one line.
        shell: whether the command is a line for the shell.
        form, source: how its metrics are read: JSON objects in lines of stdout; a regular
            expression with named groups, for lines of stdout; or a CSV file, by its path.
        metrics: what the study scores by. A line without any of these is no metric line.
        checkpoint: what it goes on from, a path with placeholders; None: it starts anew.
        test: the command that scores what was trained on test data; None: there is none.
        env: environment variables to set.
        workdir: where it is started.
        first_epoch: how it counts its epochs: from 0 or from 1.
        log_mb: megabytes (10^6 bytes) of its output that are kept.
        threads: that its libraries may use.
        checkpoint_mb: megabytes that its folder may have to go from one machine to another.
        shared: a folder that all machines have, in which folders of trials lie; "": none.
        files: path and digest of the scripts that its commands name, and of what these import.
        probe: whether one trial is run twice, to know whether it repeats.
    """

    command: Command
    metrics: tuple[str, ...]
    workdir: str
    form: MetricForm = "json-lines"
    source: str = ""
    shell: bool = False
    checkpoint: str | None = None
    test: Command | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    first_epoch: int = 1
    log_mb: float = 1.0
    threads: int = 1
    probe: bool = True
    checkpoint_mb: float = 200.0
    shared: str = ""
    files: tuple[tuple[str, str], ...] = ()


def is_program(trainer: object) -> bool:
    """Whether a trainer's name is that of a program: "program", or "programs.torch"."""
    return isinstance(trainer, str) and (trainer == "program" or trainer.startswith("programs."))


@dataclass(frozen=True)
class Placeholder:
    """A placeholder in a command.

    Attributes:
        name: what stands between the braces, without a question mark.
        optional: it stands in a group, which can be left out.
        asked: with a question mark.
        alone: it is the whole word.
    """

    name: str
    optional: bool
    asked: bool
    alone: bool


class Malformed(ValueError):
    """A text has a brace that opens or closes nothing."""


def placeholders(command: Command) -> Iterator[Placeholder]:
    """The placeholders of a command.

    Raises:
        Malformed: a brace stands alone.
    """
    for part in command:
        words = (part,) if isinstance(part, str) else part
        for word in words:
            for name in names_in(word):
                whole = word == f"{{{name}}}"
                yield Placeholder(
                    name.removesuffix("?"), part is not word, name.endswith("?"), whole
                )


def names_in(text: str) -> Iterator[str]:
    """The names in braces of a text, as they stand there.

    Raises:
        Malformed: a brace stands alone.
    """
    for match in BRACES.finditer(text):
        if match[0] in ("{", "}"):
            raise Malformed(text)
        if match[1] is not None:
            yield match[1]


def filled(text: str, values: Mapping[str, Any], *, quote: bool = False) -> str:
    """A text with the values in place of their names; doubled braces become single ones.

    Args:
        quote: for a shell's line.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        written = as_argument(values[match[1]])
        return shlex.quote(written) if quote else written

    return BRACES.sub(value, text)


def arguments(command: Command, values: Mapping[str, Any]) -> list[str]:
    """The words of a command line.

    Args:
        values: by name; a hyperparameter that is not active has none.
    """
    words: list[str] = []
    for part in command:
        if isinstance(part, str):
            words.append(filled(part, values))
        elif _is_wanted(part, values):
            words += [filled(word, values) for word in part if not ASKED.fullmatch(word)]
    return words


def _is_wanted(group: Sequence[str], values: Mapping[str, Any]) -> bool:
    for word in group:
        for name in names_in(word):
            value = values.get(name.removesuffix("?"))
            if value is None or (name.endswith("?") and value is False):
                return False
    return True


def as_argument(value: object) -> str:
    """A value as programs read it: true, 1e-05, [50, 50], none."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple | list | Mapping):
        return json.dumps(value)
    return str(value)
