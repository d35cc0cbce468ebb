"""Prepared views of a study's runs in MLflow: what a person sees there first.

A view is an experiment tag with JSON; its address opens the run table, or its charts, with the
columns, the order and the filter that the JSON says. MLflow's own "Share" button writes the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hpsearch.metrics import test_name
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.links import (
    KIND,
    OUTCOME,
    WORKFLOW,
    run_page,
    runs_page,
    trials_page,
)
from hpsearch.tracking.names import stored_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "mlflow.sharedViewState."  # MLflow looks for the key behind it
LONGEST = 5000  # characters of a tag that servers of all versions take
MOST_COLUMNS = 12  # parameters in a table; more are a click on "Columns" away
MOST_AXES = 8  # of parallel coordinates
SECTION = "hpsearch"  # the id of the charts' section
# Sections of charts that MLflow makes by itself; closed, as each of their charts has one point.
OTHER_SECTIONS = ("objectives", "Model metrics", "System metrics")
COMPARED = "compared"  # the end of the key of a view over several runs
LONGEST_KEY = 200  # characters; MLflow takes names of 250
WIDE = 420  # pixels of a column of sentences


class View(StrEnum):
    """The views of a study, by what they show; a value is the end of a view's key."""

    TRIALS = "trials"
    CURVES = "curves"
    TESTS = "tests"
    TROUBLES = "troubles"

    @property
    def heading(self) -> str:
        """As people read it in a link."""
        return HEADINGS[self]


HEADINGS = {
    View.TRIALS: "Trials, best first",
    View.CURVES: "Curves",
    View.TESTS: "Fresh splits and test",
    View.TROUBLES: "Failed and diverged",
}


@dataclass(frozen=True)
class Look:
    """What views are made of.

    Attributes:
        run_id: of the study's run, ours.
        parent: the id of its run in MLflow.
        direction: "maximize" or "minimize".
        metric: whose curve is the objective's; "" where nobody knows.
        parameters: searched ones, the most important first.
        ranges: those of them that are ranges of numbers.
        unconditional: those that every trial has; None where nobody knows.
        objectives: of several, their names.
        test_metrics: what was measured on the test set.
    """

    run_id: str
    parent: str
    direction: str = "maximize"
    metric: str = ""
    parameters: Sequence[str] = ()
    ranges: Sequence[str] = ()
    unconditional: Sequence[str] | None = None
    objectives: Sequence[str] = ()
    test_metrics: Sequence[str] = ()

    @classmethod
    def of(cls, parent: Mapping[str, Any], mlflow_id: str) -> Look:
        """As parent.json says; an older one says less."""
        said = parent["look"]
        metric = said.get("metric") or parent["params"].get("objective.metric", "")
        return cls(
            run_id=parent["run_id"],
            parent=mlflow_id,
            direction=str(said["direction"]),
            metric=str(metric),
            parameters=[stored_name(name) for name in said.get("parameters", ())],
            ranges=[stored_name(name) for name in said.get("ranges", ())],
            unconditional=None
            if said.get("unconditional") is None
            else [stored_name(name) for name in said["unconditional"]],
            objectives=said.get("objectives", ()),
            test_metrics=said.get("test_metrics", ()),
        )


def view_key(run_id: str, view: View) -> str:
    """The key of a run's view: the same in every store, whenever it is written."""
    return f"{run_id}-{view}"


def compared_key(run_ids: Sequence[str]) -> str:
    """The key of a view over several runs, whatever their order.

    It names them, for `drop_views`, unless that makes a longer tag than MLflow takes.
    """
    names = "-".join(sorted(run_ids))
    if len(names) > LONGEST_KEY:
        names = hashlib.sha256(names.encode()).hexdigest()[:16]
    return f"{names}-{COMPARED}"


def key_tag(key: str) -> str:
    """The tag of an experiment that holds the view of this key."""
    return TAG + key


def view_page(experiment: str, run_id: str, view: View) -> str:
    """Where a prepared view opens, from '#' on."""
    charts = "&compareRunsMode=CHART" if view is View.CURVES else ""
    return (
        f"#/experiments/{experiment}/runs?viewStateShareKey={view_key(run_id, view)}"
        f"{charts}&{WORKFLOW}"
    )


@dataclass(frozen=True)
class Pages:
    """Addresses of a study's run in the MLflow UI, from '#' on.

    Attributes:
        run: the parent run.
        views: by what they show, in the order in which people read them.
    """

    run: str
    views: Mapping[View, str]

    @property
    def trials(self) -> str:
        """The table of trials, best first."""
        return self.views[View.TRIALS]


