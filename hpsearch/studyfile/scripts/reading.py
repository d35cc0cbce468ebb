"""Reading a program: how it is started, what it takes, and what it prints."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from hpsearch.errors import StudyFileError
from hpsearch.own_code import look_first_in, sources
from hpsearch.studyfile.scripts.argparse_options import argparse_line
from hpsearch.studyfile.scripts.click_options import click_line
from hpsearch.studyfile.scripts.help_options import help_line
from hpsearch.studyfile.scripts.help_run import help_text
from hpsearch.studyfile.scripts.option import CommandLine
from hpsearch.studyfile.scripts.printed_metrics import PrintedMetrics, printed_metrics
from hpsearch.studyfile.scripts.source import Source, last_name
from hpsearch.studyfile.scripts.typer_options import typer_line

# By the ending of a script; others are programs of their own.
INTERPRETERS = {
    ".py": "python",
    ".sh": "sh",
    ".bash": "bash",
    ".R": "Rscript",
    ".r": "Rscript",
    ".jl": "julia",
    ".pl": "perl",
    ".rb": "ruby",
    ".js": "node",
    ".lua": "lua",
}
# A Python program that has none of these does not look at its command line: it would train.
PARSERS = frozenset(
    ("absl", "argparse", "click", "configargparse", "cyclopts", "docopt", "fire", "getopt")
) | {"hydra", "jsonargparse", "optparse", "plac", "simple_parsing", "tap", "typer", "tyro"}
LOOKS = frozenset(("argv", "HfArgumentParser", "TrlParser", "LightningCLI"))  # names in its text
HEAD = 1_000_000  # bytes of another program that are looked at


@dataclass(frozen=True)
class Script:
    """A program that trains.

    Attributes:
        path: as a person called it.
        folder: that it is started in.
        words: the command, without options.
        line: what it takes.
        printed: how it tells of its metrics.
        modules: that a Python program imports, by their first names.
    """

    path: Path
    folder: Path
    words: tuple[str, ...]
    line: CommandLine
    printed: PrintedMetrics
    modules: frozenset[str] = frozenset()


def read_script(path: Path) -> Script:
    """Read a program's options, without running it where its text tells of them.

    Raises:
        StudyFileError: it is not there or is no program, or its options can't be read.
    """
    head = _head(path)
    folder, name = _place(path)
    words = _words(path, name, head)
    if words[0] != "python":
        _refuse_deaf(path, words, head)
        line = help_line(help_text(words, folder, path))
        return _found(Script(path, folder, words, line, PrintedMetrics()))
    files = _files(path)
    line = _from_text(files)
    modules = frozenset().union(*(file.modules for file in files))
    if not line:
        if not (modules & PARSERS or any(LOOKS & _names(file) for file in files)):
            hint = "its values must be options before a study can set them"
            raise StudyFileError(f"{path} must have options, got none in its text: {hint}")
        line = help_line(help_text(words, folder, path))
    return _found(Script(path, folder, words, line, printed_metrics(files), modules))


def _found(script: Script) -> Script:
    if not script.line:
        rule = "must have options that --help lists, got a help text without any"
        raise StudyFileError(f"{script.path} {rule}")
    return script


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise StudyFileError(f"--script must be a program, got the folder {path}")
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        got = f"{path}: {error.strerror}"
        raise StudyFileError(f"--script must be a readable program, got {got}") from error
    if not head.strip():
        raise StudyFileError(f"--script must be a program, got an empty file: {path}")
    return head


def _place(path: Path) -> tuple[Path, str]:
    """The folder that it is started in, and its path from there.

    That is the current folder, as a person is likely to start it from there, but where it lies
    elsewhere.
    """
    whole, here = Path(os.path.abspath(path)), Path.cwd()
    if whole.is_relative_to(here):
        return here, whole.relative_to(here).as_posix()
    return whole.parent, whole.name


def _words(path: Path, name: str, head: bytes) -> tuple[str, ...]:
    first = head.partition(b"\n")[0].decode(errors="replace")
    called = re.match(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(?:\S*/)?([\w.+-]+)", first)
    if path.suffix in INTERPRETERS:
        interpreter = INTERPRETERS[path.suffix]
        if interpreter == "sh" and called:
            interpreter = called[1]
        return interpreter, name
    if called:
        interpreter = "python" if called[1].startswith("python") else called[1]
        return interpreter, name
    if not os.access(path, os.X_OK):
        hint = f"allow it with chmod +x {path}"
        raise StudyFileError(f"{path} must be a program that can be run, got none: {hint}")
    return (name if "/" in name else f"./{name}",)


def _refuse_deaf(path: Path, words: tuple[str, ...], head: bytes) -> None:
    """A shell script that looks at none of its arguments would train when asked for help."""
    shells = ("sh", "bash", "dash", "zsh", "ksh")
    if words[0] in shells and not re.search(rb"\$[@*#1-9{]|getopts|shift|--help", head):
        hint = "its values must be options before a study can set them"
        raise StudyFileError(f"{path} must have options, got none in its text: {hint}")


def _files(path: Path) -> list[Source]:
    """The script, and the modules beside it that it imports."""
    look_first_in(str(path.resolve().parent))
    read = [Source.read(path)]
    importable = path.stem.replace("-", "_").isidentifier()
    for found in sources([path.stem] if importable else []):
        if found.path.suffix == ".py" and found.path.resolve() != path.resolve():
            try:
                read.append(Source.read(found.path))
            except StudyFileError:  # it may be imported only where it can be
                continue
    return read


def _from_text(files: list[Source]) -> CommandLine:
    """What the script's own text says; that of its modules where it says nothing."""
    for file in files:
        for reader in (click_line, typer_line, argparse_line):
            line = reader(file)
            if line and file is not files[0]:
                return replace(line, source=f"{line.source} in {file.path.name}")
            if line:
                return line
    return CommandLine("")


def _names(file: Source) -> frozenset[str]:
    return frozenset(last_name(node) for node in file.nodes)
