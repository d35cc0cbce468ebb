"""Relations between parameters: what they mean, and which mistakes are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hpsearch.samplers.coarse_to_fine.encoding import Encoding
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.space import read_space

OWN = "program"  # which takes any names
ENTRIES: dict[str, Any] = {
    "trainer": OWN,
    "a": {"low": 1, "high": 9, "step": 1},
    "b": {"low": 0.0, "high": 1.0},
    "c": {"low": 0.0, "high": 1.0, "when": {"kind": "deep"}},
    "d": {"low": 0.0, "high": 1.0, "when": {"kind": "flat"}},
    "kind": {"choices": ["deep", "flat"]},
    "part": {"choices": ["sqrt", 0.5, 1.0]},
    "bare": {"choices": [True, False]},
    "size": 4,
}

ODD: dict[str, Any] = {  # names that Python would take for something else
    "learning-rate": {"low": 0.0, "high": 1.0},
    "lambda": {"low": 0.0, "high": "learning-rate"},
}
TICKS = {"choices": ["deep", "flat", "de`ep`"]}


def space_of(*relations: str, **entries: Any) -> Space:
    """A space of a user's function with these relations."""
    space, problems = read_space({}, {**ENTRIES, **entries}, relations=relations)
    assert not problems
    assert space is not None
    return space


def test_a_bound_of_one_entry_holds_where_the_entry_does() -> None:
    few = {"low": 1, "high": "a", "when": {"kind": "deep"}}
    many = {"low": "a", "high": 99, "when": {"kind": ["flat"]}}
    space = space_of(e=[few, many])
    assert [relation.text for relation in space.relations] == [
        "e <= a where kind = deep",
        "e >= a where kind = flat",
    ]
    for kind, e, kept in (("deep", 3, True), ("deep", 9, False), ("flat", 9, True)):
        assert (space.broken({"trainer": OWN, "kind": kind, "a": 5, "e": e}) is None) == kept


@pytest.mark.parametrize(
    ("relation", "params", "kept"),
    [
        ("a < size", {"a": 3}, True),
        ("a < size", {"a": 4}, False),
        ("0.1 < b < 0.3", {"b": 0.2}, True),
        ("0.1 < b < 0.3", {"b": 0.3}, False),
        ("b + c <= 0.3", {"b": 0.1, "c": 0.2}, True),  # 0.30000000000000004 in binary
        ("b + c <= 0.3", {"b": 0.1, "c": 0.2001}, False),
        ("b + c <= 0.3", {"b": 0.9}, True),  # c is not there
        ("kind == 'deep' or a > 5", {"kind": "flat", "a": 5}, False),
        ("not (kind == 'flat' and a > 5)", {"kind": "flat", "a": 6}, False),
        ("max(a, size) ** 2 - abs(-a) * 2 <= 8", {"a": 4}, True),
        ("min(a, size) >= 2", {"a": 1}, False),
        ("part < 0.8", {"part": 1.0}, False),
        ("part < 0.8", {"part": "sqrt"}, True),  # no number there
        ("part == 'sqrt' or a < 3", {"part": 0.5, "a": 3}, False),
        ("bare or b < 0.5", {"bare": False, "b": 0.7}, False),
        ("bare == true or b < 0.5", {"bare": True, "b": 0.7}, True),
        ("1 / (a - 4) < 5", {"a": 4}, False),  # a division by 0
        ("(b - 1) ** 0.5 < 5", {"b": 0.5}, False),  # no real number
        ("9 ** 9 ** 9 ** a > 0", {"a": 9}, False),
    ],
)
def test_relations_mean_what_they_say(relation: str, params: dict[str, Any], kept: bool) -> None:
    space = space_of(relation)
    assert (space.broken(params) is None) == kept


@pytest.mark.parametrize(
    ("relation", "mistake"),
    [
        ("a < siez", "names a parameter that must be one of a, b, kind,"),
        ("a < siez", "did you mean 'size'?"),
        ("a = b", "equality is =="),
        ("a <", "must be a relation such as"),
        ("a + b", "must be a relation such as"),
        ("5", "must be a relation such as"),
        ("kind < 3", "must have a number"),
        ("kind == 'deap'", "did you mean 'deep'?"),
        ("kind == 3", "must compare values of the same kind"),
        ("a in (1, 2)", "must compare by"),
        ("eval(a) < 3", "must be one of min, max, abs"),
        ("a.__class__ == 3", "names a parameter that"),
        ("[x for x in (1,)] < 3", "names a parameter that"),
        ("(lambda: 3)() < a", "calls a function that"),
        ("a % 2 == 1", "may contain only numbers, names"),
        ("abs(a, b) < 3", "must give abs one number"),
        ("max(a, key=b) < 3", "must give abs one number"),
        ("a and b", "must have true or false"),
        ("f'{a}' == 'b'", "may contain only numbers"),
        ("-" * 450 + "a < 3", "must be nested at most 50 deep"),
        ("a" * 501, "must have at most 500 characters"),
        ("size < 5", "must name a parameter that is searched"),
        ("c < d", "must name parameters that a trial can have together"),
        ("learning-rate < 0.5", "(did you mean '`learning-rate`'?)"),
        ("lambda < 0.5", "write this parameter in backticks: `lambda`"),
        ("`learning-rat` < 0.5", "(did you mean '`learning-rate`'?)"),
        ("`b < 0.5", "must be a relation such as"),
    ],
)
def test_mistakes_are_named(relation: str, mistake: str) -> None:
    space, problems = read_space({}, ENTRIES | ODD, relations=[relation])
    assert space is None
    assert [problem.key for problem in problems] == ["relations.0"]
    assert mistake in problems[0].statement


