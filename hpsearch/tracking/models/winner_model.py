"""The winner as an MLflow model: logged on the parent run, registered under the study's name."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.nn.fitted import FittedNetwork
from hpsearch.records.run_folder import RunFolder
from hpsearch.study_names import file_name
from hpsearch.tracking.notes import OURS, text_digest
from hpsearch.trainers.estimators.model_files import FILE_NAMES, described
from hpsearch.trainers.tables.model import FittedTable, TableModel
from hpsearch.trainers.tables.predictor import NetworkPredictor

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.types import Schema
    from numpy.typing import NDArray

MODEL = "model"  # its folder among the parent run's artifacts, and in the run's folder
ALIAS = "winner"
VERSION_OF = "hpsearch.run_id"  # a tag of model versions
KINDS = {float: "double", int: "long", str: "string"}  # as MLflow calls them
PACKAGES = ("hpsearch", "numpy", "pandas", "mlflow")  # what predicting needs


def send_model(
    client: MlflowClient, folder: RunFolder, parent: Mapping[str, Any], run_id: str
) -> None:
    """Log and register the model, once, if the winner's training left a file to predict with.

    Args:
        parent: what parent.json says; "winner" names the record, which is a test record where
            its kind is left out.
    """
    winner = parent.get("winner")
    if not winner:
        return
    kind, source = winner.get("kind", "test"), MODEL
    if kind != "test":  # which may come after a first refit was served
        source = f"{MODEL}-{kind}-{winner['number']}"
    place = folder.files.record(kind, winner["number"], winner["seed"])
    fitted = next((p for name in SAVERS if (p := place.file(name)).exists()), None)
    if fitted is None:
        return
    if not any(file.path == source for file in client.list_artifacts(run_id)):
        client.log_artifacts(run_id, str(_saved(folder, fitted, source)), source)
    register(client, parent, winner["description"], run_id, source)


def register(
    client: MlflowClient, parent: Mapping[str, Any], description: str, run_id: str, source: str
) -> None:
    """Register what lies under a name among the artifacts of the parent run, once.

    Args:
        parent: what parent.json says.
        description: of the version.
        source: the name.
    """
    try:
        _register(client, parent, description, run_id, source)
    except Exception as error:  # a server without a registry, or with rules of its own for names
        print(f"the model could not be registered: {error}", file=sys.stderr)


def _saved(folder: RunFolder, fitted: Path, source: str) -> Path:
    """The model's folder, made under another name first."""
    files = folder.files
    path = files.model if source == MODEL else files.other_model(source)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        young = folder.files.young_model
        shutil.rmtree(young, ignore_errors=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # MLflow would like another signature
            SAVERS[fitted.name](young, fitted)
        young.rename(path)
    return path


def _save_network(path: Path, fitted: Path) -> None:
    from mlflow.models import infer_signature

    from hpsearch.tracking.models import served_network

    predictor = NetworkPredictor(fitted)
    example = predictor.saved.example
    outputs = infer_signature(example, predictor.predict(example)).outputs
    _save(path, fitted, served_network.__file__, example, outputs, {})


def _save_estimator(path: Path, fitted: Path) -> None:
    """Without making the estimator: its file may have come from somebody else."""
    from mlflow.types import ColSpec, Schema

    from hpsearch.tracking.models import served_estimator

    file = described(fitted)
    outputs = Schema([ColSpec(KINDS[kind], name) for name, kind in file.columns()])
    _save(path, fitted, served_estimator.__file__, file.example, outputs, file.versions)


def _save(
    path: Path,
    fitted: Path,
    code: str,
    example: NDArray[Any] | pd.DataFrame,
    outputs: Schema,
    versions: Mapping[str, str],
    inputs: Schema | None = None,
) -> None:
    """Save a model of one file and the code that reads it.

    Args:
        versions: of packages beside our own that it must be read with.
        inputs: what rows look like; None: as the example, an array.
    """
    import mlflow.pyfunc
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    if isinstance(example, np.ndarray):
        inputs = Schema([TensorSpec(np.dtype(example.dtype), (-1, example.shape[1]))])
    needed = {name: version(name) for name in PACKAGES} | dict(versions)
    mlflow.pyfunc.save_model(
        str(path),
        python_model=code,
        artifacts={"weights": str(fitted)},
        signature=ModelSignature(inputs, outputs),
        input_example=example,
        pip_requirements=[f"{name}=={number}" for name, number in needed.items()],
    )


def _save_table(path: Path, fitted: Path) -> None:
    from mlflow.types import ColSpec, Schema

    from hpsearch.tracking.models import served_table

    model = TableModel.load(fitted)
    answers = Schema([ColSpec(KINDS[kind], name) for name, kind in model.answers()])
    inputs = Schema(
        [
            # Among numbers with marks such as "?" there are texts.
            ColSpec("double" if c.kind == "number" and not c.gaps else "string", c.name)
            for c in model.columns
        ]
    )
    _save(path, fitted, served_table.__file__, model.example, answers, model.versions, inputs)


# By the file that a model can be made of.
SAVERS: Mapping[str, Callable[[Path, Path], None]] = {
    FittedNetwork.file_name: _save_network,
    **dict.fromkeys(FILE_NAMES, _save_estimator),
    FittedTable.file_name: _save_table,
}


def _register(
    client: MlflowClient, parent: Mapping[str, Any], description: str, run_id: str, source: str
) -> None:
    from mlflow.exceptions import MlflowException

    name = file_name(parent["experiment"])
    about = parent.get("model_about") or older_about(name)
    versions = client.search_model_versions(f"name = '{name}'")
    made = None
    mine = (str(found.source) for found in versions if found.run_id == run_id)
    if not any(known.endswith(f"/{source}") for known in mine):
        if not versions:
            _create(client, name, about)
        root = client.get_run(run_id).info.artifact_uri
        made = client.create_model_version(
            name,
            f"{root}/{source}",
            run_id,
            tags={VERSION_OF: parent["run_id"]},
            description=description,
            await_creation_for=0,
        )
    try:
        client.get_model_version_by_alias(name, ALIAS)
        missing = False
    except MlflowException:
        missing = True
    if made is not None or missing:
        newest = made or max(versions, key=lambda found: int(found.version))
        client.set_registered_model_alias(name, ALIAS, newest.version)
    if parent.get("model_about"):
        _describe(client, name, about)


def _create(client: MlflowClient, name: str, about: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=about)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _describe(client: MlflowClient, name: str, about: str) -> None:
    """Bring the description up to date, unless it is a person's."""
    known = client.get_registered_model(name)
    there, digest = known.description or "", known.tags.get(OURS, "")
    if there in ("", about, older_about(name)) or digest == text_digest(there):
        if there != about:
            client.update_registered_model(name, about)
        if digest != text_digest(about):
            client.set_registered_model_tag(name, OURS, text_digest(about))


def older_about(name: str) -> str:
    """The description that an older version wrote."""
    return f"The winners of the hpsearch study {name}, one per run."
