"""The options of a program that has click, from the decorators of its command."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hpsearch.studyfile.scripts.option import (
    CommandLine,
    Kind,
    Option,
    flag_name,
    kind_of,
    main_flag,
)
from hpsearch.studyfile.scripts.source import Source, keywords, last_name

COMMANDS = ("command", "Command")
GROUP = "group"
KINDS: Mapping[str, Kind] = {
    "int": "int",
    "INT": "int",
    "IntRange": "int",
    "float": "float",
    "FLOAT": "float",
    "FloatRange": "float",
    "bool": "bool",
    "BOOL": "bool",
    "str": "str",
    "STRING": "str",
    "Choice": "str",
    "Path": "str",
    "File": "str",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def click_line(source: Source) -> CommandLine:
    """What its command takes; of several commands their names alone."""
    if not any("click" in module for module in source.modules):
        return CommandLine("click")
    functions = source.functions.values()
    commands = [function for function in functions if _decorated(function, COMMANDS)]
    grouped = any(_decorated(function, (GROUP,)) for function in functions)
    names = tuple(_command_name(source, command) for command in commands)
    if len(commands) != 1:
        return CommandLine("click", subcommands=names)
    options = tuple(filter(None, (_option(source, one) for one in _calls(commands[0]))))
    return CommandLine("click", options, names if grouped else ())


def _decorated(function: Function, names: tuple[str, ...]) -> bool:
    found = (one.func if isinstance(one, ast.Call) else one for one in function.decorator_list)
    return any(last_name(one) in names for one in found)


def _command_name(source: Source, function: Function) -> str:
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and last_name(one.func) in COMMANDS:
            named = one.args[0] if one.args else keywords(one).get("name")
            value = source.known(named)
            if isinstance(value, str):
                return value
    return function.name.lower().replace("_", "-")


def _calls(function: Function) -> Iterator[ast.Call]:
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and last_name(one.func) in ("option", "argument"):
            yield one


def _option(source: Source, call: ast.Call) -> Option | None:
    names = [source.known(one) for one in call.args]
    given = keywords(call)
    if not names or not all(isinstance(name, str) and name for name in names):
        return None
    flags = [name for name in names if name.startswith("-")]
    plain = [name for name in names if not name.startswith("-")]
    flag, off = pair(flags)
    default, computed = source.default(given.get("default"))
    made = Option(
        flag,
        next(iter(plain), flag_name(flag)).replace("-", "_"),
        kind=kind_of(default),
        default=default,
        computed=computed,
        several=any(source.known(given.get(key)) for key in ("multiple", "count"))
        or source.known(given.get("nargs")) not in (None, 1),
        required=source.known(given.get("required")) is True or "prompt" in given,
        help=source.text(given.get("help")),
    )
    if last_name(call.func) == "argument":
        asked = source.known(given.get("required"))
        required = asked is not False and "default" not in given
        made = replace(made, required=required, flag="", name=names[0].replace("-", "_"))
    elif off or source.known(given.get("is_flag")) is True or "flag_value" in given:
        return replace(made, kind="bool", switch=True, off=off, required=False)
    return typed(source, made, given.get("type"))


def typed(source: Source, option: Option, asked: ast.expr | None) -> Option:
    """With what a type of click says: its kind, choices and bounds."""
    if asked is None:
        return option
    name = last_name(asked.func if isinstance(asked, ast.Call) else asked)
    option = replace(option, kind=KINDS.get(name, option.kind))
    if not isinstance(asked, ast.Call):
        return option
    given = keywords(asked)
    if name == "Choice":
        listed = asked.args[0] if asked.args else given.get("choices")
        if last_name(listed or asked) in source.enums:
            return replace(option, choices=tuple(source.enums[last_name(listed or asked)]))
        choices = source.known(listed)
        return replace(option, choices=tuple(choices) if isinstance(choices, list) else ())
    if name in ("IntRange", "FloatRange"):
        low, high = (
            source.known(given.get(key, asked.args[place] if place < len(asked.args) else None))
            for place, key in enumerate(("min", "max"))
        )
        return replace(option, low=number(low), high=number(high))
    return option


def pair(flags: list[str]) -> tuple[str, str]:
    """The flag, and that for false of "--amp/--no-amp"; "" of none."""
    for flag in flags:
        on, slash, off = flag.partition("/")
        if slash:
            return on.strip(), off.strip()
    return main_flag(flags), ""


def number(value: Any) -> float | None:
    """A bound, None where it is no number."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
