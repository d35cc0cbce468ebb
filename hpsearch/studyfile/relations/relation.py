"""Relations between parameters, such as "beta1 < beta2": what they mean, and for whom they hold.

A relation is read by Python's grammar and computed here, node by node, of many configurations at
once; nothing is evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from keyword import iskeyword
from typing import Any

import numpy as np

from hpsearch.hyperparameters import ParamValue
from hpsearch.samplers.unit import Floats, to_digits
from hpsearch.studyfile.relations.table import (
    ABSENT,
    NO_NUMBER,
    NOT_COMPUTED,
    NUMBER,
    TEXT,
    TRUTH,
    Column,
    Kinds,
    Table,
    Truths,
)

DIGITS = 12  # of computed numbers: 0.1 + 0.2 is 0.3, and draws have 6
TRUTHS = {"true": True, "false": False}  # as TOML writes them
ARITHMETIC: Mapping[type[ast.operator], Callable[[Floats, Floats], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
ORDER: Mapping[type[ast.cmpop], Callable[[Floats, Floats], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
FUNCTIONS: Mapping[str, Callable[[list[Floats]], Any]] = {
    "min": lambda numbers: reduce(np.minimum, numbers),
    "max": lambda numbers: reduce(np.maximum, numbers),
    "abs": lambda numbers: np.abs(numbers[0]),
}


@dataclass(frozen=True)
class Relation:
    """What the values of some parameters must keep in every configuration.

    Attributes:
        text: as the study file says it, e.g. "beta1 < beta2".
        key: where it stands there, e.g. "relations.0".
        names: the hyperparameters that it names.
        tree: what is computed; its names are those of hyperparameters.
    """

    text: str
    key: str
    names: tuple[str, ...]
    tree: ast.expr = field(compare=False, repr=False)

    def holds(self, params: Mapping[str, ParamValue]) -> bool:
        """Whether a configuration keeps it."""
        if any(name not in params for name in self.names):
            return True
        return bool(self.kept(Table.of([params], self.names))[0])

    def kept(self, table: Table) -> Truths:
        """Which configurations keep it, (n,).

        One does where it lacks one of the parameters, or has a text where a number is needed, such
        as "sqrt" in max_features < 0.5. It does not where nothing can be computed: a division by
        0, the root of a negative number.
        """
        there = np.ones(table.n, bool)
        for name in self.names:
            there &= table.column(name).kinds != ABSENT
        with np.errstate(all="ignore"):
            found = _value(self.tree, table)
        fine = (found.kinds != NOT_COMPUTED) & (found.numbers != 0)
        return np.asarray(~there | (found.kinds == NO_NUMBER) | fine)


def bound(
    key: str, side: str, other: str, place: str, when: Mapping[str, Sequence[ParamValue]]
) -> Relation:
    """The relation that a bound says which names another parameter.

    Args:
        side: "low" or "high".
        place: where it stands in the file.
        when: the values of others for which it holds, of one of several entries; else {}.
    """
    sign: ast.cmpop = ast.LtE() if side == "high" else ast.GtE()
    tree: ast.expr = ast.Compare(ast.Name(key), [sign], [ast.Name(other)])
    text = f"{quoted(key)} {'<=' if side == 'high' else '>='} {quoted(other)}"
    if when:
        tree = ast.BoolOp(ast.Or(), [*(_none_of(*one) for one in when.items()), tree])
        named = (f"{quoted(k)} = {' or '.join(map(str, values))}" for k, values in when.items())
        text += f" where {' and '.join(named)}"
    return Relation(text, place, (key, other, *when), tree)


def _none_of(name: str, values: Sequence[ParamValue]) -> ast.expr:
    """Whether a parameter has none of these values."""
    equal: list[ast.expr] = [
        ast.Compare(ast.Name(name), [ast.Eq()], [ast.Constant(value)]) for value in values
    ]
    return ast.UnaryOp(ast.Not(), equal[0] if len(equal) == 1 else ast.BoolOp(ast.Or(), equal))


def quoted(name: str) -> str:
    """A parameter's name as a relation says it: in backticks where it is no name to Python."""
    parts = name.split(".")
    plain = all(part.isidentifier() and not iskeyword(part) for part in parts)
    return name if plain else f"`{name}`"


