"""Other homes that have a study of the same name in the same MLflow store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from hpsearch.errors import HpsearchError
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.models.winner_model import ALIAS, VERSION_OF

if TYPE_CHECKING:
    from mlflow import MlflowClient

APART = 'set name = "..." in the study file to keep the two apart'


def place_note(client: MlflowClient, experiment: str, ours: str) -> str:
    """That the files of an experiment lie in another home; "" where they don't.

    Args:
        experiment: its id.
        ours: where this home has new experiments' files; "" where a server says it.
    """
    found = client.get_experiment(experiment)
    if not ours or found.artifact_location.rstrip("/") == ours.rstrip("/"):
        return ""
    return (
        f"MLflow's experiment {found.name!r} was made by another home: models and files of this "
        f"study go to {found.artifact_location}, and are gone if that folder is deleted; {APART}"
    )


def alias_note(client: MlflowClient, folder: RunFolder, name: str, run_id: str) -> str:
    """That the winner's model takes the alias over from another home; "" where it doesn't.

    Args:
        name: of the model.
        run_id: of the run of the study in MLflow.
    """
    from mlflow.exceptions import MlflowException

    try:
        if any(v.run_id == run_id for v in client.search_model_versions(f"name = '{name}'")):
            return ""  # it was registered before
        there = client.get_model_version_by_alias(name, ALIAS)
    except MlflowException:  # no such model, no alias, or a server without a registry
        return ""
    if there.tags.get(VERSION_OF) in {*_ours(folder)}:
        return ""
    return (
        f"the alias {ALIAS!r} of the model {name!r} in MLflow now points to this study's "
        f"version, no longer to version {there.version} of a study outside this home: "
        f"models:/{name}@{ALIAS} is another model now; version {there.version} is kept; "
        f"{APART}"
    )


def _ours(folder: RunFolder) -> Iterator[str]:
    """The ids of all runs of the study in this home."""
    study = folder.files.study
    for number in study.numbers():
        other = RunFolder(study.run(number).path)
        with suppress(HpsearchError):  # a damaged one is named by doctor
            if said := other.read_sealed(other.files.parent):
                yield said["run_id"]
