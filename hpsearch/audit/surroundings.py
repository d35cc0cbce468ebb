"""What surrounds the stores of a home: disk, addresses, settings of this host."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from hpsearch.addresses import check_apart, without_password
from hpsearch.audit.difference import Difference
from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.tracking.projector import DATABASES

FREE_BYTES = 2**30  # below it a study of a thousand trials may not end
# Where SQLite's locks can't be relied on.
NETWORK_FILE_SYSTEMS = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "fuse.sshfs",
    "afs",
    "ceph",
    "lustre",
)


def look_around(home: Home, storage: str, tracking_uri: str) -> Iterator[Difference]:
    """What of a host's settings will sooner or later be in the way."""
    try:
        check_apart(storage, tracking_uri)
    except HpsearchError as error:
        yield _found("stores", str(error), "name another database")
    free = shutil.disk_usage(home.path).free
    if free < FREE_BYTES:
        yield _found(
            str(home.path),
            f"must have 1 GiB of free disk space, has {free / 2**30:.2f}",
            "free space, or move the folder and name it with --home",
        )
    kind = _file_system(home.path)
    if kind in NETWORK_FILE_SYSTEMS:
        yield _found(
            str(home.path),
            f"must lie on a local disk for SQLite's locks, lies on {kind}",
            "name a local folder with --home, or databases with --storage and --tracking-uri",
        )
    yield from _file_store_traps(home)
    yield from _variables(tracking_uri)


def look_at_schema(tracking_uri: str) -> Iterator[Difference]:
    """Whether runs get into MLflow's database by the quick way.

    Args:
        tracking_uri: of a store that was reached just now.
    """
    from hpsearch.tracking.client import open_client
    from hpsearch.tracking.replay import mlflow_settings
    from hpsearch.tracking.stores.sqlite_store import is_there
    from hpsearch.tracking.writers.choice import schema_problem

    if not tracking_uri.startswith(DATABASES) or not is_there(tracking_uri):
        return
    with mlflow_settings():
        problem = schema_problem(open_client(tracking_uri))
    if problem:
        yield _found(
            without_password(tracking_uri),
            problem,
            "nothing is missing; use the version of hpsearch that knows this MLflow",
        )


def _found(subject: str, problem: str, remedy: str) -> Difference:
    return Difference("host", subject, problem, remedy, repairable=False)


def _file_system(path: Path) -> str:
    """The kind of file system a path lies on; "" where the system does not say."""
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return ""
    best, kind = Path("/"), ""
    for line in lines:
        _, place, found, *_ = line.split()
        mounted = Path(place.replace("\\040", " "))
        if (path == mounted or mounted in path.parents) and len(str(mounted)) >= len(str(best)):
            best, kind = mounted, found
    return kind


def _file_store_traps(home: Home) -> Iterator[Difference]:
    """Folders that make MLflow's own commands take a folder for their store."""
    for top in dict.fromkeys((Path("mlruns").absolute(), home.path)):
        for found in sorted(top.glob("*/meta.yaml")):
            if found.parent.name.isdigit():
                yield _found(
                    str(found.parent),
                    "must not be there: MLflow's own commands mistake such a mlruns/ for their "
                    "store and fail; hpsearch is not affected",
                    "move it out of mlruns/ if you still need what an older MLflow wrote there",
                )
                break


def _variables(tracking_uri: str) -> Iterator[Difference]:
    said = os.environ.get("MLFLOW_TRACKING_URI")
    if said and said != tracking_uri:
        ours, theirs = without_password(tracking_uri), without_password(said)
        yield _found(
            "MLFLOW_TRACKING_URI",
            f"must be unset or {ours}, is {theirs}: your own MLflow commands use it, hpsearch "
            "does not",
            "unset it, or name it with --tracking-uri",
        )
    if "*" in os.environ.get("MLFLOW_SERVER_ALLOWED_HOSTS", "").split(","):
        yield _found(
            "MLFLOW_SERVER_ALLOWED_HOSTS",
            "must name hosts, is *: any web page in your browser could then read the UI",
            "unset it; python -m hpsearch ui names its hosts itself",
        )
    data = os.environ.get("HPSEARCH_DATA")
    if data and not Path(data).is_dir():
        yield _found("HPSEARCH_DATA", f"must be a folder, is {data}", "correct it, or unset it")
