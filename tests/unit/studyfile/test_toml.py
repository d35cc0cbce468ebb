"""Whatever is written as TOML reads back equal."""

from __future__ import annotations

import math
import tomllib
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.studyfile.toml import toml_key, toml_table, toml_value

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Texts of what is special in TOML come often: quotes, escapes, ends of lines, control characters.
TEXTS = st.one_of(st.text(), st.text(alphabet="\"'\\\n\r\t\x00\x1f\x7f\x85#=[]{},.é\u2028😀"))
PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(),
    st.floats(),
    TEXTS,
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=ZONES),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal with all types, bits of floats and time zones."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return type(other) is float and (repr(one) == repr(other))
    if isinstance(one, datetime):
        return bool(one == other) and one.utcoffset() == other.utcoffset()
    return type(one) is type(other) and bool(one == other)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_a_value_reads_back_equal(value: Any) -> None:
    text = toml_value(value)
    assert "\n" not in text
    assert same(tomllib.loads(f"v = {text}")["v"], value)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=4))
def test_a_table_reads_back_equal(name: str, values: dict[str, Any]) -> None:
    assert same(tomllib.loads(toml_table(name, values)), {name: values})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (0.1, "0.1"),
        (1e-05, "1e-05"),
        (1e22, "1e+22"),
        (-0.0, "-0.0"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        ("sgd", '"sgd"'),
        ('a "b"\n\\', r'"a \"b\"\n\\"'),
        ("a\x7f", r'"a\u007f"'),
        ([1, "x"], '[1, "x"]'),
        ({}, "{}"),
        ({"low": 0.1, "a b": False}, '{ low = 0.1, "a b" = false }'),
        (date(2024, 1, 31), "2024-01-31"),
        (time(1, 2, 3), "01:02:03"),
    ],
)
def test_values_are_written_as_people_write_them(value: Any, text: str) -> None:
    assert toml_value(value) == text


@pytest.mark.parametrize(("name", "text"), [("low", "low"), ("a.b", '"a.b"'), ("", '""')])
def test_keys_are_bare_where_they_can_be(name: str, text: str) -> None:
    assert toml_key(name) == text
