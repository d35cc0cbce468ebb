"""The registered models of a run that is deleted: they would be there, and fail to load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from hpsearch.tracking.models.winner_model import ALIAS, VERSION_OF
from hpsearch.tracking.notes import OURS

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


class Version(Protocol):
    """A version of a registered model, as MLflow or `tracking.deletion` names it."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def version(self) -> str | int:
        """Its number."""


def registered(client: MlflowClient, run_id: str) -> list[ModelVersion]:
    """The versions that a run of a study registered, of any name; [] without a registry."""
    from mlflow.exceptions import MlflowException

    try:
        return list(client.search_model_versions(f"tags.`{VERSION_OF}` = '{run_id}'"))
    except MlflowException:
        return []


def unregister(client: MlflowClient, versions: Sequence[Version]) -> None:
    """Delete them; a model that has no other, too. The alias that one of them had goes to the
    newest that is left."""
    going = {(version.name, str(version.version)) for version in versions}
    aliases = {name: client.get_registered_model(name).aliases for name, _ in sorted(going)}
    served = {name for name, of in aliases.items() if (name, str(of.get(ALIAS))) in going}
    for version in versions:
        client.delete_model_version(version.name, str(version.version))
    for name in sorted({version.name for version in versions}):
        left = client.search_model_versions(f"name = '{name}'")
        model = client.get_registered_model(name)
        ours = [version for version in left if VERSION_OF in version.tags]
        if not left and OURS in model.tags:
            client.delete_registered_model(name)
        elif ours and name in served:
            newest = max(ours, key=lambda version: int(version.version))
            client.set_registered_model_alias(name, ALIAS, newest.version)
