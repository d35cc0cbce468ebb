"""The options of a program that has typer, from the parameters of its command."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hpsearch.studyfile.scripts.click_options import Function, number, pair
from hpsearch.studyfile.scripts.option import CommandLine, Kind, Option, flag_name
from hpsearch.studyfile.scripts.source import Source, first_name, keywords, last_name

KINDS: Mapping[str, Kind] = {"int": "int", "float": "float", "bool": "bool", "str": "str"}
SEVERAL = ("list", "List", "tuple", "Tuple", "Sequence", "set")
WRAPPERS = ("Optional", "Union")
DESCRIBED = ("Option", "Argument")  # of typer


def typer_line(source: Source) -> CommandLine:
    """What its command takes; of several commands their names alone."""
    if "typer" not in source.modules:
        return CommandLine("typer")
    commands = [
        (function, decorator)
        for function in source.functions.values()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and last_name(decorator.func) == "command"
    ]
    run = [
        source.functions[last_name(call.args[0])]
        for call in source.calls()
        if last_name(call.func) == "run" and first_name(call.func) in ("typer", "run")
        if call.args and last_name(call.args[0]) in source.functions
    ]
    if len(run) == 1 and not commands:
        return CommandLine("typer", tuple(_options(source, run[0])))
    names = tuple(_command_name(source, *command) for command in commands)
    if len(commands) != 1:
        return CommandLine("typer", subcommands=names)
    # A callback makes a group of an app that has one command.
    called_back = any(last_name(call.func) == "callback" for call in source.calls())
    options = tuple(_options(source, commands[0][0]))
    return CommandLine("typer", options, names if called_back else ())


def _command_name(source: Source, function: Function, decorator: ast.Call) -> str:
    named = decorator.args[0] if decorator.args else keywords(decorator).get("name")
    return source.text(named) or function.name.lower().replace("_", "-")


def _options(source: Source, function: Function) -> Iterator[Option]:
    arguments = function.args
    several = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(several) - len(arguments.defaults)) + [*arguments.defaults]
    several += arguments.kwonlyargs
    defaults += arguments.kw_defaults
    for argument, default in zip(several, defaults, strict=True):
        annotation = _parsed(argument.annotation)
        described: ast.Call | None = None
        if isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Annotated":
            inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
            described = next(filter(None, map(_description, inner[1:])), None)
            annotation = inner[0] if inner else None
        if (found := _description(default)) is not None:
            described = found
            values = [*found.args[:1], *filter(None, [keywords(found).get("default")])]
            default = next(iter(values), None)
            described = ast.Call(found.func, found.args[1:], found.keywords)
        if last_name(annotation or argument) in ("Context", "CallbackParam"):
            continue
        yield _option(source, argument.arg, annotation, default, described)


def _option(
    source: Source,
    name: str,
    annotation: ast.expr | None,
    default: ast.expr | None,
    described: ast.Call | None,
) -> Option:
    missing = default is None or (isinstance(default, ast.Constant) and default.value is ...)
    value, computed = (None, False) if missing else source.default(default)
    given = keywords(described) if described else {}
    positional = missing and described is None
    positional |= described is not None and last_name(described.func) == "Argument"
    names = [source.text(one) for one in described.args] if described else []
    flag, off = pair([one for one in names if one.startswith("-")])
    long = f"--{name.replace('_', '-')}"
    made = _typed(source, Option("" if positional else flag or long, name), annotation)
    made = replace(
        made,
        default=value,
        computed=computed,
        required=missing,
        low=number(source.known(given.get("min"))),
        high=number(source.known(given.get("max"))),
        help=source.text(given.get("help")),
    )
    if made.kind != "bool" or positional or made.several:
        return made
    if not flag:
        off = f"--no-{long[2:]}"
    if not off:  # one flag alone, given or not
        made = replace(made, name=flag_name(flag), default=False)
    return replace(made, switch=True, off=off, required=False)


def _typed(source: Source, option: Option, annotation: ast.expr | None) -> Option:
    """With the kind and the choices of an annotation."""
    match annotation:
        case ast.BinOp(op=ast.BitOr()):
            return _typed(source, option, _something(annotation.left, annotation.right))
        case ast.Subscript() if last_name(annotation.value) in WRAPPERS:
            inner = annotation.slice
            sides = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _typed(source, option, _something(*sides))
        case ast.Subscript() if last_name(annotation.value) == "Literal":
            listed = annotation.slice
            values: Any = source.known(listed)
            choices = values if isinstance(values, list) else [values]
            return replace(option, choices=tuple(one for one in choices if one is not None))
        case ast.Subscript() if last_name(annotation.value) in SEVERAL:
            return replace(option, several=True)
        case ast.Name() | ast.Attribute():
            name = last_name(annotation)
            if name in SEVERAL:
                return replace(option, several=True)
            if name in source.enums:
                return replace(option, choices=tuple(source.enums[name].values()))
            return replace(option, kind=KINDS.get(name, option.kind))
    return option


def _parsed(annotation: ast.expr | None) -> ast.expr | None:
    """An annotation, also one that is written as a text."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return None
    return annotation


def _description(node: ast.expr | None) -> ast.Call | None:
    """The call of typer.Option or typer.Argument that an expression is."""
    is_one = isinstance(node, ast.Call) and last_name(node.func) in DESCRIBED
    return node if is_one and isinstance(node, ast.Call) else None


def _something(*sides: ast.expr) -> ast.expr | None:
    """The first of a union's types that is not None."""
    for node in sides:
        if not (isinstance(node, ast.Constant) and node.value is None):
            return node
    return None