def pages_of(folder: RunFolder) -> Pages | None:
    """The addresses of a run's parent run and of its four views; None: no MLflow has it yet.

    Which store it is, `tracking_uri` in the folder's mlflow.json says. Where an older version
    sent the run, and no views, the addresses hold a filter and an order instead.

    Raises:
        DamagedError: parent.json is there and damaged.
    """
    ids = folder.read_sealed(folder.files.mlflow)
    if not ids:
        return None
    parent = folder.required(folder.files.parent, "run_id", "look")
    return pages(ids, parent["run_id"], str(parent["look"]["direction"]))


def pages(ids: Mapping[str, Any], run_id: str, direction: str) -> Pages:
    """The same, by what mlflow.json says.

    Args:
        ids: experiment_id, parent_run_id; and views: whether there are any.
        run_id: of the study's run, ours.
        direction: of the objective.
    """
    experiment, parent = str(ids["experiment_id"]), str(ids["parent_run_id"])
    if ids.get("views"):
        found = {view: view_page(experiment, run_id, view) for view in View}
    else:
        found = _without_views(experiment, parent, direction)
    return Pages(run_page(experiment, parent), found)


def _without_views(experiment: str, parent: str, direction: str) -> dict[View, str]:
    """Addresses with a filter and an order, for runs that an older version sent."""
    trials = trials_page(experiment, parent, direction)
    return {
        View.TRIALS: trials,
        View.CURVES: f"{trials}&compareRunsMode=CHART",
        View.TESTS: runs_page(
            experiment,
            parent,
            [f"tags.`{KIND}` != 'trial'"],
            order=_tag(KIND),
            ascending=True,
        ),
        View.TROUBLES: runs_page(
            experiment,
            parent,
            ["attributes.status = 'FAILED'"],
            order=_tag(OUTCOME),
            ascending=True,
        ),
    }


def made_views(look: Look) -> dict[View, dict[str, Any]]:
    """The content of a study's views."""
    below = f"tags.`mlflow.parentRunId` = '{look.parent}'"
    score, params = _scores(look), [_param(name) for name in look.parameters[:MOST_COLUMNS]]
    outcome, stages, reason = _tag(OUTCOME), _tag("hpsearch.stages"), _tag("hpsearch.reason")
    tested = dict.fromkeys([*_tested(look), *look.test_metrics])
    trials = f"{below} and tags.`{KIND}` = 'trial'"
    return {
        View.TRIALS: trials_view(look, trials, [outcome, stages, _tag("hpsearch.winner"), reason]),
        View.CURVES: with_charts(look, trials_view(look, trials, [outcome])),
        View.TESTS: _view(
            f"{below} and tags.`{KIND}` != 'trial'",
            _tag(KIND),  # by the time MLflow would show the parent run with its children closed
            True,
            [
                *score,
                *(_metric(name) for name in tested),
                _tag(KIND),
                _tag("hpsearch.trial"),
                outcome,
                reason,
            ],
        ),
        View.TROUBLES: _view(
            f"tags.`hpsearch.run_id` = '{look.run_id}' and attributes.status = 'FAILED'",
            outcome,
            True,
            [outcome, reason, _tag(KIND), stages, *params],
        ),
    }


def trials_view(
    look: Look, wanted: str, more: Sequence[str], first: Sequence[str] = ()
) -> dict[str, Any]:
    """The table of trials, best first, with scores and searched parameters.

    Args:
        wanted: which runs, as MLflow's search has it.
        more, first: columns behind and before those, by their keys.
    """
    curve = [_metric(look.metric)] if look.metric else []
    params = [_param(name) for name in look.parameters[:MOST_COLUMNS]]
    columns = [*first, *_scores(look), *curve, *params, *more]
    return _view(wanted, _metric("objective"), look.direction == "minimize", columns)


def with_charts(look: Look, view: Mapping[str, Any]) -> dict[str, Any]:
    """A view with the cards of its charts."""
    return {**view} | _charts(look)


def send_views(
    client: MlflowClient, experiment: str, parent: Mapping[str, Any], mlflow_id: str
) -> None:
    """Bring the experiment's views of a run to what parent.json says; what is so already is not
    written.

    Args:
        mlflow_id: of the parent run.
    """
    there = client.get_experiment(experiment).tags
    for view, content in made_views(Look.of(parent, mlflow_id)).items():
        tag, text = key_tag(view_key(parent["run_id"], view)), packed(content)
        if there.get(tag) != text:
            client.set_experiment_tag(experiment, tag, text)


