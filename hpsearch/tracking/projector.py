"""The projector: a process of its own that repeats the records in MLflow.

    python -m hpsearch.tracking.projector RUN_FOLDER ARTIFACTS LOCK_FOLDER

MLflow's address is in HPSEARCH_TRACKING_URI: everybody may read the arguments of a process.

It reads the run folder's journal and sends each record it names with one create_run, one log_batch
and one set_terminated. Runs carry the tag hpsearch.uid, looked up before they are created, so that
a replay changes nothing. "end" on standard input means: catch up, then stop; end of file without
it means that the coordinator died: stop at once. Standard output is a JSON line a report.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from hpsearch.addresses import scrubbed, without_password
from hpsearch.errors import TrackingError
from hpsearch.tracking.record import JOURNAL, RunFolder, TrialRecord
from hpsearch.tracking.run_content import (
    STATUS,
    canonical,
    changing_tags,
    points,
    run_name,
    trial_text,
)
from hpsearch.tracking.sqlite_store import prepare_sqlite

if TYPE_CHECKING:
    from mlflow import MlflowClient

POLL_SECONDS = 0.25
RETRY_SECONDS = 5.0  # between attempts while a study runs and MLflow is away
LAST_ATTEMPTS = 3  # when the study is over
MLFLOW_JSON = "mlflow.json"
PARENT_JSON = "parent.json"
UID, RUN_ID = "hpsearch.uid", "hpsearch.run_id"
PARAM_LENGTH, TAG_LENGTH = 6000, 8000  # MLflow's limits; batches are its client's to split

# Metrics and params of MLflow that this process sends; the rest of MLflow's defaults are for
# people in front of a screen.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # we try again ourselves, nothing is lost by failing
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is for our reports
}


@dataclass
class _Sent:
    """What MLflow has of a run."""

    run_id: str
    ended: bool = False
    last_step: int = 0


@dataclass
class Projector:
    """Brings one run folder into one MLflow store.

    Args:
        folder: the records.
        tracking_uri: absolute.
        artifact_location: of a new experiment; "" leaves it to the server.
    """

    folder: RunFolder
    tracking_uri: str
    artifact_location: str
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _client: MlflowClient | None = None
    _offset: int = 0  # bytes of the journal that are projected

    def catch_up(self) -> int:
        """Project what the journal names and MLflow does not have; returns the records read.

        Raises:
            TrackingError: MLflow can't be reached or refuses.
        """
        try:
            if self._client is None:
                self._connect()
            done = 0
            while waiting := self._waiting():
                for line in waiting:
                    self._project(_entry(line))
                    self._offset += len(line)
                done += len(waiting)
            return done
        except TrackingError:
            raise
        except Exception as error:
            self._client = None  # what is there is looked up again
            reason = str(error).strip().splitlines()
            said = scrubbed(reason[0] if reason else "", self.tracking_uri)
            raise TrackingError(f"{type(error).__name__}: {said}") from error

    def behind(self) -> int:
        """Journal entries not projected yet."""
        return len(self._waiting())

    def _waiting(self) -> list[bytes]:
        """The journal's lines from the offset on, with their ends."""
        path = self.folder.path / JOURNAL
        if not path.exists() or path.stat().st_size == self._offset:
            return []
        with path.open("rb") as journal:
            journal.seek(self._offset)
            lines = journal.read().splitlines(keepends=True)
        # A line without its end is being written, or was cut by a kill.
        return [line for line in lines if line.endswith(b"\n")]

    def _connect(self) -> None:
        import mlflow

        prepare_sqlite(self.tracking_uri)
        client = mlflow.MlflowClient(tracking_uri=self.tracking_uri)
        parent = self._parent()
        name = parent["experiment"]
        experiment = client.get_experiment_by_name(name)
        if experiment is not None and experiment.lifecycle_stage == "deleted":
            raise TrackingError(
                f"experiment {name!r} must not be deleted in MLflow; restore it with "
                f"mlflow experiments restore --experiment-id {experiment.experiment_id}, "
                "or give the study another name"
            )
        self._experiment = (
            experiment.experiment_id
            if experiment is not None
            else client.create_experiment(name, artifact_location=self.artifact_location or None)
        )
        self._sent = dict(self._look_up(client, parent["run_id"]))
        self._client = client
        self._project_parent()
        self.folder.write_json(
            MLFLOW_JSON,
            {
                "tracking_uri": without_password(self.tracking_uri),
                "experiment_id": self._experiment,
                "parent_run_id": self._sent[parent["uid"]].run_id,
            },
        )

    def _look_up(self, client: MlflowClient, run_id: str) -> Iterator[tuple[str, _Sent]]:
        token = None
        while True:
            page = client.search_runs(
                [self._experiment], f"tags.`{RUN_ID}` = '{run_id}'", page_token=token
            )
            for run in page:
                yield (
                    run.data.tags[UID],
                    _Sent(run.info.run_id, run.info.status not in ("RUNNING", "SCHEDULED")),
                )
            token = page.token
            if not token:
                return

    def _parent(self) -> dict[str, Any]:
        said: dict[str, Any] = self.folder.read_json(PARENT_JSON)
        return said

    def _project(self, entry: dict[str, Any]) -> None:
        kind = entry.get("kind")
        if kind == "parent":
            self._project_parent()
        elif kind is not None:
            record = self.folder.read(kind, entry["number"], entry["seed"])
            if record is not None:
                self._project_record(record)

    def _project_parent(self) -> None:
        from mlflow.entities import Metric, Param, RunTag

        parent = self._parent()
        client, uid = self._open(), parent["uid"]
        if uid not in self._sent:
            tags = parent["tags"] | {UID: uid, RUN_ID: parent["run_id"]}
            run = client.create_run(
                self._experiment, run_name=parent["name"], tags=tags, start_time=parent["started"]
            )
            self._sent[uid] = _Sent(run.info.run_id)
        run_id, when = self._sent[uid].run_id, parent["ended"] or parent["started"]
        client.log_batch(
            run_id,
            metrics=[Metric(k, v, when, 0) for k, v in parent["metrics"].items()],
            params=[Param(k, v[:PARAM_LENGTH]) for k, v in parent["params"].items()],
            tags=[RunTag(k, v[:TAG_LENGTH]) for k, v in parent["tags"].items()],
        )
        if parent["status"] == "RUNNING":
            client.update_run(run_id, status="RUNNING")
        else:
            client.log_artifacts(run_id, str(self.folder.artifacts))
            client.set_terminated(run_id, parent["status"])

    def _project_record(self, record: TrialRecord) -> None:
        from mlflow.entities import Metric, Param, RunTag

        client, sent = self._open(), self._sent.get(record.uid)
        if sent is not None and sent.ended:
            return
        params = {k: canonical(v) for k, v in record.params.items()}
        tags = {k: v[:TAG_LENGTH] for k, v in changing_tags(record).items()}
        if sent is None:
            run = client.create_run(
                self._experiment,
                start_time=int(record.started * 1000),
                run_name=run_name(record),
                tags=self._record_tags(record) | tags,
            )
            sent, tags = _Sent(run.info.run_id), {}
            self._sent[record.uid] = sent
        elif sent.last_step:
            params = {}  # they are there, and a second, equal one costs as much as the first
        client.log_batch(
            sent.run_id,
            metrics=[
                Metric(k, v, when, step) for k, v, when, step in points(record, sent.last_step)
            ],
            params=[Param(k, v[:PARAM_LENGTH]) for k, v in params.items()],
            tags=[RunTag(k, v) for k, v in tags.items()],
        )
        sent.last_step = int(record.marks[-1][0])
        if record.sealed:
            client.log_text(sent.run_id, trial_text(record), "trial.json")
            client.set_terminated(
                sent.run_id, STATUS[record.outcome], end_time=int(record.ended * 1000)
            )
            sent.ended = True

    def _record_tags(self, record: TrialRecord) -> dict[str, str]:
        parent = self._parent()
        kept = {
            k: v
            for k, v in parent["tags"].items()
            if k.startswith(("mlflow.user", "mlflow.source"))
        }
        return kept | {
            UID: record.uid,
            RUN_ID: parent["run_id"],
            "mlflow.parentRunId": self._sent[parent["uid"]].run_id,
            "hpsearch.kind": record.kind,
            "hpsearch.trial": str(record.number),
            "hpsearch.batch": str(record.batch),
            "hpsearch.drawn_in_stage": str(record.stage),
            **{f"hpsearch.digest.{name}": value for name, value in record.digests.items()},
        }

    def _open(self) -> MlflowClient:
        assert self._client is not None
        return self._client