def test_a_bound_may_name_another_parameter() -> None:
    space = space_of(x={"low": 2, "high": "a", "int": True}, y={"low": "size", "high": "x"})
    ranges = {p.key: p.distribution for p in space.parameters}
    assert (ranges["x"].low, ranges["x"].high) == (2, 9)  # type: ignore[attr-defined]
    assert (ranges["y"].low, ranges["y"].high) == (4, 9)  # type: ignore[attr-defined]
    found = {r.key: r.text for r in space.relations}
    assert found["space.x.high"] == "x <= a"
    assert found["space.y.low"] == "y >= size"
    assert space.broken({"x": 5, "a": 4}) is not None


def test_a_name_that_python_has_not_stands_in_backticks() -> None:
    odd = space_of("`learning-rate` <= b + `lambda` or kind == 'de`ep`'", **ODD, kind=TICKS)
    assert [r.text for r in odd.relations][1:] == ["`lambda` <= `learning-rate`"]
    assert odd.broken({"learning-rate": 0.9, "b": 0.1, "lambda": 0.2, "kind": "deep"}) is not None
    assert odd.broken({"learning-rate": 0.3, "b": 0.1, "lambda": 0.2, "kind": "deep"}) is None
    assert odd.broken({"learning-rate": 0.9, "b": 0.1, "lambda": 0.2, "kind": "de`ep`"}) is None


@pytest.mark.parametrize(
    "relation",
    [
        "a < 5 and b + c < 0.5",
        "kind == 'deep' or part < 0.7",
        "a * b != 2 and not bare",
        "b < c < 0.7 or abs(b - a / 9) > 0.5",
    ],
)
def test_many_configurations_keep_what_each_of_them_keeps(relation: str) -> None:
    space, rng = space_of(relation, one={"choices": ["alone"]}), np.random.default_rng(0)
    free = space.with_relations([])
    drawn = [free.in_optuna(free.kept(rng)) for _ in range(200)]
    encoding = Encoding({p.name: p.distribution for p in space.parameters if p.key != "one"}, [])
    known = space.for_samplers
    assert known is not None
    each = [known.hold(params) for params in drawn]
    assert known.hold_all(encoding.columns(encoding.rows(drawn))).tolist() == each
    assert 20 < sum(each) < 180


@pytest.mark.parametrize(
    ("high", "mistake"),
    [
        ("aa", "space.x.high must be a finite number or the name of a numeric parameter"),
        ("kind", "space.x.high must be a finite number or the name of a numeric parameter"),
        ("x", "space.x.high must not lead back to itself"),
        ("y", "space.x.high must not lead back to itself"),
    ],
)
def test_bounds_that_name_no_numbers_are_refused(high: str, mistake: str) -> None:
    entries = {"x": {"low": 1, "high": high}, "y": {"low": 1, "high": "x"}}
    space, problems = read_space({}, {**ENTRIES, **entries})
    assert space is None
    assert problems[0].statement.startswith(mistake)


def test_configurations_that_break_a_relation_are_not_counted() -> None:
    entries = {
        "trainer": OWN,
        "a": {"low": 1, "high": 4, "step": 1},
        "b": {"low": 1, "high": 4, "log": True, "int": True},
    }
    space, _ = read_space({}, entries, relations=["a < b"])
    assert space is not None
    assert space.size(10) == 6
    assert space.size(5) is None
    del entries["b"]["log"]  # type: ignore[attr-defined]
    grid, _ = read_space({}, entries, relations=["a < b"])
    assert grid is not None
    assert [(c["a"], c["b"]) for c in grid.cells()] == [
        *((1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
    ]


@pytest.mark.parametrize("relation", ["a < 5", "b < 0.3 and a == 3"])
def test_uniform_draws_keep_relations_and_what_is_given(relation: str) -> None:
    space, rng = space_of(relation), np.random.default_rng(0)
    for _ in range(20):
        params = space.kept(rng, {"kind": "flat"})
        assert params["kind"] == "flat"
        assert space.broken(params) is None
    assert space.keeping(0, {"a": 9}) is None
