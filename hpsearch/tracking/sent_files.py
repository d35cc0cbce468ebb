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
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            client.log_artifacts(run_id, str(path), path.name)
        elif path.name != shared or not _is_linked(client, run_id, path):
            client.log_artifact(run_id, str(path))


def _is_linked(client: MlflowClient, run_id: str, path: Path) -> bool:
    """Link a file into a run's artifacts; False where that is not possible."""
    from mlflow.utils.file_utils import local_file_uri_to_path

    root = client.get_run(run_id).info.artifact_uri
    if urlsplit(root).scheme not in ("", "file"):  # MLflow's server has them, or a bucket
        return False
    place = Path(local_file_uri_to_path(root)) / path.name  # type: ignore[no-untyped-call]
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
