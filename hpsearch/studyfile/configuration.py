"""A configuration as text: part of a study file, JSON or Python."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Literal

from hpsearch.hyperparameters import ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.studyfile.arms import SHOTS

Form = Literal["toml", "json", "python"]


def configuration_text(params: Mapping[str, ParamValue], form: Form) -> str:
    """A trial's complete hyperparameters; as TOML the tables that fix them in a study file."""
    if form == "json":
        return json.dumps(params, indent=1)
    if form == "python":
        return pprint.pformat(dict(params), sort_dicts=False)
    own = hyperparameters(NETWORKS[str(params["network"])]) if "network" in params else {}
    network = {"name": params["network"]} if "network" in params else {}
    network |= {name: value for name, value in params.items() if name in own}
    space = {k: v for k, v in params.items() if k not in own and k not in ("network", SHOTS)}
    tables = [("data", {SHOTS: params[SHOTS]})] if SHOTS in params else []
    tables += [("network", network)] if network else []
    return "\n\n".join(_table(name, values) for name, values in [*tables, ("space", space)])


def _table(name: str, values: Mapping[str, ParamValue]) -> str:
    lines = [f"{toml_key(key)} = {toml_value(value)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines])


def toml_key(name: str) -> str:
    """A key as TOML writes it."""
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else json.dumps(name)


def toml_value(value: ParamValue) -> str:
    """A value as TOML writes it; floats so that they read back to the same bits."""
    if isinstance(value, bool):
        return str(value).lower()
    # Every escape of JSON is one of TOML; only DEL must be escaped in TOML alone.
    return json.dumps(value).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)
