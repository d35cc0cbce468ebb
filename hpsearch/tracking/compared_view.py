"""One prepared view over the trials of several runs, of one study or of several, in MLflow.

MLflow shows several experiments on its page `compare-experiments`. A view on it is a tag of the
first experiment in the address, as it is one of the only experiment elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hpsearch.addresses import first_line, without_password
from hpsearch.errors import TrackingError
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.client import open_client
from hpsearch.tracking.links import KIND, OUTCOME, WORKFLOW
from hpsearch.tracking.parent_run import RUN_ID
from hpsearch.tracking.stores.own_store import tracked
from hpsearch.tracking.stores.sqlite_store import is_there
from hpsearch.tracking.views import (
    MOST_COLUMNS,
    Look,
    compared_key,
    key_tag,
    packed,
    trials_view,
    with_charts,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_PARENTS = 1000  # of one page of MLflow's search
# Each run that is left out is a condition, and a database takes some 60 of them. Where there are
# more, the view holds the best trials of each study alone.
MOST_OTHERS, MOST_BEST = 20, 20


@dataclass(frozen=True)
class ComparedPages:
    """Where several runs' trials are beside each other in the MLflow UI, from '#' on.

    Attributes:
        tracking_uri: of the store, without its password.
        trials: all of them in one table, best first.
        curves: the charts over them.
    """

    tracking_uri: str
    trials: str
    curves: str


def send_compared_view(folders: Sequence[RunFolder], known_uri: str) -> ComparedPages | None:
    """Write the view and give its addresses; what is so already is not written.

    Args:
        known_uri: a tracking URI with its password, used where the folders name the same store.

    Returns:
        None where not all of the runs are in one store that is there.

    Raises:
        TrackingError: MLflow can't be reached.
    """
    said = [tracked(folder) for folder in folders]
    uris = {str(ids.get("tracking_uri", "")) for ids in said}
    if len(uris) != 1 or not is_there(uri := uris.pop()):
        return None
    shown = uri
    if uri == without_password(known_uri):
        uri = known_uri
    parents = [folder.required(folder.files.parent, "run_id", "look") for folder in folders]
    looks = [
        Look.of(parent, str(ids["parent_run_id"]))
        for parent, ids in zip(parents, said, strict=True)
    ]
    # As texts, which is how MLflow's own link to the page has them in order.
    experiments = sorted({str(ids["experiment_id"]) for ids in said})
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        client = open_client(uri)
        mine = [look.run_id for look in looks]
        others = [*_others(client, experiments, mine)]
        wanted = [f"tags.`{KIND}` = 'trial'", *(f"tags.`{RUN_ID}` != '{one}'" for one in others)]
        if len(others) > MOST_OTHERS:
            best = [*_best(client, experiments, looks)]
            if not best:
                return None
            wanted = [f"attributes.run_id IN ({', '.join(best)})"]
        content = _content(looks, " and ".join(wanted), len(experiments))
        _send(client, experiments, compared_key(mine), content)
    except Exception as error:
        reason = first_line(error, uri)
        raise TrackingError(
            f"MLflow at {shown} must be reachable to show the studies side by side, got "
            f"{type(error).__name__}: {reason}; the records are compared anyway"
        ) from error
    page = _page(experiments, compared_key(mine))
    return ComparedPages(shown, page, f"{page}&compareRunsMode=CHART")


def _page(experiments: Sequence[str], key: str) -> str:
    if len(experiments) == 1:
        return f"#/experiments/{experiments[0]}/runs?viewStateShareKey={key}&{WORKFLOW}"
    named = quote(json.dumps(list(experiments), separators=(",", ":")), safe="")
    return f"#/compare-experiments/s?experiments={named}&viewStateShareKey={key}&{WORKFLOW}"


def _others(
    client: MlflowClient, experiments: Sequence[str], mine: Sequence[str]
) -> Iterator[str]:
    """The ids, ours, of other runs in these experiments, as MLflow's filters know no "or"."""
    parents = client.search_runs(
        list(experiments), f"tags.`{KIND}` = 'study'", max_results=MOST_PARENTS
    )
    found = dict.fromkeys(run.data.tags.get(RUN_ID, "") for run in parents)
    yield from (run_id for run_id in found if run_id and run_id not in mine)


def _best(
    client: MlflowClient, experiments: Sequence[str], looks: Sequence[Look]
) -> Iterator[str]:
    """The ids, MLflow's and quoted, of the best trials of each run."""
    for look in looks:
        found = client.search_runs(
            list(experiments),
            f"tags.`{KIND}` = 'trial' and tags.`{RUN_ID}` = '{look.run_id}'",
            max_results=MOST_BEST,
            order_by=[f"metrics.`objective` {'DESC' if look.direction == 'maximize' else 'ASC'}"],
        )
        yield from (f"'{run.info.run_id}'" for run in found)


def _content(looks: Sequence[Look], wanted: str, n_experiments: int) -> dict[str, Any]:
    """The view: trials of these runs, best first where they optimise the same.

    Args:
        wanted: which trials, as MLflow's search has it.
    """
    first = looks[0]
    same = all((one.metric, one.direction) == (first.metric, first.direction) for one in looks)
    parameters = _shared_first([look.parameters for look in looks])[:MOST_COLUMNS]
    ranges = [name for name in parameters if all(name in look.ranges for look in looks)]
    # Of an older run nobody knows which of its parameters all trials have.
    had = [one.parameters if one.unconditional is None else one.unconditional for one in looks]
    unconditional = [name for name in parameters if all(name in names for names in had)]
    look = replace(
        first,
        metric=first.metric if same else "",
        parameters=parameters,
        ranges=ranges,
        unconditional=unconditional,
        objectives=first.objectives if same else (),
    )
    which = ["attributes.`Experiment Name`"] if n_experiments > 1 else []
    which += [f"tags.`{RUN_ID}`"] if n_experiments < len(looks) else []
    return with_charts(look, trials_view(look, wanted, [f"tags.`{OUTCOME}`"], which))


def _shared_first(names: Sequence[Sequence[str]]) -> list[str]:
    """Names of several lists: first those that all have, in the order of the first list."""
    every = dict.fromkeys(name for some in names for name in some)
    return sorted(every, key=lambda name: -sum(name in some for some in names))


def _send(
    client: MlflowClient, experiments: Sequence[str], key: str, content: Mapping[str, Any]
) -> None:
    """To each experiment, so that deleting one of the runs finds it there."""
    text = packed(content)
    for experiment in experiments:
        if client.get_experiment(experiment).tags.get(key_tag(key)) != text:
            client.set_experiment_tag(experiment, key_tag(key), text)
