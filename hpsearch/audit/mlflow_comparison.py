"""Whether MLflow says what the records say: every run once, every point once, nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpsearch.addresses import first_line, without_password
from hpsearch.audit.difference import Difference
from hpsearch.errors import TrackingError
from hpsearch.records.layout import KINDS
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.tracking.client import open_client
from hpsearch.tracking.histories import artifacts_of, histories_of
from hpsearch.tracking.outer_runs import Fold, folds_of, uid_above
from hpsearch.tracking.parent_run import UID, read_parent
from hpsearch.tracking.projector import PARENT, runs_of
from hpsearch.tracking.restoring import has_copy, restore
from hpsearch.tracking.run_content import (
    STATUS,
    TRIAL_JSON,
    changing_tags,
    has_this_form,
    params_of,
    points,
    rounded,
    run_name,
)
from hpsearch.tracking.run_lookup import experiment_of

if TYPE_CHECKING:
    from mlflow.entities import Run

SEND = "it is sent"
ANEW = "the run goes to MLflow's trash and is sent again"
Told = tuple[str, str]  # what kind of problem, and the problem


@dataclass
class Comparison:
    """One run of a study beside what one MLflow store holds of it.

    Args:
        name: of the run, as people see it.
        folder: its records.
        tracking_uri: absolute.

    Attributes:
        wrong: ids of runs in MLflow that can't be made right by sending what is missing.
        lost: runs in MLflow that hold a whole record which the folder lacks.
    """

    name: str
    folder: RunFolder
    tracking_uri: str

    def __post_init__(self) -> None:
        self.wrong: list[str] = []
        self.lost: list[Run] = []

    def differences(self) -> Iterator[Difference]:
        """All differences, a trial's together.

        Raises:
            TrackingError: the store can't be read.
        """
        try:
            yield from self._differences()
        except TrackingError:
            raise
        except Exception as error:
            raise TrackingError(
                f"MLflow at {without_password(self.tracking_uri)} must be readable, "
                f"got {type(error).__name__}: {first_line(error, self.tracking_uri)}"
            ) from error

    def discard_wrong(self) -> None:
        """Put the wrong runs into MLflow's trash, for the next replay to send them anew."""
        for run_id in self.wrong:
            open_client(self.tracking_uri).delete_run(run_id)
        self.wrong.clear()

    def restore_lost(self) -> bool:
        """Make records again that MLflow has a whole copy of; whether there were any."""
        client, lost = open_client(self.tracking_uri), [*self.lost]
        self.lost.clear()
        restored = [restore(client, self.folder, run) for run in lost]
        return any(restored)

    def _differences(self) -> Iterator[Difference]:
        client, parent = open_client(self.tracking_uri), read_parent(self.folder)
        self._histories = histories_of(client)
        experiment = experiment_of(client, parent["experiment"], parent["uid"])
        found: dict[str, list[Run]] = {}
        if experiment is not None:
            for run in runs_of(client, experiment.experiment_id, parent["run_id"]):
                found.setdefault(run.data.tags[UID], []).append(run)
        mine = found.pop(parent["uid"], [])
        yield from self._once(self.name, mine)
        if mine:
            yield from self._parent(parent, mine[0])
        ids = {uid: runs[0].info.run_id for uid, runs in found.items()}
        if mine:
            ids[parent["uid"]] = mine[0].info.run_id
        for fold in folds_of(parent):
            runs = found.pop(fold["uid"], [])
            yield from self._fold(f"{self.name} {fold['name']}", parent, fold, runs, ids)
        for kind in KINDS:
            for record in self.folder.read_all(kind):
                if not record.marks:
                    continue
                runs = found.pop(record.uid, [])
                subject = f"{self.name} {run_name(record)}"
                yield from self._once(subject, runs)
                above = ids.get(uid_above(parent, record.number))
                yield from self._below(subject, runs, above)
                if runs:
                    yield from self._record(subject, record, runs[0])
        for uid, runs in found.items():
            copy = has_copy(client, runs[0])
            if copy:
                self.lost.append(runs[0])
            yield Difference(
                "MLflow",
                f"{self.name} {runs[0].info.run_name}",
                f"must have a record, but none has the uid {uid}",
                "its copy there becomes the record"
                if copy
                else "restore its trial folder from a backup, or delete the run in MLflow",
                repairable=copy,
                kind="a run has no record",
            )

    def _fold(
        self,
        subject: str,
        parent: dict[str, Any],
        fold: Fold,
        runs: list[Run],
        ids: dict[str, str],
    ) -> Iterator[Difference]:
        """Of an outer fold's run."""
        yield from self._once(subject, runs)
        yield from self._below(subject, runs, ids.get(parent["uid"]))
        for run in runs[:1]:
            problems = list(_unequal_metrics(fold["metrics"], run.data.metrics))
            problems += _status(parent["status"], run)
            for kind, problem in problems:
                yield Difference("MLflow", subject, problem, SEND, kind=kind)

    def _below(self, subject: str, runs: list[Run], above: str | None) -> Iterator[Difference]:
        """Whether a run lies where it belongs, if what it belongs below is there."""
        if runs and above is not None and runs[0].data.tags.get(PARENT) != above:
            yield Difference(
                "MLflow",
                subject,
                "must be a child of the study's run, or its outer fold's, is a child of another",
                "it is moved there",
            )

    def _once(self, subject: str, runs: list[Run]) -> Iterator[Difference]:
        if not runs:
            yield Difference("MLflow", subject, "must exist once, is missing", SEND)
        elif len(runs) > 1:
            yield Difference(
                "MLflow",
                subject,
                f"must exist once, exists {len(runs)} times",
                "the others go to MLflow's trash",
                kind="a run exists more than once",
            )

    def _parent(self, parent: dict[str, Any], run: Run) -> Iterator[Difference]:
        problems = list(_unequal_metrics(parent["metrics"], run.data.metrics))
        problems += _unequal("param", parent["params"], run.data.params)
        problems += _status(parent["status"], run)
        if parent["status"] != "RUNNING":
            problems += self._lacks(run, {path.name for path in self.folder.artifacts.iterdir()})
        for kind, problem in problems:
            yield Difference("MLflow", self.name, problem, SEND, kind=kind)

    def _record(self, subject: str, record: TrialRecord, run: Run) -> Iterator[Difference]:
        """What is missing where the run goes on; what is wrong where it has ended."""
        if not has_this_form(run.data.tags):
            self.wrong.append(run.info.run_id)
            problem = "must have the format of this version, has that of an older one"
            yield Difference("MLflow", subject, problem, ANEW)
            return
        ended = run.info.status not in ("RUNNING", "SCHEDULED")
        params = params_of(record)
        problems = list(_unequal("param", params, run.data.params))
        problems += _unequal("tag", changing_tags(record), run.data.tags)
        problems += _status(STATUS[record.outcome], run) if record.sealed else []
        incomplete, wrong = self._points(record, run)
        problems += [*incomplete, *wrong]
        problems += self._lacks(run, {TRIAL_JSON, *record.files}) if record.sealed else []
        fixed = params.keys() & run.data.params.keys()  # MLflow changes no param that is there
        lost = ended or wrong or any(run.data.params[name] != params[name] for name in fixed)
        if problems and lost:
            self.wrong.append(run.info.run_id)
        for kind, problem in problems:
            yield Difference("MLflow", subject, problem, ANEW if lost else SEND, kind=kind)

    def _lacks(self, run: Run, wanted: set[str]) -> Iterator[Told]:
        for name in sorted(wanted - artifacts_of(run, self.tracking_uri)):
            yield "artifacts are missing", f"artifact {name} must exist, is missing"

    def _points(self, record: TrialRecord, run: Run) -> tuple[list[Told], list[Told]]:
        """Points that are missing, and points that are there twice, wrongly, or for no reason."""
        expected: dict[str, Counter[tuple[int, float]]] = {}
        for name, value, _, step in points(record, 0):
            expected.setdefault(name, Counter())[step, float(value)] += 1
        missing, wrong = list[Told](), list[Told]()
        names = sorted(expected.keys() | run.data.metrics.keys())
        histories = self._histories(run.info.run_id, names)
        for name in names:
            there = Counter(histories[name])
            lacks = expected.get(name, Counter()) - there
            too_many = there - expected.get(name, Counter())
            if lacks:
                lack = f"metric {name} must have {lacks.total()} more points"
                missing.append(("points are missing", lack))
            if too_many:
                step, value = min(too_many)
                extra = (
                    f"metric {name} must not have {too_many.total()} of its points, "
                    f"e.g. {value} at step {step}"
                )
                wrong.append(("points are wrong", extra))
        return missing, wrong


def _status(wanted: str, run: Run) -> list[Told]:
    there = run.info.status
    wrong = there != wanted
    return [("a status differs", f"status must be {wanted}, is {there}")] if wrong else []


def _unequal_metrics(expected: dict[str, float], found: dict[str, float]) -> Iterator[Told]:
    """To the digits that are sent; an older version sent all."""
    sides = ({name: rounded(value) for name, value in side.items()} for side in (expected, found))
    return _unequal("metric", *sides)


def _unequal(what: str, expected: dict[str, Any], found: dict[str, Any]) -> Iterator[Told]:
    for name, value in expected.items():
        if name not in found:
            yield f"{what}s are missing", f"{what} {name} must exist, is missing"
        elif found[name] != value:
            problem = f"{what} {name} must be {_short(value)!r}, is {_short(found[name])!r}"
            yield f"{what}s are others", problem


def _short(value: object) -> object:
    return value[:80] + "…" if isinstance(value, str) and len(value) > 80 else value
