"""The files of a study as artifacts of its parent run; the largest is on the disk once."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mlflow import MlflowClient


def send_files(client: MlflowClient, run_id: str, folder: Path, shared: str) -> None:
    """Make all that is in a folder artifacts of a run.

    Args:
        shared: the name of a file that is only ever replaced, never written into: where MLflow
            keeps artifacts on the same disk, both places have the same file.
    """
    root = client.get_run(run_id).info.artifact_uri
    for path in sorted(folder.iterdir()):
        make_way(root, path.name)
        if path.is_dir():
            client.log_artifacts(run_id, str(path), path.name)
        elif path.name != shared or not _is_linked(root, path):
            client.log_artifact(run_id, str(path))


def make_way(root: str, name: str) -> None:
    """Remove what another user sent under a name: MLflow sets the times of a file that it copies,
    which its owner alone may do.

    Args:
        root: the address of a run's artifacts; those that are not on this disk stay.
    """
    place = _on_disk(root, name)
    if place is None:
        return
    for file in [place] if place.is_file() else place.rglob("*"):
        with suppress(OSError):
            if file.is_file() and file.stat().st_uid != os.geteuid():
                file.unlink()


def _on_disk(root: str, name: str) -> Path | None:
    """Where an artifact is; None where MLflow's server has it, or a bucket."""
    from mlflow.utils.file_utils import local_file_uri_to_path

    if urlsplit(root).scheme not in ("", "file"):
        return None
    return Path(local_file_uri_to_path(root), name)  # type: ignore[no-untyped-call]


def _is_linked(root: str, path: Path) -> bool:
    """Link a file into a run's artifacts; False where that is not possible."""
    place = _on_disk(root, path.name)
    if place is None:
        return False
    young = place.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):  # another disk, one without links, a file of another user
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and place.samefile(path):
            return True
        young.unlink(missing_ok=True)
        os.link(path, young)
        try:
            young.replace(place)
        except OSError:
            young.unlink()
            raise
        return True
    return False
