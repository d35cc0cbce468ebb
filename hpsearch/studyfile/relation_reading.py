"""From the texts of `relations` in a study file to relations, and what is wrong with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from optuna.distributions import CategoricalDistribution

from hpsearch.errors import Problem, unknown_name
from hpsearch.hyperparameters import ParamValue
from hpsearch.preparation.settings import PREFIX
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.relations.relation import (
    ARITHMETIC,
    FUNCTIONS,
    ORDER,
    TRUTHS,
    Relation,
    names_in,
    quoted,
)
from hpsearch.studyfile.space import Space

KEY = "relations"
EXAMPLE = 'such as "beta1 < beta2"'
LONGEST = 500  # characters
DEEPEST = 50  # operations inside each other, which are computed by recursion
GRAMMAR = (
    "numbers, names of parameters (in `backticks` where Python has no such names), + - * / **, "
    "comparisons, and, or, not, min, max and abs"
)
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`([^`]*)`")
Kinds = frozenset[str]
NUMBER, TEXT, TRUTH = frozenset({"a number"}), frozenset({"a text"}), frozenset({"true or false"})


def read_relations(texts: Sequence[str], space: Space) -> tuple[list[Relation], list[Problem]]:
    """The relations that these texts say of the space, and what is wrong with them."""
    found: list[Relation] = []
    problems: list[Problem] = []
    for place, text in enumerate(texts):
        try:
            found.append(_read(f"{KEY}.{place}", text, space))
        except _Wrong as wrong:
            problems.append(wrong.problem)
    return found, problems


def together_problems(space: Space) -> Iterator[Problem]:
    """Relations whose parameters no trial ever has together, or of which none is searched."""
    for relation in space.relations:
        entries = [
            [p for p in space.parameters if p.key == name]
            for name in relation.names
            if name not in space.fixed
        ]
        if not entries:
            rule = "must name a parameter that is searched"
            yield Problem(relation.key, rule, repr(relation.text))
        elif not any(map(_coexist, product(*entries))):
            rule = "must name parameters that a trial can have together, by their `when`"
            yield Problem(relation.key, rule, repr(relation.text))


def unkept_problems(arms: Sequence[Arm]) -> Iterator[Problem]:
    """Relations that leave nothing to draw."""
    for arm in arms:
        if not arm.space.relations or arm.space.keeping(0) is not None:
            continue
        relations = arm.space.relations
        upto = range(1, len(relations) + 1)
        first = next(n for n in upto if arm.space.with_relations(relations[:n]).keeping(0) is None)
        where = f" in {arm.name}" if arm.name else ""
        beside = ", ".join(repr(one.text) for one in relations[: first - 1])
        hint = ("no configuration was found that satisfies it") + (
            f" beside {beside}" if beside else ""
        )
        if any(_equates(one, arm.space) for one in relations[:first]):
            hint += "; draws of real numbers never satisfy an equality: search all but one "
            hint += "of them, and compute that one from the others in your trainer"
        rule, got = f"must leave a configuration to draw{where}", repr(relations[first - 1].text)
        yield Problem(relations[first - 1].key, rule, got, hint)
        return


def _equates(relation: Relation, space: Space) -> bool:
    """Whether it wants numbers of ranges without steps to be equal."""
    fine = {p.key for p in space.parameters if p.n_values() is None}
    signs = (node for node in ast.walk(relation.tree) if isinstance(node, ast.Compare))
    return any(
        any(isinstance(sign, ast.Eq) for sign in node.ops) and not fine.isdisjoint(names_in(node))
        for node in signs
    )


def misplaced(said: Mapping[str, Any]) -> Iterator[Problem]:
    """Relations under a key that means something else."""
    space = said.get("space")
    places = {"constraints": said.get("constraints")}
    if isinstance(space, Mapping):
        places |= {f"space.{name}": space.get(name) for name in ("constraints", KEY)}
    for key, value in places.items():
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            rule = "must not be a list of texts"
            hint = f"relations between parameters are {KEY} = [...], above the first table"
            yield Problem(key, rule, hint=hint)


class _Wrong(ValueError):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.statement)


def _read(key: str, text: str, space: Space) -> Relation:
    if len(text) > LONGEST:
        raise _Wrong(Problem(key, f"must have at most {LONGEST} characters", str(len(text))))
    try:
        plain, names = _without_quotes(text.strip())
        parsed = ast.parse(plain, mode="eval").body
        if _depth(parsed) > DEEPEST:
            raise _Wrong(Problem(key, f"must be nested at most {DEEPEST} deep", repr(text)))
        tree = _Names(key, space, names).visit(parsed)
        _Checks(key, text, space).check(tree)
    except _Wrong:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        single = text.count("=") == 1 and not any(sign in text for sign in ("<=", ">=", "!="))
        hint = "equality is ==" if single else getattr(error, "msg", "") or str(error)
        unquoted = (name for name in _named(space) if name in text and quoted(name) not in text)
        if (name := next(unquoted, None)) is not None:
            hint = f"write this parameter in backticks: {quoted(name)}"
        raise _Wrong(Problem(key, f"must be a relation {EXAMPLE}", repr(text), hint)) from error
    return Relation(text.strip(), key, tuple(dict.fromkeys(names_in(tree))), tree)


def _named(space: Space) -> list[str]:
    """All names of parameters."""
    return [*dict.fromkeys([*(p.key for p in space.parameters), *space.fixed])]


def _without_quotes(text: str) -> tuple[str, dict[str, str]]:
    """A text with Python's names in place of those in backticks, and what they stand for."""
    names: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        if found[1] is None:  # a text
            return found[0]
        names[place := f"__{len(names)}__"] = found[1]
        return place

    return QUOTED.sub(plain, text), names


