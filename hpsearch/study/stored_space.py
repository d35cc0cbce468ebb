"""A study's search space as it is kept beside its records.

With it Optuna's storage can be made anew from the records alone, without the study file, and
without importing anything that the file names.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from optuna.distributions import IntDistribution, distribution_to_json, json_to_distribution

from hpsearch.records.run_folder import RunFolder
from hpsearch.samplers.coarse_to_fine.priors import Prior
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.parameter import Parameter, entry_name
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import StudyFile


def keep_arms(folder: RunFolder, space: Space, arms: Sequence[ArmPlace]) -> None:
    """Write down what is searched, in the whole study and in each arm of it."""
    kept = [
        {"values": arm.values, "parameters": _said(arm.space)}
        | ({} if arm.fold is None else {"fold": arm.fold})
        for arm in arms
    ]
    said: dict[str, Any] = {"parameters": _said(space), "arms": kept}
    if space.relations:
        said["relations"] = [relation.text for relation in space.relations]
    if space.named:  # as Python writes them: JSON has no tuples, and no numbers as keys
        said["named"] = {
            key: {name: repr(value) for name, value in values.items()}
            for key, values in space.named.items()
        }
    folder.write_sealed(folder.files.space, said)


def kept_space(folder: RunFolder) -> Space | None:
    """All searched parameters of a run; None for one that ended before any was kept."""
    said = folder.read_sealed(folder.files.space, "parameters", "arms")
    return None if said is None else _space(said["parameters"], said.get("named", {}))


def kept_relations(folder: RunFolder) -> list[str]:
    """The relations that the parameters of every trial keep, as texts."""
    said = folder.read_sealed(folder.files.space, "parameters", "arms")
    return [] if said is None else [str(text) for text in said.get("relations", [])]


def kept_arms(folder: RunFolder) -> list[ArmPlace]:
    """The arms of a run; none of one that ended before any was kept."""
    said = folder.read_sealed(folder.files.space, "parameters", "arms")
    arms = [] if said is None else said["arms"]
    return [
        ArmPlace(arm["values"], index, len(arms), _space(arm["parameters"]), fold=arm.get("fold"))
        for index, arm in enumerate(arms)
    ]


def sees_all_rows(folder: RunFolder) -> Callable[[int], bool]:
    """Whether the trial of a number belongs to no outer fold's search: to the study's own then."""
    folds = [arm for arm in kept_arms(folder) if arm.fold is not None]
    return lambda number: not any(arm.holds(number) for arm in folds)


def with_kinds(file: StudyFile, space: Space | None) -> StudyFile:
    """A study file whose ranges say `int = true` wherever the space draws whole numbers.

    So a file of an older version, which took two whole bounds for that, means what its trials
    were drawn from.

    Args:
        space: that the file was read to; None: not known, and the file stays as it is.
    """
    if space is None:
        return file
    whole = {p.name for p in space.parameters if isinstance(p.distribution, IntDistribution)}

    def with_kind(name: str, entry: Any) -> Any:
        of_range = name in whole and isinstance(entry, dict) and "low" in entry
        return {**entry, "int": True} if of_range else entry

    entries = {
        name: [with_kind(entry_name(name, place), one) for place, one in enumerate(entry)]
        if isinstance(entry, list)
        else with_kind(name, entry)
        for name, entry in file.space.items()
    }
    return file.model_copy(update={"space": entries})


def _said(space: Space) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.key,
            "distribution": distribution_to_json(parameter.distribution),
            "when": {name: list(values) for name, values in parameter.when.items()},
        }
        | ({} if parameter.entry is None else {"entry": parameter.entry})
        | ({} if parameter.prior is None else {"prior": asdict(parameter.prior)})
        for parameter in space.parameters
    ]


def _prior(said: Mapping[str, Any] | None) -> Prior | None:
    if said is None:
        return None
    weights = said["weights"]
    return Prior(**{**said, "weights": None if weights is None else tuple(weights)})


def _space(
    said: Sequence[dict[str, Any]], named: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> Space:
    parameters = [
        Parameter(
            row["name"],
            json_to_distribution(row["distribution"]),
            {name: tuple(values) for name, values in row["when"].items()},
            row.get("entry"),
            prior=_prior(row.get("prior")),
        )
        for row in said
    ]
    values = {
        key: {name: _value(text) for name, text in texts.items()} for key, texts in named.items()
    }
    return Space(tuple(parameters), {}, values)


def _value(text: str) -> Any:
    try:
        return literal_eval(text)
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"{text[:80]!r} is not a value") from error
