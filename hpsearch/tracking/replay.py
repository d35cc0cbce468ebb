"""Sending the records of a run by hand, in this process."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hpsearch.addresses import first_line, without_password
from hpsearch.errors import TrackingError
from hpsearch.processes import changed_environment
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.projector import Projector, artifact_location
from hpsearch.tracking.projector_process import ENVIRONMENT, LAST_ATTEMPTS, store_lock
from hpsearch.tracking.stores.own_store import follow_home

NO_BARS = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}


@contextmanager
def mlflow_settings() -> Iterator[None]:
    """MLflow's settings of the projector, for the block alone; what it tells of itself is not
    shown, as in the projector's own process."""
    import mlflow  # sets the level that is changed

    log = logging.getLogger(mlflow.__name__)
    usual = log.level
    log.setLevel(max(usual, logging.WARNING))
    try:
        with changed_environment(ENVIRONMENT | NO_BARS):
            yield
    finally:
        log.setLevel(usual)


def replay(folder: RunFolder, home: Home, tracking_uri: str) -> None:
    """Bring a run that nobody runs at the moment into an MLflow store; what is there stays.

    Raises:
        TrackingError: the store can't be reached or refuses, several times in a row.
    """
    if tracking_uri == home.tracking_uri:
        follow_home(home, folder.files.study)
    artifacts = artifact_location(tracking_uri, home.artifacts)
    projector = Projector(folder, tracking_uri, artifacts)
    for attempt in range(1, LAST_ATTEMPTS + 1):
        try:
            with mlflow_settings(), store_lock(home, tracking_uri):
                projector.catch_up()
            return
        except TrackingError as error:
            if attempt == LAST_ATTEMPTS:
                reason = first_line(error, tracking_uri)
                raise TrackingError(
                    f"MLflow at {without_password(tracking_uri)} must be reachable and writable, "
                    f"got: {reason}; the records are safe, and the same command sends the rest"
                ) from error
            time.sleep(1)
