"""A study's search space as it is kept beside its records.

With it Optuna's storage can be made anew from the records alone, without the study file, and
without importing anything that the file names.
"""

from __future__ import annotations

from optuna.distributions import distribution_to_json, json_to_distribution

from hpsearch.search.space import Parameter, Space
from hpsearch.tracking.record import RunFolder

SPACE = "space.json"


def keep_space(folder: RunFolder, space: Space) -> None:
    """Write the searched parameters down."""
    folder.write_json(
        SPACE,
        [
            {
                "name": parameter.name,
                "distribution": distribution_to_json(parameter.distribution),
                "when": {name: list(values) for name, values in parameter.when.items()},
            }
            for parameter in space.parameters
        ],
    )


def kept_space(folder: RunFolder) -> Space | None:
    """The searched parameters of a run; None for one that ended before any was kept."""
    said = folder.read_json(SPACE)
    if said is None:
        return None
    parameters = [
        Parameter(
            row["name"],
            json_to_distribution(row["distribution"]),
            {name: tuple(values) for name, values in row["when"].items()},
        )
        for row in said
    ]
    return Space(tuple(parameters), {})