def _entry(line: bytes) -> dict[str, Any]:
    """A journal line; one that a kill cut in two and the next start went on with names nothing."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return entry


def _serve(folder: Path, uri: str, artifact_location: str, locks: Path) -> int:
    """The process's life; returns its exit code."""
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    projector = Projector(RunFolder(folder), uri, artifact_location)
    lock = FileLock(locks / f"projector-{hashlib.sha256(uri.encode()).hexdigest()[:12]}.lock")
    ending, attempts = False, 0
    while True:
        try:
            with lock:  # one projector writes to a store at a time
                projector.catch_up()
            if ending and projector.behind() == 0:
                return 0
            pause = 0.0 if ending else POLL_SECONDS
        except TrackingError as error:
            attempts += ending
            _say(error=str(error), behind=projector.behind(), final=attempts >= LAST_ATTEMPTS)
            if attempts >= LAST_ATTEMPTS:
                return 1
            pause = 1.0 if ending else RETRY_SECONDS
        try:
            order = orders.get(timeout=pause) if pause else orders.get_nowait()
        except queue.Empty:
            continue
        if order != "end":
            return 1
        ending = True


def _listen(orders: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        orders.put(line.strip())
        if line.strip() == "end":
            sys.stdin.read()  # until the coordinator is gone
    os._exit(1)


REPORTS = 1  # the file descriptor of standard output, until __main__ moves it


def _say(**report: Any) -> None:
    os.write(REPORTS, json.dumps(report).encode() + b"\n")


if __name__ == "__main__":
    # A trial is some 10,000 objects that live for a moment; looking through all of MLflow for
    # garbage after every 700 of them is a tenth of the time.
    gc.set_threshold(200_000)
    REPORTS = os.dup(1)
    os.dup2(2, 1)  # what libraries print goes to the log
    uri = os.environ["HPSEARCH_TRACKING_URI"]
    sys.exit(_serve(Path(sys.argv[1]), uri, sys.argv[2], Path(sys.argv[3])))
