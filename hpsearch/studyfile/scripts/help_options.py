"""The options of any program, from what its `--help` prints.

It knows the manners of argparse, click, typer, GNU programs, absl and R's optparse.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hpsearch.studyfile.scripts.option import (
    CommandLine,
    Kind,
    Option,
    flag_name,
    kind_of,
    main_flag,
)

BOX = re.compile(r"[│┃╭╮╰╯─━]")  # of typer with rich
STYLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
FLAG = r"--?[A-Za-z][\w.-]*"
OPTION = re.compile(rf"^(\s*)(?:\*\s+)?(?:{FLAG}|--\[no\])")
ARGUMENTS = re.compile(r"^\s*(positional arguments|arguments)\s*:?\s*$", re.IGNORECASE)
SUBCOMMANDS = re.compile(r"^\s*(commands|subcommands)\s*:?\s*$", re.IGNORECASE)
DEFAULT = re.compile(
    r"[(\[][^()\[\]]*?\bdefaults?\b(?:\s+(?:is|to))?\s*[:=]?\s*"
    r"(\[[^\]]*\]|\([^)]*\)|.*?)\s*[)\];]",
    re.IGNORECASE,
)
SWITCH = "<bool>"  # as typer shows one with rich
FACTS = re.compile(r"\s*[(\[](?:[^()\[\];]*;\s*)*(?:defaults?\b|required)[^)\]]*[)\]]+")
KINDS: dict[str, Kind] = {
    "INTEGER": "int",
    "INT": "int",
    "FLOAT": "float",
    "NUMBER": "float",
    "DOUBLE": "float",
    "NUMERIC": "float",
    "BOOLEAN": "bool",
    "BOOL": "bool",
}
# Options that print and end.
HELP = frozenset(("--help", "--version", "-h", "--helpfull", "--helpshort", "--helpxml")) | {
    "--install-completion",
    "--show-completion",
}


@dataclass
class _Entry:
    """A line that begins with an option, and the text below it."""

    spec: str
    text: list[str] = field(default_factory=list)


def help_line(text: str) -> CommandLine:
    """What a help text says that the program takes."""
    lines = [BOX.sub(" ", STYLE.sub("", line)).expandtabs().rstrip() for line in text.splitlines()]
    options = tuple(filter(None, map(_option, _entries(lines))))
    names = tuple(dict.fromkeys(_subcommands(lines)))
    return CommandLine("--help", (*_arguments(lines), *options), (), names)


def _entries(lines: list[str]) -> Iterator[_Entry]:
    entry: _Entry | None = None
    indent = 0
    for line in lines:
        if found := OPTION.match(line):
            if entry is not None:
                yield entry
            indent = len(found[1])
            spec, _, rest = line.strip().removeprefix("* ").strip().partition("  ")
            if ": " in spec or spec.endswith(":"):  # absl
                flag, _, more = spec.partition(":")
                spec = flag if flag.startswith("--[no]") else f"{flag} VALUE"
                rest = f"{more.strip()} {rest}"
            entry = _Entry(spec.strip(), [rest.strip()])
        elif entry is not None:
            if line.strip() and len(line) - len(line.lstrip()) > indent:
                entry.text.append(line.strip())
            elif line.strip():
                yield entry
                entry = None
    if entry is not None:
        yield entry


def _option(entry: _Entry) -> Option | None:
    spec, described = _columns(entry)
    off = ""
    if paired := re.match(r"--\[no\]([\w.-]+)", spec):  # absl
        flags, off, rest = [f"--{paired[1]}"], f"--no{paired[1]}", ""
    else:
        flags = re.findall(rf"(?<![\w-]){FLAG}", spec)
        on, slash, negative = spec.partition(" / ")  # click
        off = main_flag(re.findall(FLAG, negative)) if slash else _negated(flags)
        rest = re.sub(r",(?=\s|$)", " ", re.sub(rf"(?<![\w-]){FLAG}", "", on))
        flags = re.findall(rf"(?<![\w-]){FLAG}", on) if slash else flags
    if HELP & {*flags}:
        return None
    choices, metavar = _choices(rest)
    if not metavar and not choices:
        metavar, described, choices = _metavar_column(described)
    default = _default(described)
    switch = bool(off) or (not metavar and not choices)
    flag = main_flag(flags)
    if switch:
        default = default is True or default == flag.lstrip("-")
    low, high = _bounds(described)
    return Option(
        flag,
        flag_name(flag),
        kind="bool" if switch else KINDS.get(_word(metavar), kind_of(default)),
        default=default,
        choices=tuple(choices),
        switch=switch,
        off=off,
        several="..." in rest or any(n > len(flags) for n in Counter(rest.split()).values()),
        required=re.search(r"[(\[;]\s*required[)\]]", described) is not None,
        low=low,
        high=high,
        help=FACTS.sub("", described).strip(),
    )


def _columns(entry: _Entry) -> tuple[str, str]:
    """The flags and the rest; typer has each flag in a column of its own."""
    spec, described = entry.spec, " ".join(" ".join(entry.text).split())
    while found := re.match(rf"({FLAG})(?:\s+|$)", described):
        spec, described = f"{spec}, {found[1]}", described[found.end() :]
    return spec, described


def _negated(flags: list[str]) -> str:
    """The flag for false of --amp, --no-amp; "" of none."""
    return next((one for one in flags if one.startswith("--no-") and f"--{one[5:]}" in flags), "")


def _choices(rest: str) -> tuple[list[Any], str]:
    """The choices of {a,b}, [a|b] or <a|b>, and what else names a value."""
    if found := re.search(r"\{([^}]*)\}|[\[<]([^\]>]*\|[^\]>]*)[\]>]", rest):
        values = (found[1] or found[2] or "").replace("|", ",").split(",")
        return [_choice(one.strip()) for one in values if one.strip()], ""
    return [], rest.strip(" =[]")


def _choice(text: str) -> Any:
    value = _value(text)
    return value if type(value) in (int, float) else text


def _word(metavar: str) -> str:
    return metavar.partition(" ")[0].strip("<>[]").upper()


def _metavar_column(described: str) -> tuple[str, str, list[Any]]:
    """What names the value, where that has a column of its own; the rest; and choices there."""
    if found := re.match(r"\[[^\]]*\|[^\]]*\]|<[^>]*>", described):
        described = described[found.end() :].strip()
        if found[0] == SWITCH:
            return "", described, []
        return found[0] if "|" not in found[0] else "", described, _choices(found[0])[0]
    word = described.partition(" ")[0]
    if word in (*KINDS, "TEXT", "PATH", "FILE", "FILENAME", "DIRECTORY"):
        return word, described.removeprefix(word).strip(), []
    return "", described, []


def _default(described: str) -> Any:
    found = DEFAULT.search(described)
    return None if found is None else _value(found[1])


def _value(text: str) -> Any:
    """A default as it is printed: a literal of Python, or a text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text.lower() in ("none", "null", "na", ""):
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if isinstance(value, str):  # absl has quotes around all
        return _value(value) if value != text else value
    if isinstance(value, tuple | list):
        return list(value)
    return value if isinstance(value, bool | int | float | str) else text


