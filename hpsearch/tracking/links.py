"""Addresses of pages of the MLflow UI, from '#' on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from hpsearch.records.outcome import Outcome

UI_ADDRESS = "http://127.0.0.1:5000"  # where `python -m hpsearch ui` listens unless told otherwise


def runs_page(
    experiment: str, parent: str, tags: Mapping[str, str], *, order: str, ascending: bool
) -> str:
    """The run table with some of a study's runs, sorted; runs without the key come last.

    Args:
        parent: id of the study's run.
        tags: what a run's tags must be.
        order: the key, such as "metrics.`objective`".
    """
    wanted = {"mlflow.parentRunId": parent, **tags}
    runs = " and ".join(f"tags.`{name}` = '{value}'" for name, value in wanted.items())
    return (
        f"#/experiments/{experiment}/runs?searchFilter={quote(runs, safe='')}"
        f"&orderByKey={quote(order, safe='')}&orderByAsc={str(ascending).lower()}"
        "&workflowType=machine_learning"
    )


def trials_page(experiment: str, parent: str, direction: str) -> str:
    """The trials of a study, best first; only complete ones have an objective to be sorted by."""
    return runs_page(
        experiment,
        parent,
        {"hpsearch.kind": "trial"},
        order="metrics.`objective`",
        ascending=direction == "minimize",
    )


def compare_page(experiment: str, run_ids: Sequence[str]) -> str:
    """Some runs beside each other."""
    runs = quote(json.dumps(list(run_ids)), safe="")
    return (
        f"#/compare-runs?runs={runs}&experiments={quote(json.dumps([experiment]), safe='')}"
        "&workflowType=machine_learning"
    )


def note_links(
    experiment: str, ids: Mapping[str, str], parent: str, look: Mapping[str, object]
) -> str:
    """A line of Markdown with the ways from the study's note to its trials.

    Args:
        ids: of runs in MLflow, by uid.
        parent: id of the study's run.
        look: "direction"; "top": uids of the best trials; and "outer": whether there are outer
            folds, which older parent.json don't say.
    """
    direction = str(look["direction"])
    found = [("all trials, best first", trials_page(experiment, parent, direction))]
    top = [ids[uid] for uid in look["top"] if uid in ids]  # type: ignore[attr-defined]
    if len(top) > 1:
        found.append((f"the best {len(top)} compared", compare_page(experiment, top)))
    outer = (("outer folds", {"hpsearch.kind": "outer-fold"}),) if look.get("outer") else ()
    for title, tags in (
        *outer,
        ("confirmation runs", {"hpsearch.kind": "confirmation"}),
        ("tested refits", {"hpsearch.kind": "test"}),
        (Outcome.DIVERGED, {"hpsearch.outcome": Outcome.DIVERGED}),
        (Outcome.FAILED, {"hpsearch.outcome": Outcome.FAILED}),
    ):
        order = "attributes.start_time"
        found.append((title, runs_page(experiment, parent, tags, order=order, ascending=True)))
    return " · ".join(f"[{title}]({page})" for title, page in found)