def names_in(tree: ast.expr) -> Iterator[str]:
    """The hyperparameters that a relation names, in order."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called:
            yield node.id


def _value(node: ast.expr, table: Table) -> Column:
    if isinstance(node, ast.Constant):
        return table.constant(node.value)
    if isinstance(node, ast.Name):
        return table.column(node.id)
    if isinstance(node, ast.BoolOp):
        parts = (_value(one, table) for one in node.values)
        return _joined(parts, table.n, stop=isinstance(node.op, ast.Or))
    if isinstance(node, ast.Compare):
        return _joined(_links(node, table), table.n, stop=False)
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            value = _value(node.operand, table)
            return Column(_fault(value.kinds, else_=TRUTH), _truth(value.numbers == 0))
        number = _number(node.operand, table)
        return Column(
            number.kinds, -number.numbers if isinstance(node.op, ast.USub) else number.numbers
        )
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left, table), _number(node.right, table)
        result = ARITHMETIC[type(node.op)](left.numbers, right.numbers)
        kinds = _fault(left.kinds, right.kinds, else_=NUMBER)
        return Column(
            np.where((kinds == NUMBER) & ~np.isfinite(result), NOT_COMPUTED, kinds), result
        )
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    given = [_number(one, table) for one in node.args]
    kinds = _fault(*(one.kinds for one in given), else_=NUMBER)
    return Column(kinds, FUNCTIONS[node.func.id]([one.numbers for one in given]))


def _number(node: ast.expr, table: Table) -> Column:
    """A value that is computed with."""
    value = _value(node, table)
    kinds = np.where(np.isin(value.kinds, (TEXT, ABSENT)), NO_NUMBER, value.kinds)
    return Column(kinds, value.numbers)


def _joined(parts: Iterable[Column], n: int, *, stop: bool) -> Column:
    """Of each configuration the first part that is `stop` or can't be computed; else the last."""
    kinds, numbers = np.full(n, TRUTH, np.int8), _truth(np.full(n, not stop))
    left = np.ones(n, bool)
    for part in parts:
        wrong = left & (part.kinds >= NO_NUMBER)
        kinds[wrong] = part.kinds[wrong]
        decided = left & ~wrong & ((part.numbers != 0) == stop)
        numbers[decided] = stop
        left &= ~wrong & ~decided
    return Column(kinds, numbers)


def _links(node: ast.Compare, table: Table) -> Iterator[Column]:
    """The comparisons of a chain."""
    sides = [node.left, *node.comparators]
    for place, sign in enumerate(node.ops):
        order = ORDER.get(type(sign))
        if order is not None:
            left, right = (_number(side, table) for side in sides[place : place + 2])
            kept = order(to_digits(left.numbers, DIGITS), to_digits(right.numbers, DIGITS))
        else:
            left, right = (_value(side, table) for side in sides[place : place + 2])
            kept = _equal(left, right) == isinstance(sign, ast.Eq)
        yield Column(_fault(left.kinds, right.kinds, else_=TRUTH), _truth(kept))


def _equal(left: Column, right: Column) -> Truths:
    same = to_digits(left.numbers, DIGITS) == to_digits(right.numbers, DIGITS)
    return np.asarray(same & (left.kinds == right.kinds))


def _fault(*kinds: Kinds, else_: int) -> Kinds:
    """The first of the operands that could not be computed, where there is one."""
    found = np.full(kinds[0].shape, else_, np.int8)
    for one in reversed(kinds):
        found = np.where(one >= NO_NUMBER, one, found)
    return found


def _truth(kept: Any) -> Floats:
    return np.asarray(kept, float)