def drop_views(client: MlflowClient, experiment: str, run_id: str) -> None:
    """Take the views of a run, and those over it and others, out of the experiment."""
    found = client.get_experiment(experiment)
    there = found.tags if found.lifecycle_stage == "active" else {}
    mine = [TAG + view_key(run_id, view) for view in View]
    beside = [tag for tag in there if tag.endswith(f"-{COMPARED}") and run_id in tag]
    for tag in (*mine, *beside):
        if tag in there:
            client.delete_experiment_tag(experiment, tag)


def differing(params: Sequence[Mapping[str, Any]]) -> list[str]:
    """The hyperparameters that are not the same in all trials, in their order."""
    names = dict.fromkeys(name for one in params for name in one)
    return [name for name in names if len({repr(one.get(name)) for one in params}) > 1]


def packed(content: Mapping[str, Any]) -> str:
    """A view as the value of a tag: plain JSON, or deflated where that is too long."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= LONGEST:
        return text
    return "deflate;" + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _tested(look: Look) -> list[str]:
    return [test_name(look.metric)] if look.metric else []


def _scores(look: Look) -> list[str]:
    return [_metric("objective"), *(_metric(f"objectives/{n}") for n in look.objectives)]


def _metric(name: str) -> str:
    return f"metrics.`{name}`"


def _param(name: str) -> str:
    return f"params.`{name}`"


def _tag(name: str) -> str:
    return f"tags.`{name}`"


def _view(wanted: str, order: str, ascending: bool, columns: Sequence[str]) -> dict[str, Any]:
    """The run table: which runs, in which order, with which columns."""
    widths = {name: 140 for name in columns if name.startswith("metrics.")}
    widths |= {_tag("hpsearch.reason"): WIDE, _tag(OUTCOME): 130}
    return {
        "searchFilter": wanted,
        "orderByKey": order,
        "orderByAsc": ascending,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(columns),
        "columnOrder": list(columns),
        "columnWidths": {name: widths[name] for name in columns if name in widths},
        "runsHiddenMode": "FIRST_10_RUNS",
    }


def _charts(look: Look) -> dict[str, Any]:
    """Cards of the chart view, and their section before MLflow's own."""
    cards = []
    if look.metric:
        cards.append(_line(look.metric))
    if look.parameters:
        # MLflow draws there only what has all of them, and nothing where no shown trial has.
        axes = look.unconditional or look.parameters
        cards.append(
            _card(
                "PARALLEL",
                selectedParams=list(axes[:MOST_AXES]),
                selectedMetrics=["objective"],
                showAllRuns=True,
            )
        )
    cards += [
        _card("SCATTER", number, xaxis=_axis("PARAM", name), yaxis=_axis("METRIC", "objective"))
        for number, name in enumerate(look.parameters[:2])
    ]
    if len(look.objectives) > 1:
        first, second, *_ = (f"objectives/{name}" for name in look.objectives)
        cards.append(
            _card("SCATTER", 2, xaxis=_axis("METRIC", first), yaxis=_axis("METRIC", second))
        )
    if len(look.ranges) > 1:  # of choices there is nothing between two
        across, up = (_axis("PARAM", name) for name in look.ranges[:2])
        height = _axis("METRIC", "objective")
        cards.append(_card("CONTOUR", xaxis=across, yaxis=up, zaxis=height))
    sections = [_section(SECTION, "The search", shown=True) | {"columns": 2, "cardHeight": 380}]
    sections += [_section(name, name, shown=False) for name in OTHER_SECTIONS]
    return {
        "compareRunCharts": cards,
        "compareRunSections": sections,
        "isAccordionReordered": True,  # or MLflow sorts its own before ours
        "hideEmptyCharts": True,
    }


def _line(metric: str) -> dict[str, Any]:
    return _card(
        "LINE",
        metricKey=metric,
        selectedMetricKeys=[metric],
        displayName=f"{metric} by epoch",
        lineSmoothness=0,
        scaleType="linear",
        xAxisScaleType="linear",
        xAxisKey="step",
        selectedXAxisMetricKey="",
        yAxisKey="metric",
        yAxisExpressions=[],
        range={},
        ignoreOutliers=False,
        useGlobalXaxisKey=True,
        useGlobalLineSmoothing=True,
    )


def _card(kind: str, number: int = 0, /, **content: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "uuid": f"{SECTION}-{kind.lower()}-{number}",
        "runsCountToCompare": 10,
        "metricSectionId": SECTION,
        "deleted": False,
        "isGenerated": False,
        **content,
    }


def _axis(kind: str, name: str) -> dict[str, str]:
    return {"key": name, "type": kind}


def _section(uuid: str, name: str, *, shown: bool) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "name": name,
        "display": shown,
        "isReordered": False,
        "deleted": False,
        "isGenerated": uuid != SECTION,
    }
