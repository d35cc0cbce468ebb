"""What is said of a hyperparameter once holds wherever its value is checked."""

import math
from dataclasses import dataclass

import pytest

from hpsearch.hyperparameters import build, hyperparameter, hyperparameters, numbers
from hpsearch.nn import NETWORKS
from hpsearch.trainers import TRAINERS


@dataclass(frozen=True)
class Part:
    """A component with a hyperparameter of every kind."""

    units: int = hyperparameter(10, low=1, high=100, unit="units")
    rate: float = hyperparameter(0.1, above=0, why="half of nothing")
    share: float = hyperparameter(0.5, low=0, below=1, shared=True)
    shape: str = hyperparameter("round", choices=("round", "flat"))
    label: str = hyperparameter("none")
    depth: int = hyperparameter(1, choices=(1, 2))
    plain: int = 3  # no hyperparameter


@dataclass(frozen=True)
class Ball:
    """A part that another may name."""

    radius: float = hyperparameter(1.0, above=0)


@dataclass(frozen=True)
class Whole:
    """A component with a part of its choice, and a list of numbers."""

    body: str = hyperparameter("ball", parts={"ball": Ball, "part": Part})
    shares: str = hyperparameter("0.5", each={"above": 0, "below": 1}, unit="shares")


DESCRIBED = hyperparameters(Part)


def test_an_unknown_argument_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError, match=r"given above, below, choices.*, got at_least$"):
        hyperparameter(0.1, at_least=0)


def test_the_hyperparameters_of_parts_follow_the_one_that_names_them() -> None:
    described = hyperparameters(Whole)
    assert list(described) == ["body", "radius", *DESCRIBED, "shares"]
    assert described["body"].choices == ("ball", "part")
    assert described["radius"].when == ("body", "ball")


def test_a_part_exists_where_it_is_named() -> None:
    described = hyperparameters(Whole)
    assert described["units"].exists({"body": "part"})
    assert not described["units"].exists({"body": "ball"})
    assert described["shares"].exists({})


def test_a_part_is_not_built_with_the_whole() -> None:
    assert build(Whole, {"body": "part", "units": 7}) == Whole(body="part")


@pytest.mark.parametrize("text", ["0.5", "0.25, 0.5", " .5,0.6 ", "9e-1"])
def test_numbers_in_a_text_are_read(text: str) -> None:
    assert hyperparameters(Whole)["shares"].problem(text) is None
    assert list(numbers(text)) == [float(part) for part in text.split(",")]


@pytest.mark.parametrize("value", ["", "0.5,", "0.5 0.6", "1.5", "0.5, nan", "half", 0.5, True])
def test_a_text_of_other_things_is_refused(value: object) -> None:
    rule = "numbers with commas between, each a number above 0 and below 1 (shares)"
    assert hyperparameters(Whole)["shares"].problem(value) == f"must be {rule}, got {value!r}"


def test_fields_without_a_description_are_no_hyperparameters() -> None:
    assert list(DESCRIBED) == ["units", "rate", "share", "shape", "label", "depth"]


def test_kind_and_default_come_from_the_field() -> None:
    assert (DESCRIBED["units"].kind, DESCRIBED["units"].default) == (int, 10)
    assert (DESCRIBED["share"].kind, DESCRIBED["share"].shared) == (float, True)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("units", "a whole number of at least 1 and of at most 100 (units)"),
        ("rate", "a number above 0"),
        ("share", "a number of at least 0 and below 1"),
        ("shape", "one of 'round', 'flat'"),
        ("label", "a text"),
        ("depth", "one of 1, 2"),
    ],
)
def test_the_rule_is_said_in_words(name: str, rule: str) -> None:
    assert DESCRIBED[name].rule() == rule


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", 1),
        ("units", 100),
        ("rate", 1e-300),
        ("rate", 1),
        ("share", 0),
        ("share", 0.999),
        ("shape", "flat"),
        ("label", ""),
    ],
)
def test_values_within_the_rule_have_no_problem(name: str, value: object) -> None:
    assert DESCRIBED[name].problem(value) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", 0),
        ("units", 101),
        ("units", 5.0),
        ("units", True),
        ("units", "5"),
        ("rate", 0),
        ("rate", math.nan),
        ("rate", math.inf),
        pytest.param("rate", 10**400, id="rate-larger-than-any-float"),
        ("rate", True),
        ("rate", None),
        ("share", 1),
        ("share", -1e-9),
        ("shape", "square"),
        ("shape", 1),
        ("depth", True),
        ("depth", 2.0),
        ("label", 1),
        ("label", False),
    ],
)
def test_values_outside_the_rule_are_named_with_it(name: str, value: object) -> None:
    wanted = f"must be {DESCRIBED[name].rule()}, got {value!r}"
    assert DESCRIBED[name].problem(value) == wanted


def test_build_takes_its_own_and_leaves_the_rest() -> None:
    assert build(Part, {"units": 7, "unknown": 1}) == Part(units=7)


def test_build_makes_whole_numbers_floats_where_the_field_is_one() -> None:
    assert type(build(Part, {"rate": 2}).rate) is float


def test_build_refuses_a_value_by_name_and_rule() -> None:
    with pytest.raises(ValueError, match=r"rate must be a number above 0, got -1"):
        build(Part, {"rate": -1})


@pytest.mark.parametrize("component", [*NETWORKS.values(), *TRAINERS["adam"].components])
def test_defaults_of_the_catalogues_obey_their_own_rules(component: type) -> None:
    for described in hyperparameters(component).values():
        assert described.problem(described.default) is None


@pytest.mark.parametrize("name", TRAINERS)
def test_every_hyperparameter_says_why_its_default_is_what_it_is(name: str) -> None:
    for described in TRAINERS[name].hyperparameters().values():
        assert described.why
