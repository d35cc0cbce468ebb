"""A configuration as text: part of a study file, JSON or Python."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Literal

from hpsearch.hyperparameters import ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.studyfile.arms import SHOTS
from hpsearch.studyfile.toml import toml_table

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
    return "\n\n".join(toml_table(name, values) for name, values in [*tables, ("space", space)])
