"""The options of a program that has argparse, from its calls of `add_argument`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hpsearch.studyfile.scripts.option import (
    CommandLine,
    Kind,
    Option,
    flag_name,
    kind_of,
    main_flag,
)
from hpsearch.studyfile.scripts.source import NotLiteral, Source, first_name, keywords, last_name

NO_OPTIONS = ("help", "version")  # actions that end the program
REPEATED = ("append", "append_const", "extend", "count")
SEVERAL = ("*", "+", "...")
GROUPS = ("add_argument_group", "add_mutually_exclusive_group")
KINDS: Mapping[str, Kind] = {"int": "int", "float": "float", "str": "str", "Path": "str"}


def argparse_line(source: Source) -> CommandLine:
    """What its parsers take together, without those of subcommands."""
    reader = _Reader(source)
    options = tuple(reader.options())
    words = tuple(reader.subcommands())
    return CommandLine("argparse", options, (), words, tuple(reader.unread))


@dataclass
class _Reader:
    source: Source

    def __post_init__(self) -> None:
        self.unread: list[str] = []
        self.defaults = self._set_defaults()
        self.below = self._below()

    def options(self) -> Iterator[Option]:
        for call in self.source.calls():
            if last_name(call.func) != "add_argument" or not isinstance(call.func, ast.Attribute):
                continue
            if self._is_below(call.func.value):
                continue
            try:
                names = [self.source.literal(one) for one in call.args]
            except NotLiteral:
                self.unread.append(f"the option of line {call.lineno}")
                continue
            given = keywords(call)
            if "dest" in given and not names:
                names = [self.source.text(given["dest"])]
            if names and all(isinstance(name, str) and name for name in names):
                option = self._option(names, given)
                if option is not None:
                    yield option

    def subcommands(self) -> Iterator[str]:
        for call in self.source.calls():
            if last_name(call.func) == "add_parser" and isinstance(call.func, ast.Attribute):
                yield self.source.text(call.args[0]) if call.args else ""

    def _option(self, names: list[str], given: Mapping[str, ast.expr]) -> Option | None:
        flags = [name for name in names if name.startswith("-")]
        flag = main_flag(flags)
        name = self.source.text(given.get("dest")) or flag_name(flag or names[0])
        action = last_name(given["action"]) if "action" in given else ""
        action = action or self.source.text(given.get("action"))
        if action in NO_OPTIONS:
            return None
        default, computed = self.source.default(given.get("default"))
        if name in self.defaults and "default" not in given:
            default, computed = self.source.default(self.defaults[name])
        made = Option(
            flag,
            name,
            default=default,
            computed=computed,
            required=self.source.known(given.get("required")) is True,
            help=self._help(given.get("help"), default),
        )
        if action == "BooleanOptionalAction":
            off = f"--no-{flag[2:]}"
            return replace(made, kind="bool", switch=True, off=off, required=False)
        if action in ("store_true", "store_false", "store_const"):
            # The flag that is given changes what the program does, whatever dest is called.
            return replace(
                made, name=flag_name(flag), kind="bool", switch=True, default=False, computed=False
            )
        return self._valued(made, given, action)

    def _valued(self, made: Option, given: Mapping[str, ast.expr], action: str) -> Option:
        """An option with a value, or several."""
        count = self.source.known(given.get("nargs"))
        several = action in REPEATED or count in SEVERAL or (type(count) is int and count > 1)
        choices = self.source.known(given.get("choices"))
        optional = not made.flag and count in ("?", "*")
        return replace(
            made,
            kind=self._kind(given.get("type"), made.default),
            choices=tuple(choices) if isinstance(choices, list) else (),
            several=several,
            doubt=self._doubt(given.get("type")),
            required=made.required or (not made.flag and not optional),
        )

    def _kind(self, asked: ast.expr | None, default: Any) -> Kind:
        """By `type`; of a function of the program's own by the default."""
        name = "" if asked is None else last_name(asked)
        return KINDS.get(name, kind_of(default))

    @staticmethod
    def _doubt(asked: ast.expr | None) -> str:
        is_bool = asked is not None and last_name(asked) == "bool"
        return "type=bool takes every text for true" if is_bool else ""

    def _help(self, node: ast.expr | None, default: Any) -> str:
        text = self.source.text(node).replace("%(default)s", str(default))
        return text.replace("%%", "%")

    def _set_defaults(self) -> dict[str, ast.expr]:
        """Those that parser.set_defaults(lr=0.1) gives."""
        found: dict[str, ast.expr] = {}
        for call in self.source.calls():
            if last_name(call.func) == "set_defaults":
                found |= keywords(call)
        return found

    def _below(self) -> set[str]:
        """The names of the parsers of subcommands, and of groups in them."""
        found: set[str] = set()
        assigned = [
            (node.targets[0].id, node.value)
            for node in self.source.nodes
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Call)
        ]
        for _ in range(2):  # groups may stand before in the order of nodes
            for name, call in assigned:
                called = last_name(call.func)
                if called == "add_parser" or (called in GROUPS and first_name(call) in found):
                    found.add(name)
        return found

    def _is_below(self, receiver: ast.expr) -> bool:
        chained = isinstance(receiver, ast.Call) and last_name(receiver.func) == "add_parser"
        return chained or first_name(receiver) in self.below
