"""The help of every command: a sentence, options in groups, examples; plain text.

Typer can group options only in its boxes of rich, which look different in a pipe. So the text is
laid out here, and no word is broken, however narrow the terminal is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from typer.core import TyperCommand, TyperGroup

WIDEST_NAME = 27  # columns of a name; of a longer one the text begins on the next line
EXAMPLES = "Examples:"
Section = tuple[str, list[tuple[str, str]]]  # a title, and names with what they do


class Kind(StrEnum):
    """The groups of commands, in their order."""

    RUN = "Run a search"
    LOOK = "Look at results"
    CHECK = "Check and repair"
    OPERATE = "Operate"


class Group(StrEnum):
    """The groups of a command's options, in their order; the same ones in every command."""

    SEARCHED = "Search"
    ACTION = "Actions"
    PLACE = "Execution"
    STORE = "Storage"
    OUTPUT = "Output"


class HelpText(NamedTuple):
    """What the docstring of a command says."""

    sentences: list[str]
    """Its paragraphs, the first of one sentence."""
    examples: list[str]


def help_text(command: Any) -> HelpText:
    """The paragraphs and examples of a command's docstring."""
    told, _, listed = (command.help or "").partition(EXAMPLES)
    paragraphs = [" ".join(text.split()) for text in told.split("\n\n") if text.strip()]
    return HelpText(paragraphs, [line.strip() for line in listed.splitlines() if line.strip()])


def parameter_row(parameter: Any) -> tuple[str, str]:
    """An argument or option as it is written, and what it does, with its default."""
    text, default = parameter.help or "", parameter.default
    has_value = isinstance(default, str | int | float | Path) and not isinstance(default, bool)
    if has_value and "[default" not in text:
        text += f" [default: {default}]"
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name.upper(), text
    if parameter.required:
        text += " [required]"
    name = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return (name if parameter.is_flag else f"{name} {parameter.metavar or 'TEXT'}"), text


class Command(TyperCommand):
    """A command, whose help is laid out here."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the name of the command: "[OPTIONS] STUDY [FILE]"."""
        names = [(parameter_row(p)[0], p.required) for p in _arguments(self.params)]
        return ["[OPTIONS]", *(name if needed else f"[{name}]" for name, needed in names)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        parameters = self.get_params(ctx)
        arguments = ("Arguments", list(map(parameter_row, _arguments(parameters))))
        _write_head(self, ctx, formatter)
        _write_sections(formatter, [arguments, *_option_groups(parameters)])
        _write_examples(self, formatter)


class Program(TyperGroup):
    """The program, whose help lists the commands by what they are for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        _write_head(self, ctx, formatter)
        _write_sections(formatter, list(self._kinds()))
        _write_sections(formatter, list(_option_groups(self.get_params(ctx))))
        _write_examples(self, formatter)

    def _kinds(self) -> Iterator[Section]:
        for kind in Kind:
            names = sorted(name for name, c in self.commands.items() if _panel(c) == kind)
            yield kind, [(name, help_text(self.commands[name]).sentences[0]) for name in names]


def _arguments(parameters: Iterable[Any]) -> list[Any]:
    return [p for p in parameters if p.param_type_name == "argument"]


def _panel(thing: Any) -> str | None:
    return getattr(thing, "rich_help_panel", None)


def _option_groups(parameters: Iterable[Any]) -> Iterator[Section]:
    options = [p for p in parameters if p.param_type_name == "option"]
    for group in Group:
        rows = [p for p in options if (_panel(p) or Group.OUTPUT) == group]
        yield group, list(map(parameter_row, rows))


def _write_head(command: Any, ctx: Any, formatter: Any) -> None:
    command.format_usage(ctx, formatter)
    for paragraph in help_text(command).sentences:
        formatter.write("\n" + _filled(paragraph, formatter.width, "  ", "  "))


def _write_sections(formatter: Any, sections: Sequence[Section]) -> None:
    names = [name for _, rows in sections for name, _ in rows]
    column = 4 + max((len(name) for name in names if len(name) <= WIDEST_NAME), default=0)
    for title, rows in sections:
        if rows:
            formatter.write(f"\n{title}:\n")
        for name, text in rows:
            formatter.write(_row(name, text, column, formatter.width))


def _write_examples(command: Any, formatter: Any) -> None:
    lines = [f"  {example}\n" for example in help_text(command).examples]
    formatter.write("".join([f"\n{EXAMPLES}\n", *lines]))


def _row(name: str, text: str, column: int, width: int) -> str:
    if len(name) + 4 > column:
        return f"  {name}\n" + _filled(text, width, " " * column, " " * column)
    return _filled(text, width, f"  {name}".ljust(column), " " * column)


def _filled(text: str, width: int, first: str, rest: str) -> str:
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) + "\n"
