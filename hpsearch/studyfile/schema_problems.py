"""pydantic's errors about a study file, in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hpsearch.errors import Problem, StudyFileError, unknown_name
from hpsearch.study_names import RULE
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.base import NAME_RULE
from hpsearch.studyfile.tables.data import SPLIT_TABLES

_EXAMPLES = {
    "name": 'name = "my-study"',
    "objective": 'objective = { metric = "validation_accuracy", direction = "maximize" }',
    "space": '[space] with trainer = "sgd"',
    "stages": "[[stages]] with trials = 20 and epochs = 30",
}
SPLITS = (("data", "split"), ("validation", "outer"))  # keys whose value is a split
DIRECTION = 'is missing; write "maximize" or "minimize"'
_WORDS = (
    ("Value error, ", ""),
    ("Input should be", "must be"),
    ("List should", "must"),
    ("String should", "must"),
    ("a valid dictionary", "a table"),
    ("a valid integer", "a whole number"),
    ("a valid ", "a "),
)


Model = TypeVar("Model", bound=BaseModel)


def from_options(model: type[Model], said: Mapping[str, object]) -> Model:
    """A table from options of the command line; those that are None have their defaults.

    Raises:
        StudyFileError: an option has a value that the table must not have.
    """
    try:
        return model.model_validate({k: v for k, v in said.items() if v is not None})
    except ValidationError as error:
        problem = translate(error.errors(include_url=False)[0], model)
        option = f"--{problem.key.replace('_', '-')}"
        raise StudyFileError(f"{option} {problem.predicate}") from None


def translate(detail: ErrorDetails, model: type[BaseModel] = StudyFile) -> Problem:
    """One error of model.model_validate as a problem with its key path."""
    path = list(_without_tags(detail["loc"]))
    key = ".".join(map(str, path))
    kind, got = detail["type"], detail["input"]
    if len(path) > 1 and path[0] in ("space", "network") and kind.endswith("_type"):
        table = " or a table such as { low = 0.001, high = 1.0 }" if path[0] == "space" else ""
        return Problem(key, f"must be a number, a text, true or false{table}", repr(got))
    if kind == "extra_forbidden":
        return unknown_name(key, path[-1], _table_of(detail["loc"], model).model_fields)
    if kind == "missing":
        if path[-1] == "direction":
            return Problem(
                key, DIRECTION, hint="it is unknown which values of the metric are better"
            )
        example = _EXAMPLES.get(key)
        return Problem(key, f"is missing; write {example}" if example else "is missing")
    if kind == "literal_error":
        return unknown_name(key, got, _choices(detail["loc"], model))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = got.get("kind") if isinstance(got, dict) else got
        missing = "is missing: " if tag is None else ""
        return unknown_name(f"{key}.kind", tag, SPLIT_TABLES, first=missing)
    if kind == NAME_RULE:
        return Problem(key, RULE, repr(got))
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return Problem(key, "must be a table", repr(got))
    rule = detail["msg"]
    for theirs, ours in _WORDS:
        rule = rule.replace(theirs, ours)
    return Problem(key, rule, repr(got))


def _without_tags(loc: Sequence[int | str]) -> Iterator[int | str]:
    """A key path without the names pydantic adds for the members of unions.

    They stand third, in the tables whose values may be of several kinds; elsewhere a part of such
    a name is a key that the user wrote.
    """
    added = tuple(loc[:2]) in SPLITS or loc[:1] in (("space",), ("network",))
    return (part for position, part in enumerate(loc) if not (added and position == 2))


def _table_of(loc: Sequence[int | str], model: type[BaseModel]) -> type[BaseModel]:
    """The table of `model` that `loc`'s last part stands in."""
    models: list[type[BaseModel]] = [model]
    for position, part in enumerate(loc[:-1]):
        if position == 2 and tuple(loc[:2]) in SPLITS:
            models = [m for m in models if part in get_args(m.model_fields["kind"].annotation)]
        elif not isinstance(part, int) and part in models[0].model_fields:
            models = list(_models(models[0].model_fields[part].annotation))
        # else a name that a user gave a table, as in programs.torch
    return models[0]


def _choices(loc: Sequence[int | str], model: type[BaseModel]) -> list[str]:
    """The valid values of the key that `loc` leads to."""
    return [*_literals(_table_of(loc, model).model_fields[str(loc[-1])].annotation)]


def _literals(annotation: Any) -> Iterator[str]:
    for argument in get_args(annotation):
        if get_origin(annotation) is Literal:
            yield str(argument)
        else:
            yield from _literals(argument)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
