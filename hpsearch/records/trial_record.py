"""The record of a trial: the truth that Optuna and MLflow are told from."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import numpy as np

from hpsearch.errors import DamagedError, headline
from hpsearch.records.layout import Kind
from hpsearch.records.outcome import Outcome
from hpsearch.records.sealed import seal, unseal
from hpsearch.records.seed_key import SeedKey

RECORD = "record.json"
# A tag of MLflow runs that the program of a record makes: its uid.
PROGRAM_OF = "hpsearch.program_of"
# An attempt of a refit that failed and was then run again; those before it are over.
RETESTED = "retested"
ARRAYS = "arrays:"  # before a digest of what a state holds, not of its bytes
# Their keys are numbers in here, texts in JSON.
BY_EPOCHS = ("scores", "rungs", "values", "violations", "rows", "estimates", "seconds")


@dataclass
class MemberRecord:
    """One fold and seed of a trial.

    Attributes:
        split: index of its split.
        entropy: the key of its seed.
        epoch: epochs trained.
        diverged: its loss, or a metric of an objective or constraint, became infinite or
            undefined; `history` ends before that.
        diverged_by: that metric; "" for the loss.
        epochs: the epochs that ended with an evaluation.
        history: metric -> one value for each of `epochs`.
        predicted: of a test run, the class each test row was taken for; None: not known.
        state_digest: of its state where it was last scored, "" where none can be compared; as
            the function of this name makes it.
        learning_rates: of the last step before each of `epochs`; [] where it is constant.
        ended_early: the epoch after which its trainer ended by itself, so that the last values of
            `history` count for later epochs too; 0: it did not.
        saw_test: in a test run, whether the training read the test set.
        pauses: for the user's own code, epochs after which it resumed from its state; None in
            older records.
    """

    split: int
    entropy: SeedKey
    epoch: int = 0
    diverged: bool = False
    epochs: list[int] = field(default_factory=list)
    history: dict[str, list[float]] = field(default_factory=dict)
    predicted: list[int] | None = None
    state_digest: str = ""
    learning_rates: list[float] = field(default_factory=list)
    ended_early: int = 0
    diverged_by: str = ""
    pauses: list[int] | None = field(default_factory=list)
    saw_test: bool = False

    def extend(self, trained: int, rows: Iterable[tuple[int, Mapping[str, float]]]) -> None:
        """Append a slice: epochs trained, and (epoch, metrics) of those evaluated."""
        for epoch, row in rows:
            self.epochs.append(epoch)
            for name, value in row.items():
                self.history.setdefault(name, []).append(value)
        self.epoch += trained


@dataclass
class TrialRecord:
    """Everything known about one configuration in one run of a study.

    Attributes:
        uid: unique over all studies of a folder of stores; MLflow runs carry it as a tag.
        kind: a trial of the search, a confirmation run on fresh seeds and splits, or a final test
            run; "default" and "default-test" are such runs of the configuration of all defaults;
            "all-rows" is the winner trained on the test rows too, which has no scores.
        number: the trial's number; confirmation and test runs have that of the trial they repeat,
            and those of the defaults that of their case.
        seed_number: the repeat; 0 for trials.
        stage, batch: where in the search it was drawn, from 0.
        scores: the objective at each stage length it reached, {epochs: score}, a mean over
            members; with several objectives, the first one.
        values: with several objectives, all of them at these lengths, {epochs: {name: value}};
            at rungs too where the pruner ranks by them.
        violations: the violation of each constraint as a fraction of its limit, {epochs: {name:
            fraction}}; 0 or less if it is satisfied. At the same epochs.
        rungs: the first objective at each rung it passed.
        controls: the stages to which it continued as a control, without being promoted.
        outcome: its progress, or how it ended; `become` changes it.
        reason: why it failed or diverged, or which pruner ended it.
        limit: the key of [limits] that it exceeded, "" for none.
        attempts: lost workers, exceptions and exceeded limits of this trial or of those trained
            with it, [{"event", "epoch", "member", "reason"}], event as in dispatch.Report.
        wall_seconds, cpu_seconds: its share of the time of the slices that trained it.
        opening_seconds: the part of wall_seconds before training: data, trainer, states.
        peak_bytes: the peak memory of the processes that trained it.
        environment: commit, versions and host at its start.
        started, ended: seconds since 1970; these do not repeat.
        marks: [epoch, time] whenever it reached a stage or ended; only ever appended to.
        state_file: name of the file with the members' states, "" for none.
        states_digest: digest of that file; "" for none, and in records of format 0 and 1.
        digests: digests of the data and of the splits.
        machines: the machines it was trained on, one line each, with everything that its bits
            depend on beside its seeds.
        code: digests of the user's own modules that it was trained with, in order; [] if there
            are none, and in older records.
        files: names of its other files.
        threshold: in a test run, the probability from which a row counts as the positive class;
            None if the more likely class counts, and in older records.
        trees: in a test run, the number of trees that the validation rows chose; 0 if they chose
            nothing, and in older records.
        continues: the number of the trial of an earlier chapter whose configuration and seeds
            this one has, to train it longer; None if there is none.
        rows: the training rows that each of its trainings had, at most, of a fold, {epoch: rows},
            by the epoch that it began after: where stages differ in their rows, a trial trains
            anew, and its epochs are counted on. {} if all stages have all rows, and in older
            records.
        folds: how many of the first folds it was to train on when it was stopped as it was behind,
            diverged or failed; 0: on all, or it is not over.
        estimates: where it was behind, the score of all folds that these let expect, by the length
            of the stage; the sampler is told it, and nothing is promoted or wins by it.
        seconds: with `sampler.per = "second"`, how long its training took until it was scored at
            a stage's end or a rung, {epochs: seconds}, as the sampler is told; where it was
            stopped before its other folds, what all would take. {} in other studies.
        rescored: the objective of a later chapter that its scores are of as they were read; "" if
            they are its own. It is not written.
    """

    uid: str
    kind: Kind
    number: int
    params: dict[str, Any]
    members: list[MemberRecord]
    digests: dict[str, str]
    stage: int = 0
    batch: int = 0
    seed_number: int = 0
    scores: dict[int, float] = field(default_factory=dict)
    rungs: dict[int, float] = field(default_factory=dict)
    controls: list[int] = field(default_factory=list)
    values: dict[int, dict[str, float]] = field(default_factory=dict)
    violations: dict[int, dict[str, float]] = field(default_factory=dict)
    outcome: Outcome = Outcome.RUNNING
    reason: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    opening_seconds: float = 0.0
    peak_bytes: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    started: float = 0.0
    ended: float = 0.0
    marks: list[list[float]] = field(default_factory=list)
    state_file: str = ""
    machines: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    limit: str = ""
    states_digest: str = ""
    code: list[str] = field(default_factory=list)
    threshold: float | None = None
    trees: int = 0
    continues: int | None = None
    rows: dict[int, int] = field(default_factory=dict)
    folds: int = 0
    estimates: dict[int, float] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    rescored: str = ""

    @property
    def told(self) -> str:
        """Its outcome as samplers hear of it: what is too large or slow is worse than all else."""
        return "infeasible" if self.limit else self.outcome

    @property
    def is_test(self) -> bool:
        """Whether it is scored on the test set, once it is refitted."""
        return self.kind in ("test", "default-test")

    @property
    def is_unscored(self) -> bool:
        """Whether it is a model for predictions alone, trained on all rows."""
        return self.kind == "all-rows"

    @property
    def sealed(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.outcome.final

    def become(self, outcome: Outcome, reason: str = "") -> None:
        """Change its outcome along an arrow of the state machine (see Outcome)."""
        assert self.outcome.may_become(outcome), f"{self.uid}: {self.outcome} to {outcome}"
        self.outcome = outcome
        self.reason = reason or self.reason

    @property
    def before(self) -> int:
        """The epoch that its first training began after; 0 if all stages have all rows."""
        return min(self.rows, default=0)

    def began_after(self, epoch: int) -> int:
        """The epoch that the training which reached this one began after."""
        return max((start for start in self.rows if start < epoch), default=0)

    def work(self, member: MemberRecord, after: int, until: int, most: int) -> float:
        """Epochs of a member between two, an epoch on fewer than `most` rows as a part of one."""
        starts = sorted(self.rows) or [0]
        shares = [self.rows[start] / most if self.rows else 1.0 for start in starts]
        last = min(member.epoch, until)
        ends = [*starts[1:], last]
        return sum(
            share * max(0, min(end, last) - max(start, after))
            for start, end, share in zip(starts, ends, shares, strict=True)
        )

    def begin(self, start: int, rows: int) -> None:
        """Begin a training on so many rows after an epoch, unless it is under way."""
        if start in self.rows:
            return
        self.rows[start] = rows
        for member in self.members:
            member.epoch, member.ended_early = start, 0

    @property
    def length(self) -> int:
        """The longest training that it has a score of, in epochs; 0 for none."""
        return max(self.scores, default=0)

    @property
    def reported(self) -> dict[int, float]:
        """Its scores at rungs and stage lengths, or the estimates of them, by epochs, as Optuna is
        told of them."""
        known = self.estimates | self.rungs | self.scores
        return {epochs: known[epochs] for epochs in sorted(known)}

    @property
    def diverged_by(self) -> str:
        """What left the finite numbers first, "loss" or a metric; "" where nothing did."""
        diverged = [member for member in self.members if member.diverged]
        first = min(diverged, key=lambda member: member.epoch, default=None)
        return "" if first is None else first.diverged_by or "loss"

    @property
    def ended_early(self) -> int:
        """The first epoch after which a member's trainer ended by itself; 0: none did."""
        return min((m.ended_early for m in self.members if m.ended_early), default=0)

    @property
    def epochs(self) -> list[int]:
        """The epochs that `mean_history` has values for."""
        return min((member.epochs for member in self.trained), key=len)

    @property
    def trained(self) -> list[MemberRecord]:
        """Its members, without those of folds before which it ended."""
        return [m for m in self.members if not self.folds or m.split < self.folds]

    def mean_history(self) -> dict[str, list[float]]:
        """Every metric's mean over members, for the epochs that all of them were scored after."""
        members = self.trained
        names = [name for name in members[0].history if all(name in m.history for m in members)]
        if len(members) == 1:
            return {name: list(members[0].history[name]) for name in names}
        n = len(self.epochs)
        with np.errstate(over="ignore"):
            return {
                name: np.mean([m.history[name][:n] for m in members], axis=0).tolist()
                for name in names
            }

    def add_use(self, *, wall: float, cpu: float, opening: float, peak_bytes: int) -> None:
        """Add a slice's share of seconds, and what memory its process held."""
        self.wall_seconds += wall
        self.cpu_seconds += cpu
        self.opening_seconds += opening
        self.peak_bytes = max(self.peak_bytes, peak_bytes)

    def note_seconds(self, epochs: int) -> None:
        """Note how long its training took, to these epochs, as if of all its members.

        With two digits: the clock's noise is in the third.
        """
        took, most = self.wall_seconds - self.opening_seconds, epochs - self.before
        done = sum(min(member.epoch, epochs) - self.before for member in self.members)
        self.seconds[epochs] = float(f"{max(took, 0.0) * most * len(self.members) / done:.2g}")

    def mean_learning_rates(self) -> list[float]:
        """The mean over members for each of `epochs`; [] where the rate is constant."""
        n = len(self.epochs)
        rates = [member.learning_rates[:n] for member in self.trained]
        if any(len(found) < n for found in rates):
            return []
        return [float(value) for value in np.mean(rates, axis=0)] if n else []

    @property
    def marked(self) -> int:
        """The last epoch whose time is known; MLflow is told of no later one."""
        return int(self.marks[-1][0]) if self.marks else 0

    def end_now(self) -> None:
        """Note the time at which it reached a stage, or its end."""
        self.ended = self._now()
        self.marks.append([min(member.epoch for member in self.trained), self.ended])

    def mark_progress(self) -> bool:
        """Note the time of what all members have been trained to since; False if nothing."""
        epoch = min(member.epoch for member in self.members)
        if epoch <= self.marked:
            return False
        self.marks.append([epoch, self._now()])
        return True

    def _now(self) -> float:
        """The time; not before what was noted last, should the clock have been set back."""
        return max(time.time(), self.marks[-1][1] if self.marks else self.started)

    def content(self) -> dict[str, Any]:
        """What record.json holds; numbers of epochs, which are keys, are texts there.

        What a trial has nothing of (one that it continues, fewer rows, fewer folds) is left out,
        as in older versions.
        """
        left_out = {"rescored"} | ({"continues"} if self.continues is None else set())
        left_out |= {
            name for name in ("rows", "folds", "estimates", "seconds") if not getattr(self, name)
        }
        own = {name: value for name, value in vars(self).items() if name not in left_out}
        return {**own, "members": [vars(member) for member in self.members]}

    def to_json(self, name: str | Path = RECORD) -> bytes:
        """The text of the file of this name."""
        return seal(self.content(), name)

    @classmethod
    def from_json(cls, text: bytes, name: str | Path = RECORD) -> TrialRecord:
        """The inverse of `to_json`; also of the texts of older formats.

        Args:
            name: as for `to_json`.

        Raises:
            DamagedError: it is not what was written.
            FormatError: a newer hpsearch wrote it.
        """
        content = unseal(text, name)
        try:
            return cls._from(content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # from before digests
            raise DamagedError(name, f"{type(error).__name__}: {headline(error)}") from error

    @classmethod
    def _from(cls, content: dict[str, Any]) -> TrialRecord:
        members = [
            MemberRecord(**({"pauses": None} | member | {"entropy": SeedKey(*member["entropy"])}))
            for member in content.pop("members")
        ]
        by_epochs = {
            name: {int(epochs): value for epochs, value in content[name].items()}
            for name in BY_EPOCHS
            if name in content
        }
        outcome = Outcome(content.pop("outcome"))
        return cls(members=members, outcome=outcome, **(content | by_epochs))


def read_record(path: Path) -> TrialRecord | None:
    """A record from its file, or None where there is none.

    Raises:
        DamagedError, FormatError: as `TrialRecord.from_json`.
    """
    try:
        return TrialRecord.from_json(path.read_bytes(), path)
    except FileNotFoundError:
        return None


def state_digest(state: bytes, like: str = "") -> str:
    """SHA-256 of a member's state, 16 hexadecimal digits behind "arrays:".

    Of the files in a zip: what else is in it differs between patch versions of Python.

    Args:
        like: another digest of the member; of the kind that records had before, without that
            word, it asks for the same kind: of all bytes.
    """
    if (like and not like.startswith(ARRAYS)) or not is_zipfile(BytesIO(state)):
        return hashlib.sha256(state).hexdigest()[:16]
    found = hashlib.sha256()
    with ZipFile(BytesIO(state)) as packed:
        for name in packed.namelist():
            content = packed.read(name)
            found.update(f"{name} {len(content)}\n".encode())
            found.update(content)
    return ARRAYS + found.hexdigest()[:16]
