"""A configuration as text: part of a study file, JSON or Python."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from hpsearch.hyperparameters import ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.studyfile.arms import SHOTS
from hpsearch.studyfile.entries import named_choices
from hpsearch.studyfile.space import Named, with_values
from hpsearch.studyfile.toml import toml_table

Form = Literal["toml", "json", "python"]


def configuration_text(
    params: Mapping[str, ParamValue],
    form: Form,
    entries: Mapping[str, Any] = MappingProxyType({}),
    values: Named = MappingProxyType({}),
) -> str:
    """A trial's complete hyperparameters; as TOML the tables that fix them in a study file.

    Args:
        entries: the study's [space], which says how named choices are written.
        values: that they stand for.
    """
    if form != "toml":
        params = with_values(params, values)
    if form == "json":
        return json.dumps(params, indent=1)
    if form == "python":
        return pprint.pformat(dict(params), sort_dicts=False)
    chosen = {name: str(params[name]) for name in named_choices(entries) if name in params}
    named = {
        name: (chosen[name], choices[chosen[name]])
        for name, choices in named_choices(entries).items()
        if chosen.get(name) in choices
    }
    own = hyperparameters(NETWORKS[str(params["network"])]) if "network" in params else {}
    network = {"name": params["network"]} if "network" in params else {}
    network |= {name: value for name, value in params.items() if name in own}
    space: dict[str, Any] = {
        k: v for k, v in params.items() if k not in own and k not in ("network", SHOTS)
    }
    space |= {name: {"choices": {called: said}} for name, (called, said) in named.items()}
    tables = [("data", {SHOTS: params[SHOTS]})] if SHOTS in params else []
    tables += [("network", network)] if network else []
    return "\n\n".join(toml_table(name, values) for name, values in [*tables, ("space", space)])
