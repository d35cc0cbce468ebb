"""The tables that go with a text: what was found, and what was searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpsearch.records.comparisons import DefaultResult
from hpsearch.records.estimate import Estimate
from hpsearch.reports.methods.intervals import estimate_cell, kinds_of
from hpsearch.reports.methods.passage import Cells, Fact, Name, Parts, say
from hpsearch.reports.methods.places import DRAWN, Branch, Key, Places
from hpsearch.reports.methods.words import case_words
from hpsearch.study.stored_space import kept_space
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space

Row = tuple[Parts, ...]


def tables(places: Places) -> Iterator[Cells]:
    """All that there is something to say in."""
    if places.found is not None:
        yield results(places)
    space = kept_space(places.folder)
    compared = places.study.compare
    if space is None or all(p.name in compared for p in space.parameters):
        return  # nothing was searched but what is compared
    yield searched(places)
    if places.found is not None and places.found.arms:
        yield chosen(places)


def results(places: Places) -> Cells:
    """A row for each case, for each member of the front, or for each configuration confirmed.

    The chosen configuration comes first, but for cases, which keep their order; the defaults of
    each search come after its winner.
    """
    result = places.result
    if result.arms:
        rows, first = _cases(places), "case"
    else:
        rows, first = (_front if result.front else _confirmed)(places), "configuration"
    caption = say(
        "Result of the study {study}: means{intervals}",
        study=Name(result.study),
        intervals=kinds_of([result.validation, *result.test.values()]),
    )
    head: list[Parts] = [(first,), *((Name(name),) for name in _goals(places) + _tests(places))]
    return Cells("result", caption, tuple(head), tuple(rows))


def _goals(places: Places) -> list[str]:
    """The objectives that have columns."""
    return [*places.result.objectives] if places.result.front else [places.result.objective]


def _tests(places: Places) -> list[str]:
    """The metrics on the test set, but for those of single classes."""
    of_arms = [name for arm in places.result.arms for name in arm.test]
    return [name for name in dict.fromkeys([*places.result.test, *of_arms]) if "/" not in name]


def _of_chosen(places: Places, *, chosen: bool) -> list[Parts]:
    """A row's cells of the test set, which only the chosen configuration has."""
    test = places.result.test if chosen else {}
    return _of_tests(places, test, places.in_result)


def _of_tests(places: Places, test: Mapping[str, Estimate], at: Branch) -> list[Parts]:
    """A row's cells of the test set.

    Args:
        at: the place that has them under "test".
    """
    return [estimate_cell(test[n], at.at("test", n)) if n in test else () for n in _tests(places)]


def _confirmed(places: Places) -> Iterator[Row]:
    result = places.result
    for number in sorted(result.confirmed, key=lambda n: int(n) != result.best_number):
        chosen = int(number) == result.best_number
        what = "chosen, trial {number}" if chosen else "trial {number}"
        estimate = result.confirmed[number]
        yield (
            say(what, number=places.in_result.name(number, "confirmed")),
            estimate_cell(estimate, places.in_result.at("confirmed", number)),
            *_of_chosen(places, chosen=chosen),
        )
        if chosen:
            yield from _defaults(places, result.default, places.in_result.at("default"))


def _defaults(
    places: Places, default: DefaultResult | None, at: Branch, case: Parts = ()
) -> Iterator[Row]:
    """The row of the configuration of all defaults; none where it was not run.

    Args:
        case: whose defaults they are; () where nothing is compared.
    """
    if default is None:
        return
    others: list[Parts] = [() for _ in _goals(places)[1:]]
    goals = [estimate_cell(default.validation, at.at("validation")), *others]
    name = say("{case}, all defaults", case=case) if case else say("all defaults")
    yield (name, *goals, *_of_tests(places, default.test, at))


