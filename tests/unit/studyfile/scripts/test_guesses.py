"""What becomes of an option."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from hpsearch.studyfile.scripts.guesses import Guess, guesses
from hpsearch.studyfile.scripts.option import Kind, Option, flag_name
from hpsearch.studyfile.tables.space import read_space


def one(option: Option) -> Guess:
    (guess,) = guesses([option])
    return guess


def option(flag: str, kind: Kind = "str", default: Any = None, **more: Any) -> Option:
    return Option(flag, flag_name(flag), kind, default, **more)


def searched(guess: Guess) -> dict[str, Any]:
    """Its range or choices, after [space] took it."""
    assert guess.role == "search"
    assert guess.note
    value: dict[str, Any] = tomllib.loads(f"value = {guess.value}")["value"]
    _, problems = read_space({}, {"trainer": "own_of_guesses:train", guess.key: value})
    assert not [p for p in problems if p.key != "space.trainer"]
    return value


@pytest.mark.parametrize(
    ("flag", "default", "expected"),
    [
        ("--lr", 3e-4, {"low": 3e-5, "high": 3e-3, "log": True}),
        ("--learning-rate", None, {"low": 1e-5, "high": 0.1, "log": True}),
        ("--learningRate", 1, {"low": 0.1, "high": 10.0, "log": True}),
        ("--weight-decay", 0.0, {"low": 1e-6, "high": 1e-2, "log": True}),
        ("--adam-eps", 1e-8, {"low": 1e-9, "high": 1e-7, "log": True}),
        ("--unknown", 1e-4, {"low": 1e-5, "high": 1e-3, "log": True}),
        ("--unknown", 2.0, {"low": 1.0, "high": 4.0}),
        ("--dropout-rate", 0.1, {"low": 0.0, "high": 0.5}),
        ("--momentum", 0.9, {"low": 0.5, "high": 0.99}),
        ("--beta2", 0.999, {"low": 0.995, "high": 0.9999}),
        ("--momentum", 0.0, {"low": 0.0, "high": 0.95}),
        ("--lr-decay", 0.95, {"low": 0.75, "high": 0.995}),
        ("--gae-lambda", 0.9, {"low": 0.5, "high": 0.99}),
        ("--gamma", 2.0, {"low": 1.0, "high": 4.0}),
        ("--subsample", 1.0, {"low": 0.5, "high": 1.0}),
        ("--gamma", 1, {"low": 0.5, "high": 1.0}),
    ],
)
def test_numbers_with_fractions(flag: str, default: Any, expected: dict[str, Any]) -> None:
    inside = default is not None and expected["low"] <= default <= expected["high"]
    known = {"default": float(default)} if inside else {}
    assert searched(one(option(flag, "float", default))) == {**expected, **known}


@pytest.mark.parametrize(
    ("flag", "default", "expected"),
    [
        ("--hidden", 128, {"low": 32, "high": 512, "log": True}),
        ("--per-device-train-batch-size", 8, {"low": 2, "high": 32, "log": True}),
        ("--layers", 2, {"low": 1, "high": 4}),
        ("--layers", 6, {"low": 3, "high": 12}),
        ("--trees", 1e2, {"low": 25, "high": 400, "log": True}),
    ],
)
def test_whole_numbers(flag: str, default: Any, expected: dict[str, Any]) -> None:
    value = searched(one(option(flag, "int", default)))
    assert value == {**expected, "int": True, "default": int(default)}
    assert type(value["low"]) is type(value["high"]) is int


def test_ranges_keep_the_bounds_of_the_program() -> None:
    assert searched(one(option("--hidden", "int", 64, low=32, high=100)))["high"] == 100
    assert searched(one(option("--dropout", "float", 0.1, low=0, high=0.3)))["high"] == 0.3
    assert one(option("--hidden", "int", 64, low=64, high=64)).role == "fix"


def test_a_default_outside_the_range_is_said_in_the_note_alone() -> None:
    for guess in (
        one(option("--hidden", "int", 64, low=70)),  # the program does not take its own default
        one(option("--weight-decay", "float", 0.0)),  # none of a log scale
        one(option("--opt", default="lion", choices=("adam", "sgd"))),
    ):
        assert "default" not in searched(guess)
        assert f"its default {guess.option.default} is outside" in guess.note


def test_choices_and_switches() -> None:
    opt = one(option("--opt", default="adam", choices=("adam", "sgd")))
    assert searched(opt) == {"choices": ["adam", "sgd"], "default": "adam"}
    assert opt.words == ("--opt={opt}",)
    text = one(option("--bias", "bool", True))
    assert searched(text) == {"choices": ["True", "False"], "default": "True"}
    on = one(option("--nesterov", "bool", False, switch=True))
    assert searched(on) == {"choices": [True, False], "default": False}
    assert on.words == (("--nesterov", "{nesterov?}"),)
    # The flag that changes what it does anyway is the one that is given.
    off = one(option("--bias", "bool", True, switch=True, off="--no-bias"))
    assert (off.key, off.words) == ("no_bias", (("--no-bias", "{no_bias?}"),))
    assert searched(off)["default"] is False
    two = guesses([option("--bn", "bool", False, switch=True), option("--no-bn", switch=True)])
    assert [guess.role for guess in two] == ["search", "leave"]


@pytest.mark.parametrize(
    ("option", "role", "words"),
    [
        (option("--max-epochs", "int", 9), "epochs", ("--max-epochs={epochs}",)),
        (option("--seed", "int", 1), "seed", ("--seed={seed}",)),
        (option("--fold", "int", 0), "fold", ("--fold={fold}",)),
        (option("--fold", "int", 0, choices=(0, 1, 2)), "fold", ("--fold={fold}",)),
        (option("--fold", "int", 1, choices=(1, 2)), "fix", ("--fold=1",)),
        (option("--ckpt"), "checkpoint", ("--ckpt={checkpoint}",)),
        (option("--resume"), "leave", ("--resume={checkpoint}",)),
        (option("--output-dir", default="runs"), "folder", ("--output-dir={folder}",)),
        (option("--save-path", default="a/m.pt"), "folder", ("--save-path={folder}/m.pt",)),
        (option("-o", default="x"), "fix", ("-o", "x")),
        (option("--data", default="./data"), "fix", ("--data=./data",)),
        (option("--workers", "int", 4), "fix", ("--workers=4",)),
        (option("--test-batch-size", "int", 64), "fix", ("--test-batch-size=64",)),
        (option("--dataset", default="a", choices=("a", "b")), "fix", ("--dataset=a",)),
        (option("--gpu", "int", 0), "fix", ("--gpu=0",)),
        (option("--top", "float", float("inf")), "fix", ("--top=inf",)),
        (option("--betas", default=[0.9, 0.99], several=True), "fix", ("--betas", "0.9", "0.99")),
        (option("--csv-in", required=True), "todo", ("--csv-in={TODO_csv_in}",)),
        (Option("", "data", required=True), "todo", ("{TODO_data}",)),
        (option("--verbose", "bool", False, switch=True), "leave", ("--verbose",)),
        (option("--track", "bool", False), "fix", ("--track=False",)),
        (option("--fmt", default="{x}"), "leave", ()),
        (option("--note"), "leave", ()),
        (option("--api-key", default="hush"), "leave", ()),
        (option("--home", computed=True), "leave", ()),
        (option("--on", "bool", True, doubt="type=bool"), "leave", ()),
    ],
)
def test_what_is_not_searched(option: Option, role: str, words: tuple[str, ...]) -> None:
    guess = one(option)
    assert (guess.role, guess.words) == (role, words)
    assert guess.note


def test_one_option_sets_the_length() -> None:
    several = guesses([option("--max-steps", "int", 1000), option("--epochs", "int", 9)])
    assert [guess.role for guess in several] == ["fix", "epochs"]
    several = guesses([option("--num-steps", "int", 128), option("--total-timesteps", "int", 9)])
    assert [guess.role for guess in several] == ["fix", "epochs"]


def test_keys_that_mean_something_else_are_others() -> None:
    guess = one(option("--trainer", default="a", choices=("a", "b")))
    assert (guess.key, guess.words) == ("trainer_", ("--trainer={trainer_}",))
    guess = one(Option("--lr.max", "lr.max", "float", 0.1))
    assert (guess.key, guess.words) == ("lr_max", ("--lr.max={lr_max}",))


def test_arguments_by_place_come_first() -> None:
    several = guesses([option("--lr", "float", 0.1), Option("", "data", default="x")])
    assert [guess.option.name for guess in several] == ["data", "lr"]
