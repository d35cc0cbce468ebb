"""The projector: repeats the records of a run folder in MLflow, every run and every point once.

Records are sent by a writer (hpsearch/tracking/writers): the runs, then their files, then their
ends. Runs carry the tag hpsearch.uid, looked up before they are created, so that a replay changes
nothing. A new Projector goes over all records first; from then on it follows the journal.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.addresses import first_line, without_password
from hpsearch.errors import TrackingError
from hpsearch.records.damaged_databases import with_advice
from hpsearch.records.layout import KINDS
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import PROGRAM_OF, TrialRecord
from hpsearch.study_names import file_name
from hpsearch.tracking.client import open_client
from hpsearch.tracking.neighbours import alias_note, place_note
from hpsearch.tracking.notes import record_note
from hpsearch.tracking.outer_runs import FOLD, fold_of, folds_of, send_fold, uid_above
from hpsearch.tracking.parent_run import RUN_ID, UID, read_parent, send_parent
from hpsearch.tracking.run_content import (
    NAME_DIGITS,
    NOTE,
    RECORD,
    RESCORED,
    RETESTS,
    STATUS,
    TAG_LENGTH,
    TRIAL_JSON,
    changing_tags,
    fitting,
    has_this_form,
    params_of,
    points,
    record_tag,
    retests,
    run_name,
    trial_text,
)
from hpsearch.tracking.run_lookup import experiment_of
from hpsearch.tracking.views import differing, send_views
from hpsearch.tracking.writers.base import RunEnd, RunUpdate, RunWriter
from hpsearch.tracking.writers.choice import writer_for

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

POINTS_AT_ONCE = 20_000  # in memory, and in one transaction, unless one record has more
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
PARENT, TRIAL = "mlflow.parentRunId", "hpsearch.trial"


@dataclass
class Sent:
    """What MLflow has of a run.

    Attributes:
        name: there.
        outdated: it is of a record, and says it in the form of an older version.
        last_step: the last one whose points are there.
        retested: how often its refit failed before and was run again; "" for never.
        rescored: the objective of a later chapter that it is scored by; "" for none.
    """

    run_id: str
    ended: bool = False
    name: str = ""
    outdated: bool = False
    last_step: int = 0
    retested: str = ""
    rescored: str = ""


@dataclass(frozen=True)
class Sending:
    """A record on its way into MLflow.

    Attributes:
        sent: what MLflow had of it before.
        name: of its run, from now on.
    """

    record: TrialRecord
    sent: Sent
    name: str
    news: RunUpdate

    @property
    def end(self) -> RunEnd:
        """How the run ends; the record is sealed."""
        ended = int(self.record.ended * 1000)
        name = "" if self.sent.name == self.name else self.name
        return RunEnd(self.sent.run_id, STATUS[self.record.outcome], ended, name)


@dataclass
class Projector:
    """Brings one run folder into one MLflow store.

    Args:
        folder: the records.
        tracking_uri: absolute.
        artifact_location: of a new experiment; "" leaves it to the server.

    Attributes:
        notes: what its user should know of other homes in that store, a sentence each.
    """

    folder: RunFolder
    tracking_uri: str
    artifact_location: str
    _sent: dict[str, Sent] = field(default_factory=dict)
    _client: MlflowClient | None = None
    _writer: RunWriter = field(init=False)
    _offset: int = 0  # bytes of the journal that are projected
    notes: list[str] = field(default_factory=list)

    def catch_up(self) -> None:
        """Project what MLflow does not have.

        Raises:
            TrackingError: MLflow can't be reached or refuses.
        """
        try:
            if self._client is None:
                self._connect()
            while waiting := self._waiting():
                for start in range(0, len(waiting), self._writer.at_once):
                    lines = waiting[start : start + self._writer.at_once]
                    self._project([_entry(line) for line in lines])
                    self._offset += sum(map(len, lines))
        except TrackingError:
            raise
        except Exception as error:
            self._client = None  # what is there is looked up again
            said = with_advice(first_line(error, self.tracking_uri))
            raise TrackingError(f"{type(error).__name__}: {said}") from error

    def behind(self) -> int:
        """Journal entries not projected yet."""
        return len(self._waiting())

    def _waiting(self) -> list[bytes]:
        """The journal's lines from the offset on, with their ends."""
        path = self.folder.files.journal
        if not path.exists() or path.stat().st_size == self._offset:
            return []
        with path.open("rb") as journal:
            journal.seek(self._offset)
            lines = journal.read().splitlines(keepends=True)
        # A line without its end is being written, or was cut by a kill.
        return [line for line in lines if line.endswith(b"\n")]

    def _connect(self) -> None:
        """Open the store, see what it has, and send what it lacks of all that is recorded."""
        client = open_client(self.tracking_uri)
        self._experiment = self._open_experiment(client, read_parent(self.folder))
        if self.tracking_uri != self.folder.files.study.home.tracking_uri:
            self._note(place_note(client, self._experiment, self.artifact_location))
        found = self._look_up(client)
        # What is announced from here on is in the journal behind this place.
        announced = sum(map(len, self._waiting()))
        self._parent_id(client)
        self._open_folds(client)
        self._put_below(client, found)
        self._client, self._writer = client, writer_for(client, self._experiment)
        for kind in KINDS:
            self._project_records(self.folder.read_all(kind))
        self._send_parent(client)
        self._offset += announced

    def _note(self, text: str) -> None:
        if text and text not in self.notes:
            self.notes.append(text)

    def _open_experiment(self, client: MlflowClient, parent: Mapping[str, Any]) -> str:
        name = parent["experiment"]
        experiment = experiment_of(client, name, parent["uid"])
        if experiment is None:
            made = client.create_experiment(name, artifact_location=self.artifact_location or None)
            return str(made)
        if experiment.lifecycle_stage == "deleted":
            raise TrackingError(
                f"experiment {name!r} must not be deleted in MLflow; restore it with "
                f"MLFLOW_TRACKING_URI={shlex.quote(without_password(self.tracking_uri))} mlflow "
                f"experiments restore --experiment-id {experiment.experiment_id}, or give the "
                "study another name"
            )
        return str(experiment.experiment_id)

    def _look_up(self, client: MlflowClient) -> list[Run]:
        """The runs that are there, one a uid; of two with one uid, which a server that died after
        it had created one leaves, the second goes to MLflow's trash."""
        self._sent, kept = {}, []
        found = runs_of(client, self._experiment, read_parent(self.folder)["run_id"])
        for run in sorted(found, key=lambda run: (not _ended(run), run.info.start_time)):
            uid = run.data.tags[UID]
            if uid in self._sent:
                client.delete_run(run.info.run_id)
            else:
                self._sent[uid] = Sent(
                    run.info.run_id,
                    _ended(run),
                    str(run.info.run_name),
                    outdated=TRIAL in run.data.tags and not has_this_form(run.data.tags),
                    retested=run.data.tags.get(RETESTS, ""),
                    rescored=run.data.tags.get(RESCORED, ""),
                )
                kept.append(run)
        return kept

    def _put_below(self, client: MlflowClient, found: Sequence[Run]) -> None:
        """Have the children of a run that somebody deleted below the one that is there now."""
        parent = read_parent(self.folder)
        for run in found:
            if run.data.tags[UID] == parent["uid"]:
                continue
            above = self._sent[uid_above(parent, number_of(run))].run_id
            if run.data.tags.get(PARENT) != above:
                client.set_tag(run.info.run_id, PARENT, above)

    def _open_folds(self, client: MlflowClient) -> None:
        """The runs of outer folds, made if they are not there."""
        parent = read_parent(self.folder)
        for fold in folds_of(parent):
            if fold["uid"] in self._sent:
                continue
            run = client.create_run(
                self._experiment,
                run_name=fold["name"],
                tags=self._kept_tags(parent, fold["uid"]) | fold["tags"],
                start_time=parent["started"],
            )
            self._sent[fold["uid"]] = Sent(run.info.run_id)

    def _new_parent(self, client: MlflowClient, parent: dict[str, Any]) -> Sent:
        tags = parent["tags"] | {UID: parent["uid"], RUN_ID: parent["run_id"]}
        tags.pop(NOTE, None)  # it comes with links
        run = client.create_run(
            self._experiment, run_name=parent["name"], tags=tags, start_time=parent["started"]
        )
        return Sent(run.info.run_id)

    def _project(self, entries: Sequence[dict[str, Any]]) -> None:
        """Send what journal entries name, a record that several name once; then the parent."""
        named = [(e["kind"], e["number"], e["seed"]) for e in entries if "number" in e]
        found = (self.folder.read(*key) for key in dict.fromkeys(named))
        self._project_records(record for record in found if record is not None)
        if any(entry.get("kind") == "parent" for entry in entries):
            self._send_parent(self._open())

    def _parent_id(self, client: MlflowClient) -> str:
        """The parent run, made if it is not there; where it lies is written for the others."""
        parent = read_parent(self.folder)
        uid = parent["uid"]
        if uid not in self._sent:
            self._sent[uid] = self._new_parent(client, parent)
        run_id = self._sent[uid].run_id
        send_views(client, self._experiment, self._with_parameters(parent), run_id)
        self.folder.write_sealed(
            self.folder.files.mlflow,
            {
                "tracking_uri": without_password(self.tracking_uri),
                "experiment_id": self._experiment,
                "parent_run_id": run_id,
                "views": True,  # which an older version did not send
            },
        )
        return run_id

    def _with_parameters(self, parent: dict[str, Any]) -> dict[str, Any]:
        """parent.json; where it is an older one, with the parameters in which trials differ."""
        if "parameters" in parent["look"]:
            return parent
        names = differing([record.params for record in self.folder.read_all("trial")])
        return parent | {"look": parent["look"] | {"parameters": names}}

    def _send_parent(self, client: MlflowClient) -> None:
        parent = read_parent(self.folder)
        ids = {uid: sent.run_id for uid, sent in self._sent.items()}
        send_views(client, self._experiment, self._with_parameters(parent), ids[parent["uid"]])
        if parent.get("winner"):
            name = file_name(parent["experiment"])
            self._note(alias_note(client, self.folder, name, ids[parent["uid"]]))
        send_parent(client, self.folder, parent, self._experiment, ids)
        for fold in folds_of(parent):
            send_fold(client, parent, fold, ids[fold["uid"]])

    def _project_records(self, records: Iterable[TrialRecord]) -> None:
        """Send records, as many at once as the writer takes and memory allows."""
        parent, batch, size = read_parent(self.folder), list[Sending](), 0
        for record in records:
            sending = self._sending(record, parent)
            if sending is None:
                continue
            batch.append(sending)
            size += len(sending.news.points)
            if len(batch) >= self._writer.at_once or size >= POINTS_AT_ONCE:
                self._send(batch, parent)
                batch, size = [], 0
        if batch:
            self._send(batch, parent)

    def _sending(self, record: TrialRecord, parent: Mapping[str, Any]) -> Sending | None:
        """What MLflow lacks of a record; None: nothing, or it has no progress to show."""
        sent = self._sent.get(record.uid)
        if not record.marks:
            return None
        retested = retests(record)
        now = (retested, record.rescored)
        changed = sent is not None and sent.ended and (sent.retested, sent.rescored) != now
        if sent is not None and (sent.outdated or changed):
            self._open().delete_run(sent.run_id)  # MLflow changes no point that is there
            sent = None
        if sent is not None and sent.ended:
            return None
        look = parent["look"]
        name = run_name(record, max(NAME_DIGITS, int(look.get("digits", 0))))
        tags = changing_tags(record)
        if record.sealed:
            tags[NOTE] = fitting(record_note(record, look), TAG_LENGTH)
        if sent is None:
            sent = Sent("", name=name, retested=retested, rescored=record.rescored)
            tags = self._record_tags(record, parent) | tags
        # A second, equal param costs as much as the first.
        params = {} if sent.last_step else params_of(record)
        new = list(points(record, sent.last_step))
        started = int(record.started * 1000)
        return Sending(
            record, sent, name, RunUpdate(sent.run_id, name, started, new, params, tags)
        )

    def _send(self, batch: Sequence[Sending], parent: Mapping[str, Any]) -> None:
        """Runs and their news, then files, then how they ended."""
        ids = self._writer.log([sending.news for sending in batch])
        for sending, run_id in zip(batch, ids, strict=True):
            record, sent = sending.record, sending.sent
            sent.run_id, sent.last_step = run_id, record.marked
            self._sent[record.uid] = sent
            if record.sealed:
                place = self.folder.files.record(record.kind, record.number, record.seed_number)
                files = [place.file(name) for name in record.files]
                written = record
                if record.rescored:  # a copy to restore the record from has its own scores
                    found = self.folder.as_written(record.kind, record.number, record.seed_number)
                    written = found or record
                self._writer.log_files(run_id, {TRIAL_JSON: trial_text(written)}, files)
                self._take_below(record, run_id, parent)
        ended = [sending for sending in batch if sending.record.sealed]
        if ended:
            self._writer.end([sending.end for sending in ended])
        for sending in ended:
            sending.sent.ended = True

    def _take_below(self, record: TrialRecord, run_id: str, parent: Mapping[str, Any]) -> None:
        """Have the MLflow runs that a record's program made stand below its own."""
        if not parent.get("linked"):
            return
        client = self._open()
        wanted = f"tags.`{PROGRAM_OF}` = '{record.uid}'"
        for run in client.search_runs([self._experiment], wanted):
            if PARENT not in run.data.tags:
                client.set_tag(run.info.run_id, PARENT, run_id)

    def _record_tags(self, record: TrialRecord, parent: Mapping[str, Any]) -> dict[str, str]:
        fold = fold_of(parent, record.number)
        return self._kept_tags(parent, record.uid, record.number) | {
            **({} if fold is None else {FOLD: fold["tags"][FOLD]}),
            "hpsearch.kind": record.kind,
            TRIAL: str(record.number),
            RECORD: record_tag(record),
        }

    def _kept_tags(
        self, parent: Mapping[str, Any], uid: str, number: int | None = None
    ) -> dict[str, str]:
        """What every run below the study's has of it, and which run it is.

        Args:
            number: of the trial that it is of, if it is of one.
        """
        kept = {
            k: v
            for k, v in parent["tags"].items()
            if k.startswith(("mlflow.user", "mlflow.source"))
        }
        above = self._sent[uid_above(parent, number)].run_id
        return kept | {UID: uid, RUN_ID: parent["run_id"], PARENT: above}

    def _open(self) -> MlflowClient:
        assert self._client is not None
        return self._client


def runs_of(client: MlflowClient, experiment: str, run_id: str) -> Iterator[Run]:
    """All runs in MLflow of one run of a study, but for those in the trash."""
    token = None
    while True:
        page = client.search_runs([experiment], f"tags.`{RUN_ID}` = '{run_id}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def number_of(run: Run) -> int | None:
    """The trial that a run in MLflow is of; None: it is the study's, or an outer fold's."""
    number = run.data.tags.get(TRIAL)
    return None if number is None else int(number)


def has_parent(folder: RunFolder) -> bool:
    """Whether a run got as far as to have anything to show."""
    return folder.files.parent.exists()


def artifact_location(tracking_uri: str, artifacts: Path) -> str:
    """Where a new experiment's artifacts lie: in the home, or where a server wants them.

    A database has no place of its own for them, and MLflow would take the current directory.
    """
    return artifacts.as_uri() if tracking_uri.startswith(DATABASES) else ""


def _ended(run: Run) -> bool:
    return run.info.status not in ("RUNNING", "SCHEDULED")


def _entry(line: bytes) -> dict[str, Any]:
    """A journal line; one that a kill cut in two and the next start went on with names nothing."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return entry
