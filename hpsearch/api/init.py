"""Starting a new study file."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hpsearch.datasets import DATASETS
from hpsearch.datasets.selection import Selection, open_pool
from hpsearch.errors import DataError, StudyFileError, unknown
from hpsearch.nn import NETWORKS
from hpsearch.own_code import look_first_in
from hpsearch.records.whole_files import storage_errors
from hpsearch.studyfile import schema
from hpsearch.studyfile.entries import trainers_of
from hpsearch.studyfile.reading import ReadStudy, read_text, refuse_unfit
from hpsearch.studyfile.scripts.reading import read_script
from hpsearch.studyfile.scripts.text import ProgramDraft, draft_study
from hpsearch.studyfile.tables.data import Data, open_own
from hpsearch.studyfile.template import RareClass, Wanted, study_text
from hpsearch.trainers import TRAINERS, Task, trainer_kind

RARE = 0.1  # share of the rows, below which nearly all is right by never naming a class
FEW = 10  # rows of a class; of fewer some fold may have none
MANY = 5000  # examples; above, one hold-out split tells enough and costs a fifth


def init_study(
    path: str | Path,
    *,
    data: str,
    trainers: Sequence[str] = ("adam",),
    network: str = "two-layer",
    metric: str | None = None,
    target: str | None = None,
) -> ReadStudy:
    """Write a study file that is ready to run, with all other keys as comments.

    Args:
        path: the new file; it is never overwritten.
        data: a named data set, or the path of a table or folder.
        trainers: names, "module:function" beside the file, or import paths of estimators.
        network: the network, for trainers that train one.
        metric: the metric to optimize; None: the accuracy, or r2 for numbers; if a class of a
            table has less than a tenth of the rows, the average precision with two classes, or
            the balanced accuracy with more.
        target: the column of a table to predict.

    Returns:
        The study as it was written.

    Raises:
        StudyFileError: the file exists, or the study would be wrong; nothing is written.
        DataError: the data is missing.
    """
    path = _new(path)
    look_first_in(str(path.parent.resolve()))
    for name in (name for name in trainers if name.endswith((".py", ".sh"))):
        module = Path(name).stem
        raise StudyFileError(
            f"--trainer must be a trainer, got the script {name!r}: a program is --script {name}; "
            f"a function in it is --trainer {module}:NAME"
        )
    kinds = trainers_of({"trainer": {"choices": list(trainers)}})
    for name in trainers:
        if name not in kinds:
            trainer_kind(name)  # says what is wrong with the path of an estimator
            valid = [*TRAINERS, "module:function", "sklearn.module.Class"]
            raise StudyFileError(f"--trainer {unknown(name, valid)}")
    if network not in NETWORKS:
        raise StudyFileError(f"--network {unknown(network, NETWORKS)}")
    where = _from_folder(data, path.parent)
    tasks = {kind.task for kind in kinds.values()} - {None}
    if not tasks and any(kind.trainer.uses_network for kind in kinds.values()):
        tasks = {_task(where, target, path.parent)}
    rare = None
    if metric is None and target is not None and not any(k.open for k in kinds.values()):
        rare = _rare_class(Data(name=where, target=target).selection(0, path.parent))
    usual = "validation_r2" if "regression" in tasks else "validation_accuracy"
    wanted = Wanted(
        name=study_name(path),
        data=where,
        target=target,
        many=_size(where, path.parent) > MANY,
        trainers=kinds,
        network=network if any(k.trainer.uses_network for k in kinds.values()) else None,
        metric=metric or (rare.metric if rare else usual),
        rare=rare,
    )
    text = study_text(wanted)
    read = read_text(text, path)
    refuse_unfit(read)
    _write(path, text)
    return read


def init_program(
    path: str | Path, *, script: str | Path, metric: str | None = None
) -> ProgramDraft:
    """Write a study file for a training program, from its options.

    The options are read from the program's source: argparse calls, click decorators, typer
    parameters. If these show nothing, and the program reads its command line, it is run with
    `--help`, for up to 10 seconds. Every guess has a comment.

    Args:
        path: the new file; it is never overwritten.
        script: the program, in any language.
        metric: the metric to optimize; None: the most likely one among those that it prints.

    Returns:
        The file's text, where the options were read, and what the user must fill in.

    Raises:
        StudyFileError: the file exists, the program's options can't be read, or the study would
            be wrong; nothing is written.
    """
    path = _new(path)
    read = read_script(Path(script))
    draft = draft_study(read, name=study_name(path), folder=path.resolve().parent, metric=metric)
    if not draft.todo:
        read_text(draft.text, path)
    _write(path, draft.text)
    return draft


def study_schema() -> dict[str, Any]:
    """The JSON Schema of the study file, for editors."""
    return schema.study_schema()


def _new(path: str | Path) -> Path:
    """The path, where a file may be written."""
    path = Path(path)
    if path.exists():
        raise StudyFileError(f"{path} already exists; name another file")
    if not path.parent.is_dir():
        raise StudyFileError(
            f"the folder of {path} does not exist: create {path.parent}, or name another file"
        )
    return path


def study_name(path: Path) -> str:
    """The name of a study of this file."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip("-.")[:80] or "study"


def _write(path: Path, text: str) -> None:
    with storage_errors(path):
        path.write_text(text, encoding="utf-8")


def _from_folder(data: str, folder: Path) -> str:
    """A path as the study file in this folder must say it."""
    if data in DATASETS or Path(data).is_absolute() or not Path(data).exists():
        return data
    return os.path.relpath(data, folder)


def _rare_class(selection: Selection) -> RareClass | None:
    """The rarest class of a table, if it has less than a tenth of the rows; what is wrong with
    the table is said where the study file is read."""
    try:
        examples = open_pool(selection).examples
    except DataError:
        return None
    if examples.regression:
        return None
    counts = np.bincount(examples.labels, minlength=examples.n_classes)
    share = float(counts.min() / counts.sum())
    if share >= RARE or counts.min() < FEW:
        return None
    return RareClass(examples.classes[int(counts.argmin())], share, examples.n_classes)


def _size(data: str, folder: Path) -> int:
    """Examples of a named data set; of others it is not known yet."""
    return len(Selection(data).dataset().training().labels) if data in DATASETS else 0


def _task(data: str, target: str | None, folder: Path) -> Task:
    """What is predicted of the data, as a study file without a `task` says it."""
    if target is None:
        return "classification"
    said = Data(name=data, target=target)
    task, _ = open_own(said, said.selection(0, folder))
    return task