class _Names(ast.NodeTransformer):
    """Makes hyperparameters of all names: "prepare.scale" is one, and true is none."""

    def __init__(self, key: str, space: Space, names: Mapping[str, str]) -> None:
        self._key, self._quoted = key, names
        self._known = _named(space)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            called = ast.unparse(node.func)
            raise _Wrong(
                unknown_name(self._key, called, FUNCTIONS, first="calls a function that ")
            )
        node.args = [self.visit(one) for one in node.args]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._named(ast.unparse(node))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._named(self._quoted.get(node.id, node.id))

    def _named(self, name: str) -> ast.expr:
        if name in self._known:
            return ast.Name(name)
        if name in TRUTHS:
            return ast.Constant(TRUTHS[name])
        names = [one for one in self._known if one.startswith(PREFIX) == name.startswith(PREFIX)]
        first = "names a parameter that "
        raise _Wrong(unknown_name(self._key, name, map(quoted, names), first=first))


class _Checks:
    """Refuses what is no relation, or compares what can't be compared."""

    def __init__(self, key: str, text: str, space: Space) -> None:
        self._key, self._text = key, text
        self._values: dict[str, list[Any]] = {k: [v] for k, v in space.fixed.items()}
        for parameter in space.parameters:
            values = self._values.get(parameter.key, [])
            d = parameter.distribution
            chosen = list(d.choices) if isinstance(d, CategoricalDistribution) else [0.5]
            self._values[parameter.key] = [*values, *chosen]

    def check(self, tree: ast.expr) -> None:
        if not isinstance(tree, ast.Compare | ast.BoolOp | ast.UnaryOp):
            self._wrong(f"must be a relation {EXAMPLE}")
        self._wants(tree, TRUTH)

    def _wrong(self, rule: str, node: ast.expr | None = None, hint: str = "") -> None:
        got = repr(self._text)
        shown = got if node is None or ast.unparse(node) == self._text else ast.unparse(node)
        whole = f" in {got}" if shown != got else ""
        raise _Wrong(Problem(self._key, rule, shown + whole, hint))

    def _wants(self, node: ast.expr, kind: Kinds) -> None:
        if not self._kinds(node) & kind:
            self._wrong(f"must have {', '.join(kind)} here", node)

    def _kinds(self, node: ast.expr) -> Kinds:
        """What its value may be."""
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
            return _kind(node.value)
        if isinstance(node, ast.Name):
            return frozenset().union(*map(_kind, self._values[node.id]))
        if isinstance(node, ast.BoolOp):
            for one in node.values:
                self._wants(one, TRUTH)
            return TRUTH
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Invert):
            kind = TRUTH if isinstance(node.op, ast.Not) else NUMBER
            self._wants(node.operand, kind)
            return kind
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            self._wants(node.left, NUMBER)
            self._wants(node.right, NUMBER)
            return NUMBER
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Compare):
            return self._compared(node)
        self._wrong(f"may contain only {GRAMMAR}", node)
        raise AssertionError

    def _called(self, node: ast.Call) -> Kinds:
        least, name = (1, "abs") if ast.unparse(node.func) == "abs" else (2, "min and max")
        many = len(node.args) > 1 if name == "abs" else len(node.args) < least
        if many or not node.args or node.keywords:
            self._wrong("must give abs one number, and min and max two or more", node)
        for one in node.args:
            self._wants(one, NUMBER)
        return NUMBER

    def _compared(self, node: ast.Compare) -> Kinds:
        sides = [node.left, *node.comparators]
        for sign, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if type(sign) in ORDER:
                self._wants(left, NUMBER)
                self._wants(right, NUMBER)
            elif not isinstance(sign, ast.Eq | ast.NotEq):
                self._wrong("must compare by <, <=, >, >=, == or !=", node)
            else:
                self._equated(node, left, right)
                self._equated(node, right, left)
        return TRUTH

    def _equated(self, node: ast.Compare, left: ast.expr, right: ast.expr) -> None:
        if not self._kinds(left) & self._kinds(right):
            self._wrong("must compare values of the same kind", node)
        if isinstance(right, ast.Constant) and isinstance(right.value, str):
            texts = [v for v in self._texts(left) if isinstance(v, str)]
            if right.value not in texts:
                first = f"compares {ast.unparse(left)} with a text that "
                raise _Wrong(unknown_name(self._key, right.value, texts, first=first))

    def _texts(self, node: ast.expr) -> list[Any]:
        return self._values[node.id] if isinstance(node, ast.Name) else []


def _depth(tree: ast.expr) -> int:
    """How many levels of nodes there are."""
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _kind(value: object) -> Kinds:
    return TRUTH if isinstance(value, bool) else TEXT if isinstance(value, str) else NUMBER


def _coexist(entries: Sequence[Parameter]) -> bool:
    """Whether the conditions of all can hold in one trial."""
    left: dict[str, set[ParamValue]] = {}
    for entry in entries:
        for name, values in entry.when.items():
            left[name] = left.get(name, set(values)) & set(values)
    return all(left.values())
