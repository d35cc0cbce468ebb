"""From a table to a model in one call: a study file is written, run, and compared."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

from hpsearch.api.init import study_name
from hpsearch.api.study import run_study
from hpsearch.api.support.report import Report
from hpsearch.datasets.card import TableCard, table_card
from hpsearch.datasets.files import dataset_at
from hpsearch.datasets.table import TableFile
from hpsearch.datasets.table_splits import Column
from hpsearch.errors import DataError, Problem, StudyFileError
from hpsearch.execution.population import run_slice
from hpsearch.execution.slices import Exam, Slice
from hpsearch.records.whole_files import storage_errors
from hpsearch.study.events import Event
from hpsearch.study.slice_settings import slice_settings
from hpsearch.studyfile.reading import ReadStudy, data_of, read_data, read_study, read_text
from hpsearch.studyfile.tables.data import Data
from hpsearch.studyfile.tune_text import LINEAR, TuneRequest, tune_text
from hpsearch.trainers import Member

# Of each task, what anybody has without a search.
BASELINES = {
    "classification": {
        "most frequent class": "sklearn.dummy.DummyClassifier",
        "logistic regression, default": LINEAR["classification"],
    },
    "regression": {
        "mean": "sklearn.dummy.DummyRegressor",
        "ridge regression, default": LINEAR["regression"],
    },
}


@dataclass(frozen=True)
class Baseline:
    """The scores of a model without a search, on the same folds and test rows.

    Attributes:
        name: a description of the model.
        validation: the mean of the objective over the folds.
        test: the objective on the test rows, after fitting all other rows.
    """

    name: str
    validation: float
    test: float


@dataclass(frozen=True)
class Tuned:
    """The result of `tune`.

    Attributes:
        file: the study file, which you can edit and keep.
        card: the summary of the table.
        report: the report of the study.
        baselines: models without a search.
    """

    file: Path
    card: TableCard
    report: Report
    baselines: tuple[Baseline, ...]


def tune(
    path: str | Path,
    *,
    target: str,
    minutes: float = 10.0,
    metric: str | None = None,
    group: str | None = None,
    time: str | None = None,
    home: str | Path | None = None,
    workers: int | None = None,
    overrides: Sequence[str] = (),
    on_card: Callable[[TableCard, Path], None] = lambda card, file: None,
    on_event: Callable[[Event], None] = lambda event: None,
    warn: Callable[[str], None] = lambda line: None,
) -> Tuned:
    """Write a study file for a table, run it, and compare its winner with simple models.

    An existing study file is run as it is.

    Args:
        path: a CSV or Parquet file.
        target: the column to predict.
        minutes: approximate duration; a search that the clock ends is not reproducible.
        metric: a metric of docs/metrics.md; None: chosen from the target.
        group: a column; rows with the same value stay on the same side of every split.
        time: a column of times; training uses earlier rows, and the last rows are the test set.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        workers: number of worker processes; None: one per core.
        overrides: keys of [data], such as "data.csv.decimal=,"; they go into the study file.
        on_card: called with the summary of the table and the study file, before training.
        on_event: called with every event.
        warn: called with one line for each problem that does not stop the study.

    Raises:
        HpsearchError: a known error, with a message for the user.
    """
    table = Path(path)
    if group is not None and time is not None:
        raise DataError(Problem("--time", "must be left out beside --group"))
    if not table.exists():
        raise DataError(f"the table must be a CSV or Parquet file, got nothing at {str(table)!r}")
    file = table.parent / f"{study_name(table)}.toml"
    if file.exists():
        data = read_data(file)
        if data.target != target:
            raise StudyFileError(
                f"{file} must be a study that predicts {target!r}, got one that predicts "
                f"{data.target!r}: rename the table or the study file"
            )
        warn(f"{file} already exists and is run as it is; delete it to write a new one")
        card = _card(data, None, file)
    else:
        content: dict[str, Any] = {"data": {"name": table.name, "target": target}}
        data = data_of(content, file, overrides)
        split = Column("group", group) if group else Column("order", time) if time else None
        card = _card(data, split, file)
        keys = {k: v for k, v in content["data"].items() if k not in ("name", "target")}
        options = {"metric": metric, "group": group, "time": time}
        asked = [f"--{key} {shlex.quote(value)}" for key, value in options.items() if value]
        command = ["python -m hpsearch tune", shlex.quote(table.name), "--target"]
        command += [shlex.quote(target), f"--minutes {minutes:g}", *asked]
        command += [f"--set {shlex.quote(override)}" for override in overrides]
        request = TuneRequest(
            name=study_name(table),
            command=" ".join(command),
            data=table.name,
            card=card,
            minutes=minutes,
            metric=metric,
            group=group,
            time=time,
            stoppable=workers != 0,
            keys=keys,
        )
        text = tune_text(request)
        read_text(text, file)  # what is wrong with it, e.g. the metric, is said before it is there
        with storage_errors(file):
            file.write_text(text, encoding="utf-8")
    on_card(card, file)
    report = run_study(file, home=home, workers=workers, on_event=on_event, warn=warn)
    return Tuned(file, card, report, _baselines(read_study(file), card))


def _card(data: Data, split: Column | None, file: Path) -> TableCard:
    """What the table of a [data] holds; of one that is not written yet with its split."""
    selection = data.selection(0, file.resolve().parent)
    options = replace(selection.table, column=split or selection.split.column)
    dataset = dataset_at(Path(selection.name), options)
    if not isinstance(dataset, TableFile):
        raise DataError(f"{data.name} must be a CSV or Parquet file, got a folder")
    return table_card(dataset)


def _baselines(read: ReadStudy, card: TableCard) -> tuple[Baseline, ...]:
    metric = read.file.objective.metric
    return tuple(
        Baseline(
            name,
            _score(read, trainer, "validation", metric),
            _score(read, trainer, "test", metric),
        )
        for name, trainer in BASELINES[card.task].items()
    )


def _score(read: ReadStudy, trainer: str, exam: Exam, metric: str) -> float:
    """The mean over the splits of what it reaches with its own defaults."""
    params = read.space.complete({"trainer": trainer})
    settings = replace(slice_settings(read, read.selection), exam=exam, seconds=float("inf"))
    values = []
    for split in range(read.file.n_splits if exam == "validation" else 1):
        member = Member(params, (read.file.seed, 0, 0, split), split)
        done = run_slice(Slice(settings, (member,), read.file.n_epochs))
        if done.error is not None:
            raise DataError(f"{trainer} must be fitted for comparison, got: {done.error}")
        values.append(done.members[0].rows[-1][1].get(metric, math.nan))
    return mean(values)