def _cases(places: Places) -> Iterator[Row]:
    result = places.result
    for place, arm in enumerate(result.arms):
        at = places.in_result.at("arms", place)
        case = case_words(places, place)
        best = ", the best" if arm.best_number == result.best_number else ""
        yield (
            say("{case}{best}", case=case, best=best),
            estimate_cell(arm.validation, at.at("validation")),
            *_of_tests(places, arm.test, at),
        )
        yield from _defaults(places, arm.default, at.at("default"), case)


def _front(places: Places) -> Iterator[Row]:
    result = places.result
    for place, member in enumerate(result.front):
        chosen = member.number == result.best_number
        what = "chosen, trial {number}" if chosen else "trial {number}"
        at = places.in_result.at("front", place)
        goals = [
            estimate_cell(member.values[name], at.at("values", name)) for name in result.objectives
        ]
        yield (say(what, number=at.fact("number")), *goals, *_of_chosen(places, chosen=chosen))
        if chosen:
            yield from _defaults(places, result.default, places.in_result.at("default"))


def searched(places: Places) -> Cells:
    """A row a searched hyperparameter, with the chosen value and the default where known; those
    of the cases of a comparison have a table of their own, `chosen`."""
    space = kept_space(places.folder) or Space((), {})
    shown: dict[str, tuple[Key, ...]] = {}
    if places.found is not None and not places.found.arms:
        shown["chosen"] = ("searched",)
        if places.found.default is not None:
            shown["default"] = ("default", "searched")
    rows: list[Row] = []
    for place, parameter in enumerate(space.parameters):
        if parameter.name in places.study.compare:
            continue
        drawn = Fact(parameter.described, f"space.json#/parameters/{place}")
        values = [_value(places, parameter, *key) for key in shown.values()]
        rows.append(((Name(parameter.name),), (drawn,), *values))
    empty = "; a cell is empty if the configuration lacks the parameter" if shown else ""
    caption = say("Searched hyperparameters{empty}", empty=empty)
    head: list[Parts] = [("hyperparameter",), ("searched",), *((name,) for name in shown)]
    return Cells("space", caption, tuple(head), tuple(rows))


def chosen(places: Places) -> Cells:
    """The searched hyperparameters of each case's winner, with the defaults in brackets.

    Cases are the columns, or the rows where there are more of them than hyperparameters.
    """
    space = kept_space(places.folder) or Space((), {})
    compared = places.study.compare
    keys = [*dict.fromkeys(p.key for p in space.parameters if p.name not in compared)]
    cases = range(len(places.result.arms))
    cells = [[_of_case(places, place, key) for place in cases] for key in keys]
    heads: list[Parts] = [(Name(key),) for key in keys]
    whose: list[Parts] = [case_words(places, place) for place in cases]
    first: Parts = ("hyperparameter",)
    if len(cases) > len(keys):
        cells = [[*row] for row in zip(*cells, strict=True)]
        heads, whose, first = whose, heads, ("case",)
    defaults = any(arm.default is not None for arm in places.result.arms)
    caption = say(
        "Chosen hyperparameters of each case{defaults}; a cell is empty if the configuration "
        "lacks the parameter",
        defaults=", with the defaults in brackets" if defaults else "",
    )
    rows = tuple((head, *row) for head, row in zip(heads, cells, strict=True))
    return Cells("chosen", caption, (first, *whose), rows)


def _of_case(places: Places, place: int, key: str) -> Parts:
    """A hyperparameter of a case's winner, and the default; () where it has none."""
    arm, at = places.result.arms[place], places.in_result.at("arms", place)
    if key not in arm.searched:
        return ()
    value = at.fact("searched", key, form=DRAWN)
    if arm.default is None or key not in arm.default.searched:
        return (value,)
    default = at.fact("default", "searched", key, form=DRAWN)
    return say("{value} ({default})", value=value, default=default)


def _value(places: Places, parameter: Parameter, *key: Key) -> Parts:
    """A parameter's value in a configuration of the result; () where it is not active there."""
    values = places.in_result.at(*key).content
    if parameter.key not in values or not parameter.active(values):
        return ()
    return (places.in_result.fact(*key, parameter.key, form=DRAWN),)
