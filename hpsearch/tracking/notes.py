"""What the note of a run says in MLflow, beside what the coordinator wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpsearch.records.layout import Artifact
from hpsearch.tracking.links import KIND, compare_page, run_page, runs_page
from hpsearch.tracking.views import View, view_page


def links_line(parent: Mapping[str, Any], experiment: str, ids: Mapping[str, str]) -> str:
    """A line of Markdown with the ways from a study's note to its runs.

    Args:
        parent: what parent.json says. Its "look" has "top": uids of the best trials; and
            "outer", "defaults": whether there are outer folds and runs of the defaults, which
            older ones don't say.
        ids: of runs in MLflow, by uid; the parent's among them.
    """
    look, run_id = parent["look"], ids[parent["uid"]]
    found = [(view.heading, view_page(experiment, parent["run_id"], view)) for view in View]
    top = [ids[uid] for uid in look["top"] if uid in ids]
    if len(top) > 1:
        found.append((f"The best {len(top)} compared", compare_page(experiment, top)))
    kinds = [
        ("Runs of the defaults", "LIKE 'default%'", look.get("defaults")),
        ("Outer folds", "= 'outer-fold'", look.get("outer")),
    ]
    for title, condition, there in kinds:
        if there:
            wanted, order = [f"tags.`{KIND}` {condition}"], f"tags.`{KIND}`"
            page = runs_page(experiment, run_id, wanted, order=order, ascending=True)
            found.append((title, page))
    if parent["ended"] and parent["status"] == "FINISHED":
        found.append(("Report", run_page(experiment, run_id, f"artifacts/{Artifact.REPORT}")))
    return " · ".join(f"[{title}]({page})" for title, page in found)
