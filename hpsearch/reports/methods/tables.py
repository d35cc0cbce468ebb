"""The tables that go with a text: what was found, and what was searched."""

from __future__ import annotations

from collections.abc import Iterator

from hpsearch.reports.methods.intervals import estimate_cell, named
from hpsearch.reports.methods.passage import Cells, Fact, Name, Parts, listed, say
from hpsearch.reports.methods.places import Key, Places
from hpsearch.study.stored_space import kept_space
from hpsearch.studyfile.space import Space

Row = tuple[Parts, ...]


def tables(places: Places) -> Iterator[Cells]:
    """All that there is something to say in."""
    if places.found is not None:
        yield results(places)
    if kept_space(places.folder) is not None:
        yield searched(places)


def results(places: Places) -> Cells:
    """A row for each case, for each member of the front, or for each configuration confirmed.

    The chosen configuration comes first, but for cases, which keep their order.
    """
    result = places.result
    if result.arms:
        rows, first = _cases(places), "case"
    else:
        rows, first = (_front if result.front else _confirmed)(places), "configuration"
    seeds = [places.file("confirmation", "seeds"), places.file("confirmation", "test_seeds")]
    tests = _tests(places)
    caption = say(
        "Result of the study {study}. Means{intervals}; {n} seeds on validation data{test}",
        study=Name(result.study),
        intervals=named([result.validation, *result.test.values()]),
        n=seeds[0],
        test=say(", {n} refits on the test set", n=seeds[1]) if tests else (),
    )
    goals = [*result.objectives] if result.front else [result.objective]
    head: list[Parts] = [(first,), *((Name(name),) for name in (*goals, *tests))]
    return Cells("result", caption, tuple(head), tuple(rows))


def _tests(places: Places) -> list[str]:
    """The metrics on the test set, but for those of single classes."""
    of_arms = [name for arm in places.result.arms for name in arm.test]
    return [name for name in dict.fromkeys([*places.result.test, *of_arms]) if "/" not in name]


def _of_chosen(places: Places, *, chosen: bool) -> list[Parts]:
    """A row's cells of the test set, which only the chosen configuration has."""
    test = places.result.test if chosen else {}
    return [estimate_cell(places, test.get(name), "test", name) for name in _tests(places)]


def _confirmed(places: Places) -> Iterator[Row]:
    result = places.result
    for number in sorted(result.confirmed, key=lambda n: int(n) != result.best_number):
        chosen = int(number) == result.best_number
        what = "chosen, trial {number}" if chosen else "trial {number}"
        trial = places.key_of_result(number, "confirmed")
        tests = _of_chosen(places, chosen=chosen)
        estimate = result.confirmed[number]
        validation = estimate_cell(places, estimate, "confirmed", number)
        yield (say(what, number=trial), validation, *tests)


def _cases(places: Places) -> Iterator[Row]:
    result = places.result
    for place, arm in enumerate(result.arms):
        key: tuple[Key, ...] = ("arms", place)
        values = [
            say("{name} = {value}", name=Name(name), value=places.of_result(*key, "values", name))
            for name in arm.values
        ]
        chosen = ", chosen" if arm.best_number == result.best_number else ""
        tests = [
            estimate_cell(places, arm.test.get(name), *key, "test", name)
            for name in _tests(places)
        ]
        case = say("{values}{chosen}", values=listed(values), chosen=chosen)
        yield (case, estimate_cell(places, arm.validation, *key, "validation"), *tests)


def _front(places: Places) -> Iterator[Row]:
    result = places.result
    for place, member in enumerate(result.front):
        chosen = member.number == result.best_number
        what = "chosen, trial {number}" if chosen else "trial {number}"
        number = places.of_result("front", place, "number")
        goals = [
            estimate_cell(places, member.values[name], "front", place, "values", name)
            for name in result.objectives
        ]
        tests = _of_chosen(places, chosen=chosen)
        yield (say(what, number=number), *goals, *tests)


def searched(places: Places) -> Cells:
    """A row a searched hyperparameter, with the chosen value where there is one."""
    space = kept_space(places.folder) or Space((), {})
    winner = {} if places.found is None else places.found.searched
    rows = []
    for place, parameter in enumerate(space.parameters):
        drawn = Fact(parameter.described, f"space.json#/parameters/{place}")
        has_it = parameter.key in winner and parameter.active(winner)
        value: Parts = (places.of_result("searched", parameter.key),) if has_it else ()
        rows.append(((Name(parameter.name),), (drawn,), value))
    caption = say(
        "Searched hyperparameters; one that the chosen configuration lacks has an empty cell"
    )
    return Cells("space", caption, (("hyperparameter",), ("searched",), ("chosen",)), tuple(rows))
