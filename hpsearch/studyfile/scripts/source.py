"""The text of a Python program, and the literals in it. Nothing of it is run."""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hpsearch.errors import StudyFileError

MOST_VALUES = 50  # of a range(…) that is a list of choices
LARGEST_POWER = 64  # more is no default of an option, and may take all memory
OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


class NotLiteral(ValueError):
    """A value that the program computes."""


@dataclass(frozen=True)
class Source:
    """A Python file as a tree."""

    path: Path
    tree: ast.Module

    @classmethod
    def read(cls, path: Path) -> Source:
        """Parse a file.

        Raises:
            StudyFileError: it can't be read, or is no Python.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the program, e.g. invalid escapes
                return cls(path, ast.parse(path.read_bytes()))
        except SyntaxError as error:
            where = f" (line {error.lineno})" if error.lineno else ""
            got = f"{error.msg}{where}"
            raise StudyFileError(f"{path} must be valid Python, got: {got}") from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise StudyFileError(f"{path} must be valid Python, got: {error}") from error
        except OSError as error:
            raise StudyFileError(f"{path} must be readable, got: {error.strerror}") from error

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes."""
        return tuple(ast.walk(self.tree))

    def calls(self) -> Iterator[ast.Call]:
        """All calls, in the order of the text."""
        found = [node for node in self.nodes if isinstance(node, ast.Call)]
        return iter(sorted(found, key=lambda call: (call.end_lineno or 0, call.end_col_offset)))

    @cached_property
    def functions(self) -> Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        """By name."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return {node.name: node for node in self.nodes if isinstance(node, kinds)}

    @cached_property
    def modules(self) -> frozenset[str]:
        """The packages that it imports, by their first names."""
        found = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
        return frozenset(found)

    @cached_property
    def constants(self) -> Mapping[str, ast.expr]:
        """Names of the module that are bound once."""
        found: dict[str, ast.expr | None] = {}
        for node in self.tree.body:
            target: ast.expr | None = None
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target = node.targets[0]
            elif isinstance(node, ast.AnnAssign):
                target = node.target
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = None
            if isinstance(target, ast.Name):
                value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
                found[target.id] = None if target.id in found else value
        return {name: value for name, value in found.items() if value is not None}

    @cached_property
    def enums(self) -> Mapping[str, Mapping[str, Any]]:
        """The values of the members of its Enum classes."""
        found: dict[str, dict[str, Any]] = {}
        for node in self.nodes:
            if not isinstance(node, ast.ClassDef):
                continue
            if not any(last_name(base).endswith("Enum") for base in node.bases):
                continue
            members: dict[str, Any] = {}
            for line in node.body:
                if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                    name = line.targets[0].id
                    members[name] = name.lower()  # what auto() gives a StrEnum
                    if isinstance(line.value, ast.Constant):
                        members[name] = line.value.value
            found[node.name] = members
        return found

    def literal(self, node: ast.AST, deep: int = 0) -> Any:
        """The value of an expression of literals, and of names that are bound to such.

        Raises:
            NotLiteral: the program computes it.
        """
        if deep > 20:
            raise NotLiteral
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() if node.id in self.constants:
                return self.literal(self.constants[node.id], deep + 1)
            case ast.List() | ast.Tuple() | ast.Set():
                return [self.literal(one, deep + 1) for one in node.elts]
            case ast.Dict():
                return self._keys(node, deep)
            case ast.UnaryOp(op=ast.USub()):
                return _number(-_number(self.literal(node.operand, deep + 1)))
            case ast.BinOp():
                return self._computed(node, deep)
            case ast.Attribute(value=ast.Name()) if last_name(node.value) in self.enums:
                return self._member(self.enums[last_name(node.value)], node.attr)
            case ast.Attribute(attr="value"):
                return self.literal(node.value, deep + 1)
            case ast.Call():
                return self._called(node, deep)
        raise NotLiteral

    def known(self, node: ast.expr | None) -> Any:
        """As `literal`, None where there is nothing or the program computes it."""
        try:
            return None if node is None else self.literal(node)
        except NotLiteral:
            return None

    def text(self, node: ast.expr | None) -> str:
        """A text on one line; "" of everything else."""
        value = self.known(node)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def default(self, node: ast.expr | None) -> tuple[Any, bool]:
        """The default of an option, and whether the program computes it."""
        try:
            value = None if node is None else self.literal(node)
        except NotLiteral:
            return None, True
        plain = value is None or isinstance(value, bool | int | float | str | list)
        return (value, False) if plain else (None, True)

    def _keys(self, node: ast.Dict, deep: int) -> list[Any]:
        """A table is what its keys are: it is asked for as a list of choices."""
        if any(key is None for key in node.keys):
            raise NotLiteral
        return [self.literal(key, deep + 1) for key in node.keys if key is not None]

    def _computed(self, node: ast.BinOp, deep: int) -> Any:
        left = _number(self.literal(node.left, deep + 1))
        right = _number(self.literal(node.right, deep + 1))
        if type(node.op) not in OPERATORS or (
            isinstance(node.op, ast.Pow) and abs(right) > LARGEST_POWER
        ):
            raise NotLiteral
        try:
            return _number(OPERATORS[type(node.op)](left, right))
        except ArithmeticError as error:
            raise NotLiteral from error

    @staticmethod
    def _member(members: Mapping[str, Any], name: str) -> Any:
        if name not in members:
            raise NotLiteral
        return members[name]

    def _called(self, node: ast.Call, deep: int) -> Any:
        """list(MODELS), sorted(MODELS), MODELS.keys(), range(1, 5), Path("data")."""
        called = last_name(node.func)
        if called == "keys" and isinstance(node.func, ast.Attribute):
            return self.literal(node.func.value, deep + 1)
        if node.keywords or not node.args:
            raise NotLiteral
        values = [self.literal(one, deep + 1) for one in node.args]
        if called in ("list", "tuple", "sorted", "set") and isinstance(values[0], list):
            return values[0]
        if called in ("Path", "str") and isinstance(values[0], str) and len(values) == 1:
            return values[0]
        if called in ("int", "float") and isinstance(values[0], int | float):
            return int(values[0]) if called == "int" else float(values[0])
        if called == "range" and all(type(one) is int for one in values) and len(values) < 4:
            numbers = range(*values) if 0 not in values[2:] else range(0)
            if 0 < len(numbers) <= MOST_VALUES:
                return list(numbers)
        raise NotLiteral


def last_name(node: ast.AST) -> str:
    """The last name of a dotted one, "" of other expressions: "option" of click.option."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def first_name(node: ast.AST) -> str:
    """The name that a chain of attributes and calls begins with, "" if it is none."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """The named arguments of a call."""
    return {one.arg: one.value for one in call.keywords if one.arg is not None}


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotLiteral
    return value
