"""The study file as a JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from hpsearch.datasets import DATASETS
from hpsearch.hyperparameters import Hyperparameter, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.samplers.coarse_to_fine.priors import WIDTHS
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.trainers import TRAINERS

NUMBER = {"type": "number"}
BOUND = {
    "anyOf": [NUMBER, {"type": "string", "description": "another parameter: the range ends at it"}]
}
CONDITION = {"type": "object", "description": "active where each named parameter has the value"}
RANGE = {
    "type": "object",
    "description": "a range to search",
    "properties": {
        "low": BOUND,
        "high": BOUND,
        "log": {"type": "boolean", "default": False},
        "step": NUMBER,
        "int": {"type": "boolean", "description": "integers only"},
        "when": CONDITION,
        "default": {"type": "number", "description": "the value where nobody tunes it"},
        "prior": {"type": "number", "description": "where it is expected to be good"},
        "confidence": {
            "enum": list(WIDTHS),
            "default": "medium",
            "description": "how sure the prior is",
        },
    },
    "required": ["low", "high"],
    "additionalProperties": False,
}


def study_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a study file.

    Keys of [network] and [space] are those of the networks and trainers there are; an estimator
    or a function of the user's own may take others, which are then not checked.
    """
    schema = StudyFile.model_json_schema()
    said = schema["properties"]
    said["network"] = _network()
    said["space"] = _space()
    schema["required"].remove("objective")
    schema["anyOf"] = [{"required": ["objective"]}, {"required": ["objectives"]}]
    schema["$defs"]["Objective"]["required"].remove("direction")  # known of most metrics
    schema["$defs"]["Data"]["properties"]["name"]["examples"] = list(DATASETS)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _network() -> dict[str, Any]:
    own = _by_name([hyperparameters(network) for network in NETWORKS.values()])
    name = {"enum": list(NETWORKS), "description": "which network"}
    fixed = {key: _described(meanings) | _either(meanings) for key, meanings in own.items()}
    return {
        "type": "object",
        "description": "the network and its fixed hyperparameters",
        "properties": {"name": name, **fixed},
        "additionalProperties": False,
    }


def _space() -> dict[str, Any]:
    trainers = [kind.hyperparameters() for kind in TRAINERS.values()]
    own = _by_name([*trainers, *(hyperparameters(network) for network in NETWORKS.values())])
    trainer = {
        "description": "a name, module:function, package.module.Class of scikit-learn, or choices",
        "anyOf": [{"type": "string", "examples": list(TRAINERS)}, _choices({"type": "string"})],
    }
    searched = {key: _described(h) | _searched(h) for key, h in own.items()}
    return {
        "type": "object",
        "description": "a plain value is fixed; a range or choices, or a list of these with "
        "different conditions, are searched",
        "properties": {"trainer": trainer, **searched},
        "required": ["trainer"],
    }


def _by_name(tables: list[dict[str, Hyperparameter]]) -> dict[str, list[Hyperparameter]]:
    """What each name means, every meaning once."""
    found: dict[str, list[Hyperparameter]] = {}
    for table in tables:
        for name, h in table.items():
            meanings = found.setdefault(name, [])
            if h not in meanings:
                meanings.append(h)
    return found


def _described(meanings: list[Hyperparameter]) -> dict[str, Any]:
    texts = dict.fromkeys(f"{h.rule()}; default {h.default!r}: {h.why}" for h in meanings)
    return {"description": "\n".join(texts)}


def _searched(meanings: list[Hyperparameter]) -> dict[str, Any]:
    value = _either(meanings)
    ranges = [RANGE] if any(h.kind in (int, float) and not h.choices for h in meanings) else []
    tables = [*ranges, _choices(value)]
    return {"anyOf": [value, *tables, _list(tables)]}


def _list(tables: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "array",
        "description": "ranges or choices whose conditions exclude each other",
        "items": {
            "anyOf": [one | {"required": [*one["required"], "when"]} for one in tables],
        },
        "minItems": 1,
    }


def _choices(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "choices to search",
        "properties": {
            "choices": {"type": "array", "items": value},
            "when": CONDITION,
            "default": {"description": "the choice where nobody tunes it", **value},
            "weights": {
                "type": "array",
                "items": {"type": "number", "minimum": 0},
                "description": "how likely each choice is to be good",
            },
        },
        "required": ["choices"],
        "additionalProperties": False,
    }


def _either(meanings: list[Hyperparameter]) -> dict[str, Any]:
    values: list[dict[str, Any]] = []
    for h in meanings:
        if _value(h) not in values:
            values.append(_value(h))
    return values[0] if len(values) == 1 else {"anyOf": values}


def _value(h: Hyperparameter) -> dict[str, Any]:
    """The valid values of one hyperparameter."""
    if h.choices:
        return {"enum": list(h.choices)}
    if h.kind not in (int, float):
        return {"type": "string"}
    bounds = {
        "minimum": h.low,
        "exclusiveMinimum": h.above,
        "maximum": h.high,
        "exclusiveMaximum": h.below,
    }
    known = {key: bound for key, bound in bounds.items() if bound is not None}
    plain = {"type": "integer" if h.kind is int else "number", **known}
    # Numbers with commas between are a text; one alone may stand as itself.
    return plain if h.each is None else {"type": "string"}
