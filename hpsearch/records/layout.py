"""Every path below a home. No other module joins them.

<home>/
    optuna.db  mlflow.db  artifacts/         the stores of Optuna and MLflow, apart
    default-artifacts/                       files of runs in MLflow that are not ours
    projector-<key>.lock                     held by whoever writes to an MLflow store
    status-index.json                        what `status` found of the runs; made again
    studies/<study>/                         Study: lock, lock.holder, the runs; see `file_name`
        <run>.report.json                    the run's last report; made again
        <run>/                               Run: the records of one run, and files made from them
    batches/<batch>-<key>/                   Batch: lock, round.json, summary.json, owed
    schedule/                                Schedule: lock, standing.json, health.json, orders/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, get_args

from hpsearch.errors import StorageError
from hpsearch.study_names import file_name, from_file_name

# "default" and "default-test" are runs of the configuration of all defaults, as those before are
# of the winner; "path" are configurations between the two; "all-rows" is the winner, on all rows.
Kind = Literal["trial", "confirmation", "default", "path", "test", "default-test", "all-rows"]
OURS = ".hpsearch"  # our own files among those of code that is not ours
KINDS: tuple[Kind, ...] = get_args(Kind)
RUN_NUMBER = r"[1-9]\d{0,5}"
SQLITE = "sqlite:///"
NO_ADDRESS = re.compile("[?#]|%[0-9A-Fa-f]{2}")  # SQLAlchemy reads %20 as a space
PASSING = re.compile(r"\.(.+\.\d+|\d+\.deleted|.+\.new|.+\.importing)$")
DECISION_KEYS = ("promoted", "ranges")  # of every decision; old ones have no controls


@dataclass(frozen=True)
class Home:
    """Where everything that is not code lies; mlruns/ in the current folder by default."""

    path: Path

    @classmethod
    def find(cls, named: Path | None) -> Home:
        """The folder that was named, else HPSEARCH_HOME, else mlruns/ here; "~" is the user's, as
        a shell has it but in --home=~/here and in files that set variables."""
        place = Path(named or os.environ.get("HPSEARCH_HOME") or "mlruns")
        with suppress(RuntimeError):  # there is no such user
            place = place.expanduser()
        return cls(place.absolute())

    def create(self) -> None:
        """Make the folder.

        Raises:
            StorageError: it can't be made or written.
        """
        if NO_ADDRESS.search(str(self.path)):
            raise StorageError(
                "the path of the home folder must not contain '?', '#' or '%20' (a percent sign "
                "before two digits), which have a special meaning in database addresses, got "
                f"{self.path}; name another folder with --home"
            )
        try:
            self.studies.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the home folder {self.path} must be writable, got: {error.strerror}; name "
                "another folder with --home or HPSEARCH_HOME"
            ) from error
        if not all(os.access(folder, os.W_OK) for folder in (self.path, self.studies)):
            raise StorageError(
                f"the home folder {self.path} must be writable; name another folder with --home "
                "or HPSEARCH_HOME"
            )

    @property
    def studies(self) -> Path:
        """The records of all studies."""
        return self.path / "studies"

    @property
    def optuna(self) -> Path:
        """Optuna's database."""
        return self.path / "optuna.db"

    @property
    def storage_url(self) -> str:
        """Optuna's store, by absolute path."""
        return f"{SQLITE}{self.optuna}"

    @property
    def mlflow(self) -> Path:
        """MLflow's database."""
        return self.path / "mlflow.db"

    @property
    def tracking_uri(self) -> str:
        """MLflow's store, by absolute path."""
        return f"{SQLITE}{self.mlflow}"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.path / "artifacts"

    def artifacts_of(self, run_id: str) -> Path:
        """The folder with those of a run in MLflow."""
        return self.artifacts / run_id

    @staticmethod
    def size_of(folder: Path) -> int:
        """Bytes of all files below a folder; 0 where there is none.

        A file that is linked in two places counts half in each.
        """
        sizes = []
        for path in folder.rglob("*"):
            with suppress(FileNotFoundError):  # it has gone meanwhile
                known = path.lstat()
                sizes += [known.st_size // known.st_nlink] if path.is_file() else []
        return sum(sizes)

    def study(self, name: str) -> StudyFiles:
        """The folder of a study, be it there or not."""
        return StudyFiles(self.studies / file_name(name))

    def all_studies(self) -> list[StudyFiles]:
        """The folders of all studies, by name; other folders there are nobody's."""
        tops = sorted(self.studies.iterdir()) if self.studies.is_dir() else []
        return [StudyFiles(top) for top in tops if file_name(from_file_name(top.name)) == top.name]

    @property
    def default_artifacts(self) -> Path:
        """Files of runs in MLflow that are not ours."""
        return self.path / "default-artifacts"

    def beside(self) -> list[Path]:
        """Folders beside those of studies and artifacts: what is kept of batches and schedules."""
        return [self.path / "batches", self.schedule.path]

    @property
    def status_index(self) -> Path:
        """What was found of the runs, so that `status` need not read all records again."""
        return self.path / "status-index.json"

    @property
    def backup(self) -> Path:
        """What a copy of a home says of itself, in the copy alone."""
        return self.path / "backup.json"

    @staticmethod
    def is_passing(name: str) -> bool:
        """Whether a file or folder is of a process: a lock, its holder, or half written."""
        return name in ("lock", "lock.holder", "health.json") or PASSING.match(name) is not None

    def projector_lock(self, key: str) -> Path:
        """Held by whoever writes to the MLflow store of this key."""
        return self.path / f"projector-{key}.lock"

    def importing(self, name: str) -> StudyFiles:
        """Where an archive of a study is unpacked before it is checked."""
        return StudyFiles(self.path / f".{file_name(name)}.importing")

    @property
    def password(self) -> PasswordFiles:
        """What is kept of the web pages' password."""
        return PasswordFiles(self.path / "password")

    @property
    def schedule(self) -> ScheduleFiles:
        """What is kept of schedules."""
        return ScheduleFiles(self.path / "schedule")

    def batch(self, name: str, key: str) -> BatchFiles:
        """What is kept of a batch file.

        Args:
            key: of the file's path, as two files may name their batches alike.
        """
        return BatchFiles(self.path / "batches" / f"{file_name(name)}-{key}")

    def all_batches(self) -> list[BatchFiles]:
        """What is kept of each batch file that was run here."""
        top = self.path / "batches"
        return [BatchFiles(path) for path in sorted(top.iterdir())] if top.is_dir() else []


@dataclass(frozen=True)
class PasswordFiles:
    """What MLflow's basic-auth is configured by, readable by its owner alone."""

    folder: Path

    @property
    def configuration(self) -> Path:
        """For MLflow."""
        return self.folder / "auth.ini"

    @property
    def database(self) -> Path:
        """MLflow's users and permissions."""
        return self.folder / "auth.db"

    @property
    def database_uri(self) -> str:
        """The same, by absolute path."""
        return f"{SQLITE}{self.database}"

    @property
    def secret(self) -> Path:
        """The key that sessions are signed with."""
        return self.folder / "secret"


@dataclass(frozen=True)
class StudyFiles:
    """The folder of a study: its runs, numbered from 1, and the lock of whoever runs it."""

    path: Path

    @property
    def name(self) -> str:
        """The study's name."""
        return from_file_name(self.path.name)

    @property
    def home(self) -> Home:
        """The home that it lies in."""
        return Home(self.path.parent.parent)

    @property
    def lock(self) -> Path:
        """Held by the coordinator for its life."""
        return self.path / "lock"

    @property
    def holder(self) -> Path:
        """Who holds the lock, and since when."""
        return self.path / "lock.holder"

    def run(self, number: int) -> RunFiles:
        """The folder of a run, be it there or not."""
        return RunFiles(self.path / str(number))

    def deleted(self, number: int) -> Path:
        """What a run's folder is called while it is deleted."""
        return self.path / f".{number}.deleted"

    def half_deleted(self) -> list[Path]:
        """Folders whose deletion a kill cut short."""
        return sorted(self.path.glob(".*.deleted"))

    def numbers(self) -> list[int]:
        """The runs that were begun, in order."""
        found = (path for path in self.path.glob("*") if path.name.isdigit())
        return sorted(int(p.name) for p in found if RunFiles(p).study_json.exists())

    @property
    def newest(self) -> int:
        """The number of the last run, 0 for none."""
        return max(self.numbers(), default=0)


@dataclass(frozen=True)
class RecordFiles:
    """The folder of one trial, or of one run on a fresh seed."""

    path: Path

    @property
    def json(self) -> Path:
        """The record itself."""
        return self.path / "record.json"

    @property
    def log(self) -> Path:
        """What it printed and raised."""
        return self.path / "log.txt"

    def state(self, epochs: int, diverged: int) -> Path:
        """The members' states after so many epochs of all, so many of them diverged.

        Another name for another content: a member that diverged lost its state, no epoch.
        """
        return self.path / f"state-{epochs}-{diverged}.npz"

    def states(self) -> Iterator[Path]:
        """All that are there."""
        return self.path.glob("state-*.npz")

    def file(self, name: str) -> Path:
        """A file that the record names."""
        return self.path / name

    def member(self, index: int) -> Path:
        """Where code that is not ours keeps the files of a member."""
        return self.path / f"member-{index}"

    @staticmethod
    def is_member(name: str) -> bool:
        """Whether a folder is such a one."""
        return name.startswith("member-")

    @staticmethod
    def ours(member: Path) -> Path:
        """Where our own files of a member lie."""
        return member / OURS

    def members(self) -> list[Path]:
        """All such folders that are there."""
        return sorted(self.path.glob("member-*"))


def shared_folder(top: str, study: StudyFiles, run: str) -> Path:
    """Where the programs of a run have their files, in a folder that several machines share.

    Args:
        run: its id: the folders of several homes may lie there.
    """
    return Path(top, f"{study.path.name}-{run}")


class Artifact(StrEnum):
    """A file that is logged on a study's run in MLflow."""

    STUDY_TOML = "study.toml"  # the study file as written
    STUDY_JSON = "study.json"  # the study file as read, with defaults and changes by --set
    RESULT = "result.json"
    REPORT = "report.html"
    SEARCH_FIGURE = "search.png"
    TRIALS = "trials.csv"
    STAGES = "stages.csv"
    NARROWING = "narrowing.csv"
    NARROWING_JSON = "narrowing.json"
    FRONT = "front.csv"
    OUTER = "outer.csv"  # the winner of each outer fold
    CONFUSION = "confusion.csv"
    CONFUSION_FIGURE = "confusion.png"
    CASES = "arms.csv"
    CASES_FIGURE = "arms.png"
    PREDICTIONS_FIGURE = "predictions.png"
    COMPARISON = "comparison.csv"
    AGREEMENT = "agreement.json"
    CLAIMS = "claims.json"
    EXPECTED_BEST = "expected_best.csv"  # the expected best score by trials, epochs and time
    INCUMBENTS = "incumbents.json"  # the successive best trials, with their confirmed scores
    IMPORTANCE = "importance.csv"  # the importance of the table's columns
    IMPORTANCE_JSON = "importance.json"  # how the importance was measured
    GROUPS = "groups.csv"  # scores of test rows by group
    TABLE = "table.csv"  # the columns of the table
    TABLE_JSON = "table.json"  # the complete summary of the table
    ABLATION = "ablation.csv"  # the steps from the defaults to the winner
    ABLATION_JSON = "ablation.json"
    WARM_START = "warm_start.json"  # which old trials were taken
    LEARNED = "learned.json"  # trials of earlier studies that the search learns from


@dataclass(frozen=True)
class RunFiles:
    """The folder of one run of a study; see PLACES for what lies in it."""

    path: Path

    @property
    def study(self) -> StudyFiles:
        """The study that it is a run of."""
        return StudyFiles(self.path.parent)

    @property
    def number(self) -> int:
        """From 1."""
        return int(self.path.name)

    @property
    def kept_report(self) -> Path:
        """Its report as it was made last, beside it: it says when the folder was changed."""
        return self.path.with_name(f"{self.path.name}.report.json")

    @property
    def artifacts(self) -> Path:
        """The folder of tables, figures and the study file, as logged on the run in MLflow."""
        return self.path / "artifacts"

    def artifact(self, which: Artifact) -> Path:
        """One of its files."""
        return self.artifacts / which

    @property
    def figures(self) -> Path:
        """The folder of the report's figures, among the artifacts."""
        return self.artifacts / "figures"

    def figure(self, name: str, form: str = "png") -> Path:
        """One of them, as PNG, or as PDF or SVG for a paper."""
        return self.figures / f"{name}.{form}"

    def claim_figure(self, number: int) -> Path:
        """The figure of a claim's check, by the claim's number from 1."""
        return self.artifacts / f"claim_{number}.png"

    def half_written_artifacts(self) -> Iterator[Path]:
        """Artifacts whose writing a kill cut short."""
        return self.artifacts.glob(".*")

    @property
    def study_json(self) -> Path:
        """The run's id, the path of its study file, its plans, and the file as read."""
        return self.path / "study.json"

    @property
    def space(self) -> Path:
        """The searched parameters, their ranges and relations, for each compared case."""
        return self.path / "space.json"

    @property
    def code_checks(self) -> Path:
        """The problems of each of the user's own trainers, as found at the start."""
        return self.path / "code_checks.json"

    @property
    def library_warnings(self) -> Path:
        """What libraries warned of while trials were trained, and how often."""
        return self.path / "library_warnings.json"

    @property
    def failed(self) -> Path:
        """Why the last start ended in StudyFailed."""
        return self.path / "failed.json"

    @property
    def parent(self) -> Path:
        """The content of the study's run in MLflow."""
        return self.path / "parent.json"

    @property
    def mlflow(self) -> Path:
        """The place of the run in MLflow."""
        return self.path / "mlflow.json"

    @property
    def projected(self) -> Path:
        """Written when MLflow is complete: what it holds."""
        return self.path / "projected.json"

    @property
    def projector_log(self) -> Path:
        """The output of the projector."""
        return self.path / "projector.log"

    @property
    def journal(self) -> Path:
        """The changed records, in order, for the projector."""
        return self.path / "journal.jsonl"

    @property
    def slices(self) -> Path:
        """Which worker trained which trials, and when."""
        return self.path / "slices.jsonl"

    @property
    def model(self) -> Path:
        """The winner as an MLflow model: its first refit."""
        return self.path / "model"

    def other_model(self, name: str) -> Path:
        """Another MLflow model of the winner, of this name."""
        return self.path / "models" / name

    @property
    def young_model(self) -> Path:
        """The same while it is made."""
        return self.path / ".model.new"

    @property
    def trials(self) -> Path:
        """The folders of all trials."""
        return self.path / "trials"

    def record(self, kind: Kind, number: int, seed_number: int = 0) -> RecordFiles:
        """The folder of a record."""
        if kind == "trial":
            return RecordFiles(self.trials / f"{number:05d}")
        return RecordFiles(self.path / kind / f"{number:05d}-{seed_number}")

    def folders_of_records(self, *kinds: Kind) -> list[Path]:
        """Those that the folders of records of each kind lie in; no kind named: of all."""
        return [self.trials if kind == "trial" else self.path / kind for kind in kinds or KINDS]

    def records(self, *kinds: Kind) -> list[RecordFiles]:
        """All records there are, by kind, number and seed; no kind named: of all."""
        tops = self.folders_of_records(*kinds)
        return [
            RecordFiles(path.parent) for top in tops for path in sorted(top.glob("*/record.json"))
        ]

    def stage(self, stage: int, case: int | None) -> Path:
        """The decision at a stage's end.

        Args:
            case: which of the compared ones, from 0; None where nothing is compared.
        """
        return self.path / "stages" / (f"{stage}.json" if case is None else f"{stage}-{case}.json")

    def decisions(self, stage: int) -> list[Path]:
        """Those at a stage's end that were taken, by case."""
        found = (self.path / "stages").glob(f"{stage}[.-]*json")
        return sorted(found, key=lambda path: (len(path.name), path.name))

    def all_decisions(self) -> list[Path]:
        """Those at all stages' ends that were taken."""
        return sorted((self.path / "stages").glob("*.json"))

    def clocks(self) -> list[Path]:
        """Those that were written, by case."""
        return sorted((self.path / "budget").glob("*.json"))

    def clock(self, case: int) -> Path:
        """The seconds that a case's search has spent of its budget, and what they decided."""
        return self.path / "budget" / f"{case}.json"

    def aside(self, place: RecordFiles) -> Path:
        """Where the folder of a damaged record is kept when its trial is trained anew."""
        return self.path / "damaged" / f"{place.path.parent.name}-{place.path.name}"

    def chapter(self, number: int) -> ChapterFiles:
        """The files of an earlier chapter of the run, by its number, from 1."""
        return ChapterFiles(self.path / "chapters" / str(number))

    @property
    def chapters(self) -> list[ChapterFiles]:
        """Those of all earlier chapters, in order."""
        found = (path.name for path in (self.path / "chapters").glob("*"))
        return [self.chapter(number) for number in sorted(int(n) for n in found if n.isdigit())]

    @property
    def decided(self) -> list[Path]:
        """The folders and files that follow from the trials of one chapter."""
        folders = [self.path / "stages", self.path / "budget", self.rescored.parent]
        return [*folders, self.artifact(Artifact.RESULT)]

    @property
    def rescored(self) -> Path:
        """The scores of earlier records by the objective of the chapter."""
        return self.path / "rescored" / "scores.json"

    def leftovers(self) -> list[Path]:
        """Temporary files of writes that a kill cut short."""
        found = (p for p in self.path.rglob(".*.[0-9]*") if p.is_file())
        theirs = [member for place in self.records() for member in place.members()]
        return sorted(p for p in found if not any(p.is_relative_to(m) for m in theirs))


@dataclass(frozen=True)
class ChapterFiles(RunFiles):
    """An earlier chapter of a run: its study file, decisions and result; the records are those of
    the run."""

    @property
    def run(self) -> RunFiles:
        """The run."""
        return RunFiles(self.path.parent.parent)

    @property
    def study(self) -> StudyFiles:
        return self.run.study

    @property
    def number(self) -> int:
        return self.run.number

    def artifact(self, which: Artifact) -> Path:
        """Those of the chapter; the others are the run's."""
        own = which in (Artifact.STUDY_TOML, Artifact.STUDY_JSON, Artifact.RESULT)
        return self.artifacts / which if own else self.run.artifact(which)

    @property
    def trials(self) -> Path:
        return self.run.trials

    def record(self, kind: Kind, number: int, seed_number: int = 0) -> RecordFiles:
        return self.run.record(kind, number, seed_number)

    def folders_of_records(self, *kinds: Kind) -> list[Path]:
        return self.run.folders_of_records(*kinds)

    def chapter(self, number: int) -> ChapterFiles:
        return self.run.chapter(number)


@dataclass(frozen=True)
class Place:
    """A kind of file in a run's folder.

    Attributes:
        pattern: its names, from the run's folder.
        archived: an export takes it. The others belong to one machine, or are made again.
    """

    pattern: str
    archived: bool = True


PLACES = (
    Place(r"(study|space|parent|code_checks|library_warnings|failed)\.json"),
    Place(r"(journal|slices)\.jsonl"),
    Place(r"(stages|budget)/\d+(-\d+)?\.json|rescored/scores\.json"),
    Place(r"artifacts/study\.(toml|json)"),
    Place(
        r"chapters/\d+/((study|space)\.json|(stages|budget)/\d+(-\d+)?\.json|rescored/scores\.json|"
        r"artifacts/(study\.(toml|json)|result\.json))"
    ),
    Place(
        r"artifacts/(result|claims|agreement|narrowing|warm_start|learned|table|importance|"
        r"ablation|incumbents)\.json"
    ),
    Place(r"artifacts/[\w.-]+\.(csv|png|txt)"),  # a text explains the numbers of a figure
    Place(r"artifacts/figures/\w+\.png(\.txt)?"),
    Place(
        r"(trials|confirmation|default|path|test|default-test|all-rows)/[\d-]+/"
        r"(record\.json|log\.txt|answers\.npz|state-[\d-]+\.npz|"
        r"weights\.npz|estimator\.skops|table_model\.zip|"
        r"lightgbm\.txt|xgboost\.json|catboost\.cbm)"
    ),
    Place(  # of any size
        r"(trials|confirmation|default|path|test|default-test|all-rows)/[\d-]+/member-\d+/.+",
        archived=False,
    ),
    Place(r"artifacts/report\.html", archived=False),  # drawn anew
    Place(r"artifacts/figures/\w+\.(pdf|svg)(\.txt)?", archived=False),  # the same
    Place(r"(mlflow|projected)\.json|projector\.log", archived=False),  # of one MLflow store
    Place(r"models?/.+", archived=False),  # made anew from the weights
    Place(r"damaged/.+", archived=False),  # set aside by doctor --repair
)
ARCHIVED = re.compile("|".join(f"(?:{place.pattern})" for place in PLACES if place.archived))
KNOWN = re.compile("|".join(f"(?:{place.pattern})" for place in PLACES))


@dataclass(frozen=True)
class BatchFiles:
    """What a home keeps of a batch file."""

    path: Path

    @property
    def lock(self) -> Path:
        """Held by whoever runs the batch."""
        return self.path / "lock"

    @property
    def round(self) -> Path:
        """The round of fresh runs under way."""
        return self.path / "round.json"

    @property
    def summary(self) -> Path:
        """What the last call ended with."""
        return self.path / "summary.json"

    @property
    def owed(self) -> Path:
        """There from when a study runs until its summary is sent."""
        return self.path / "owed"


@dataclass(frozen=True)
class ScheduleFiles:
    """What a home keeps of its schedules."""

    path: Path

    @property
    def lock(self) -> Path:
        """Held by the process that runs the schedules."""
        return self.path / "lock"

    @property
    def standing(self) -> Path:
        """Where every schedule stands, written whole at every change."""
        return self.path / "standing.json"

    @property
    def health(self) -> Path:
        """Written every few seconds while the process lives."""
        return self.path / "health.json"

    @property
    def orders(self) -> Path:
        """One file an order of another shell; taken away when it is carried out."""
        return self.path / "orders"

    def order(self, name: str) -> Path:
        """The file of an order."""
        return self.orders / f"{name}.json"

    def waiting_orders(self) -> list[Path]:
        """The orders that were left, oldest first."""
        return sorted(self.orders.glob("[0-9]*.json"))
