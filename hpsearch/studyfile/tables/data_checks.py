"""From the [data] table of a study file to what can be predicted of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from hpsearch.datasets import DATASETS
from hpsearch.datasets.selection import Selection, open_pool
from hpsearch.errors import DataError, nearest
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.study_file import Data
from hpsearch.trainers import Task, TrainerKind


def open_own(data: Data, selection: Selection) -> tuple[Task, list[Mistake]]:
    """What is predicted, and what is wrong with files of the user's own; others wait their turn.

    The test rows of a table are looked through for values that would end the study at its end.
    """
    if data.name in DATASETS:
        own = [key for key in ("target", "task", "test", "test_fraction") if getattr(data, key)]
        wrong = f"must be left out: it is of tables, and {data.name} is none"
        own += [f"split.{key}" for key in ("group", "order") if hasattr(data.split, key)]
        return "classification", [Mistake(f"data.{key}", wrong) for key in own]
    for key, path in (("data.name", selection.name), ("data.test", selection.test)):
        if path is not None and not Path(path).exists():
            return "classification", [Mistake(key, _nothing_at(Path(path), key == "data.name"))]
    try:
        pool = open_pool(selection)
        selection.dataset().test()
    except DataError as error:
        key, _, rule = str(error).partition(" ")
        mistake = Mistake(key, rule) if key.startswith("data.") else Mistake("data", str(error))
        return "classification", [mistake]
    return "regression" if pool.examples.regression else "classification", []


def _nothing_at(path: Path, may_be_named: bool) -> str:
    named = list(DATASETS) if may_be_named else []
    beside = [found.name for found in path.parent.iterdir()] if path.parent.is_dir() else []
    kinds = ["a CSV or Parquet file", *(["a folder of idx or CIFAR-10 files"] if named else [])]
    return (
        f"must be one of {', '.join([*named, *kinds])}, got nothing at "
        f"{str(path)!r}{nearest(path.name, [*named, *beside])}"
    )


def task_mistakes(
    data: Data, task: Task, trainers: Mapping[str, TrainerKind]
) -> Iterator[Mistake]:
    """What is wrong with trainers that predict the other thing than the data has."""
    other = "classification" if task == "regression" else "regression"
    what = {"regression": "numbers", "classification": "classes"}
    example = {"regression": "sklearn.linear_model.Ridge", "classification": "sklearn.svm.SVC"}
    way_out = "" if data.target is None else f', or set data.task = "{other}"'
    for name, kind in trainers.items():
        if kind.task not in (task, None):
            yield Mistake(
                "space.trainer",
                f"must predict {what[task]}, as {(data.target or data.name)!r} holds them, got "
                f"{name!r} for {what[other]}: name one such as {example[task]}{way_out}",
            )