def _bounds(described: str) -> tuple[float | None, float | None]:
    """Those that click shows, e.g. "[default: 0.1; 0<=x<=1]"."""
    ends = re.search(r"[\[; ](?:(-?[\d.e-]+)<=?)?x(?:([<>])=?(-?[\d.e-]+))?[\];]", described)
    if ends is None:
        return None, None
    low, high = _number(ends[1]), _number(ends[3])
    return (high, None) if ends[2] == ">" else (low, high)


def _number(text: str | None) -> float | None:
    value = None if text is None else _value(text)
    return value if isinstance(value, int | float) else None


def _section(lines: list[str], heading: re.Pattern[str]) -> Iterator[str]:
    inside = False
    indent: int | None = None
    for line in lines:
        if heading.match(line):
            inside, indent = True, None
        elif inside and line.strip():
            place = len(line) - len(line.lstrip())
            indent = place if indent is None else indent
            if place < indent or place == 0:
                inside = False
            elif place == indent:
                yield line.strip()


def _arguments(lines: list[str]) -> Iterator[Option]:
    for line in _section(lines, ARGUMENTS):
        name, _, described = line.lstrip("* ").partition("  ")
        if not name.startswith(("{", "-")):
            described = " ".join(described.split())
            name = name.strip("*[]. ")
            default = _default(described)
            yield Option(
                "",
                flag_name(name.lower().split(" ")[0]),
                kind=kind_of(default),
                default=default,
                required=default is None,
                help=described,
            )


def _subcommands(lines: list[str]) -> Iterator[str]:
    for line in _section(lines, ARGUMENTS):
        if line.startswith("{"):
            yield from line[1:].partition("}")[0].split(",")
    for line in _section(lines, SUBCOMMANDS):
        yield line.partition(" ")[0]
