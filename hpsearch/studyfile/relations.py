"""Relations between parameters, such as "beta1 < beta2": what they mean, and for whom they hold.

A relation is read by Python's grammar and computed here, node by node; nothing is evaluated.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hpsearch.hyperparameters import ParamValue

DIGITS = 12  # of computed numbers: 0.1 + 0.2 is 0.3, and draws have 6
TRUTHS = {"true": True, "false": False}  # as TOML writes them
ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
ORDER: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: Mapping[str, Callable[..., float]] = {"min": min, "max": max, "abs": abs}


class _NoNumber(Exception):
    """A text stands where a number is compared or computed with."""


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
        """Whether a configuration keeps it.

        It does where it lacks one of the parameters, or has a text where a number is needed, such
        as "sqrt" in max_features < 0.5. It does not where nothing can be computed: a division by
        0, the root of a negative number.
        """
        if any(name not in params for name in self.names):
            return True
        try:
            return bool(_value(self.tree, params))
        except _NoNumber:
            return True
        except ArithmeticError:
            return False


def bound(key: str, side: str, other: str, place: str) -> Relation:
    """The relation that a bound says which names another parameter.

    Args:
        side: "low" or "high".
        place: where it stands in the file.
    """
    sign: ast.cmpop = ast.LtE() if side == "high" else ast.GtE()
    tree = ast.Compare(ast.Name(key), [sign], [ast.Name(other)])
    text = f"{key} {'<=' if side == 'high' else '>='} {other}"
    return Relation(text, place, (key, other), tree)


def names_in(tree: ast.expr) -> Iterator[str]:
    """The hyperparameters that a relation names, in order."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called:
            yield node.id


def _value(node: ast.expr, params: Mapping[str, ParamValue]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return params[node.id]
    if isinstance(node, ast.BoolOp):
        found = (bool(_value(one, params)) for one in node.values)
        return all(found) if isinstance(node.op, ast.And) else any(found)
    if isinstance(node, ast.Compare):
        return _compared(node, params)
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return not _value(node.operand, params)
        number = _number(node.operand, params)
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left, params), _number(node.right, params)
        result = ARITHMETIC[type(node.op)](left, right)
        if isinstance(result, complex):
            raise ArithmeticError
        return result
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return FUNCTIONS[node.func.id](*(_number(one, params) for one in node.args))


def _number(node: ast.expr, params: Mapping[str, ParamValue]) -> float:
    value = _value(node, params)
    if isinstance(value, str):
        raise _NoNumber
    return float(value)


def _compared(node: ast.Compare, params: Mapping[str, ParamValue]) -> bool:
    """A comparison, chained ones included."""
    sides = [node.left, *node.comparators]
    for place, sign in enumerate(node.ops):
        left, right = sides[place], sides[place + 1]
        order = ORDER.get(type(sign))
        if order is not None:
            kept = order(_rounded(_number(left, params)), _rounded(_number(right, params)))
        else:
            equal = _equal(_value(left, params), _value(right, params))
            kept = equal == isinstance(sign, ast.Eq)
        if not kept:
            return False
    return True


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool | str) or isinstance(right, bool | str):
        return type(left) is type(right) and bool(left == right)
    return _rounded(left) == _rounded(right)


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
