"""What stands in a command: names in braces, groups that may be left out, values as written."""

from __future__ import annotations

import shlex

import pytest

from hpsearch.trainers.commands import (
    Command,
    Malformed,
    Placeholder,
    arguments,
    as_argument,
    filled,
    is_program,
    placeholders,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1e-05, "1e-05"),
        (0.1, "0.1"),
        (3, "3"),
        (3.0, "3.0"),
        (True, "true"),
        (False, "false"),
        (None, "none"),
        ("a b", "a b"),
        ([50, 60], "[50, 60]"),
        ((50, 60), "[50, 60]"),
        ({"a": [1, "x"]}, '{"a": [1, "x"]}'),
    ],
)
def test_values_are_written_as_programs_read_them(value: object, written: str) -> None:
    assert as_argument(value) == written


def test_names_are_replaced_anywhere_in_a_word() -> None:
    command = ("run", "--lr={lr}", "{a}{b}", "x{{lr}}", "{{{a}}}", "plain")
    values = {"lr": 1e-3, "a": 1, "b": "{lr}"}
    assert arguments(command, values) == [
        "run",
        "--lr=0.001",
        "1{lr}",  # what a value holds is not looked at again
        "x{lr}",
        "{1}",
        "plain",
    ]


@pytest.mark.parametrize(
    ("group", "values", "words"),
    [
        (("--momentum", "{momentum}"), {"momentum": 0.5}, ["--momentum", "0.5"]),
        (("--momentum", "{momentum}"), {}, []),
        (("--momentum", "{momentum}"), {"momentum": None}, []),
        (("--nesterov={nesterov}",), {"nesterov": False}, ["--nesterov=false"]),
        (("--nesterov", "{nesterov?}"), {"nesterov": True}, ["--nesterov"]),
        (("--nesterov", "{nesterov?}"), {"nesterov": False}, []),
        (("--nesterov", "{nesterov?}"), {}, []),
        (("--n", "{n?}"), {"n": 0}, ["--n"]),
        (("--a={a}", "{b?}"), {"a": 1, "b": True}, ["--a=1"]),
        (("--a={a}", "{b?}"), {"b": True}, []),
        (("--what?", "{{b?}}"), {}, ["--what?", "{b?}"]),
    ],
)
def test_a_group_is_left_out_where_a_name_in_it_has_no_value(
    group: tuple[str, ...], values: dict[str, object], words: list[str]
) -> None:
    assert arguments(("run", group, "end"), values) == ["run", *words, "end"]


@pytest.mark.parametrize("value", ["a b; rm -rf $HOME `id` \"'\\", "", "-n", "ä\nb"])
def test_values_are_one_word_for_a_shell(value: str) -> None:
    line = filled("printf %s.%s {a} '{{b}}'", {"a": value}, quote=True)
    assert shlex.split(line) == ["printf", "%s.%s", value, "{b}"]


def test_names_are_found_with_where_they_stand() -> None:
    command: Command = ("{a}", ("--b", "{b?}"), ("--c={c}",), "{{d}}")
    assert list(placeholders(command)) == [
        Placeholder("a", optional=False, asked=False, alone=True),
        Placeholder("b", optional=True, asked=True, alone=True),
        Placeholder("c", optional=True, asked=False, alone=False),
    ]


@pytest.mark.parametrize("word", ["{a", "a}", "{{a}", "}{", "{a{b}}"])
def test_a_brace_alone_is_malformed(word: str) -> None:
    with pytest.raises(Malformed):
        list(placeholders((word,)))


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [("program", True), ("programs.a", True), ("programs", False), ("sgd", False), (None, False)],
)
def test_programs_are_known_by_their_name(trainer: object, expected: bool) -> None:
    assert is_program(trainer) is expected
