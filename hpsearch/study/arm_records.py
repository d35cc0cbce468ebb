"""The records of one arm: read, made, and held against the data they belong to."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hpsearch.datasets.selection import digests, open_pool
from hpsearch.errors import StudyChangedError
from hpsearch.execution.environment import environment
from hpsearch.records.layout import Kind
from hpsearch.records.seed_key import TEST_REPEAT, SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.opening import Run
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import ReadStudy


@dataclass
class ArmRecords:
    """An arm's records; the data set is opened and has the digests they name.

    Args:
        read: the study file.
        run: its open run.
        arm: which of its searches.

    Attributes:
        trials: by their number in the study.

    Raises:
        DataError: the data set is missing or too small.
        StudyChangedError: it is not what the records were trained on.
    """

    read: ReadStudy
    run: Run
    arm: Arm

    def __post_init__(self) -> None:
        self._digests = digests(self.arm.selection)
        self._n_splits = len(open_pool(self.arm.selection).splits)
        self._environment = environment(self.read.folder)
        self.trials: dict[int, TrialRecord] = {r.number: r for r in self._stored("trial")}
        self._compare_digests(self.trials.values())

    def open_test(self) -> None:
        """Open the test set; records made from here on name its digest too.

        Raises:
            StudyChangedError: it is not what earlier refits were scored on.
        """
        # A dict of its own: the trials' records hold the one without.
        self._digests = digests(self.arm.selection, test=True)
        self._compare_digests(self._stored("test"))

    def new(self, number: int, params: dict[str, Any], *, stage: int, batch: int) -> TrialRecord:
        """The record of a trial that was drawn just now."""
        file = self.read.file
        members = [
            MemberRecord(split, SeedKey(file.seed, number, repeat, split))
            for split in range(self._n_splits)
            for repeat in range(file.evaluation.seeds)
        ]
        record = self._record("trial", number, 0, params, members)
        record.stage, record.batch = stage, batch
        self.trials[number] = record
        return record

    def again(self, kind: Kind, trial: TrialRecord, seed: int) -> TrialRecord:
        """The record of a trial's configuration on a fresh seed."""
        known = self.run.folder.read(kind, trial.number, seed)
        if known is not None:
            return known
        file = self.read.file
        if kind == "test":
            key = SeedKey(file.seed, trial.number, TEST_REPEAT + seed, 0)
            members = [MemberRecord(0, key)]
        else:
            repeats = seed * file.evaluation.seeds
            members = [
                MemberRecord(m.split, m.entropy._replace(repeat=repeats + m.entropy.repeat))
                for m in trial.members
            ]
        return self._record(kind, trial.number, seed, trial.params, members)

    def _record(
        self,
        kind: Kind,
        number: int,
        seed: int,
        params: dict[str, Any],
        members: list[MemberRecord],
    ) -> TrialRecord:
        uid = f"{self.run.id}:{kind}:{number}" + (f":{seed}" if kind != "trial" else "")
        return TrialRecord(
            uid=uid,
            kind=kind,
            number=number,
            seed_number=seed,
            params=params,
            members=members,
            digests=self._digests,
            environment=self._environment,
            started=time.time(),
        )

    def _stored(self, kind: Kind) -> Iterable[TrialRecord]:
        return (r for r in self.run.folder.read_all(kind) if self.arm.holds(r.number))

    def _compare_digests(self, records: Iterable[TrialRecord]) -> None:
        """Refuse data that is not what these records were trained and scored on."""
        for record in records:
            if record.digests != self._digests:
                raise StudyChangedError(
                    f"the data of study {self.run.name!r} must stay what its trials were trained "
                    f"on, got other {_differing(record.digests, self._digests)}: bring the old "
                    "data back, or start a new run of the study with --fresh"
                )


def _differing(before: dict[str, str], now: dict[str, str]) -> str:
    names = [name for name in now if before.get(name) != now[name]]
    return " and ".join(f"{n} (digest {before.get(n)} before, {now[n]} now)" for n in names)
