"""The records of one arm: read, made, and held against the data they belong to."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hpsearch.datasets.selection import digests, open_fresh, open_pool, open_test
from hpsearch.errors import StudyChangedError
from hpsearch.records.layout import Kind
from hpsearch.records.retests import REFITS
from hpsearch.records.seed_key import PAIRED, TEST_REPEAT, SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.chapters.earlier import EarlierTrials
from hpsearch.study.opening import Run
from hpsearch.study.starting.packages import environment_of
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import ReadStudy

REPEATS: tuple[Kind, ...] = ("confirmation", "default", "path")  # on validation data


@dataclass
class ArmRecords:
    """An arm's records; the data set is opened and has the digests they name.

    Args:
        read: the study file.
        run: its open run.
        arm: which of its searches.

    Attributes:
        trials: by their number in the study.
        earlier: those of the chapters before.
        fresh_ratio: validation rows by training rows where the best are run again on fresh splits;
            None: on those of the search.
        test_ratio: test rows by rows that the refits learn from, once the test set is open; 0 of
            data that is not known.

    Raises:
        DataError: the data set is missing or too small.
        StudyChangedError: it is not what the records were trained on.
    """

    read: ReadStudy
    run: Run
    arm: Arm
    test_ratio: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._digests = digests(self.arm.selection)
        self._n_splits = len(open_pool(self.arm.selection).splits)
        self._draws_anew = self.read.file.draws_anew
        self._environment = environment_of(self.read)
        self.trials: dict[int, TrialRecord] = {r.number: r for r in self._stored("trial")}
        self._compare_digests(self.trials.values(), self._digests)
        self.earlier = EarlierTrials.of(
            self.read.file, self.run.folder, self.run.chapter, [*self.trials.values()]
        )
        # Where the best are run again; the same dict where the splits are kept.
        self._fresh, self.fresh_ratio = self._digests, None
        self._fresh_before: list[dict[str, str]] = []  # with the repeats of earlier chapters
        if self._draws_anew:
            self._fresh = digests(self.arm.selection, fresh=True)
            self._fresh_before = [
                digests(replace(self.arm.selection, fresh=file.confirmation.seeds), fresh=True)
                for file in self.earlier.files
                if file.confirmation.seeds != self.read.file.confirmation.seeds
            ]
            pairs = open_fresh(self.arm.selection).splits
            self.fresh_ratio = float(np.mean([len(held) / len(train) for train, held in pairs]))
        for kind in REPEATS:
            of_now = (r for r in self._stored(kind) if r.digests not in self._fresh_before)
            self._compare_digests(of_now, self._fresh)

    def open_test(self) -> None:
        """Open the test set; records made from here on name its digest too.

        Raises:
            StudyChangedError: it is not what earlier refits were scored on.
        """
        self._tested = digests(self.arm.selection, test=True)
        ((learned, tested),) = open_test(self.arm.selection).splits
        self.test_ratio = len(tested) / max(len(learned), 1)
        for kind in REFITS:
            self._compare_digests(self._stored(kind), self._tested)

    def new(self, number: int, params: dict[str, Any], *, stage: int, batch: int) -> TrialRecord:
        """The record of a trial that was drawn just now."""
        file = self.read.file
        members = [
            MemberRecord(split, SeedKey(file.seed, number, repeat, split))
            for split in range(self._n_splits)
            for repeat in range(file.evaluation.seeds)
        ]
        record = self._record("trial", number, 0, params, members, self._digests)
        record.stage, record.batch = stage, batch
        self.trials[number] = record
        return record

    def going_on(self, number: int, of: int, *, stage: int, batch: int) -> TrialRecord:
        """The record of a new trial that trains an earlier chapter's longer, from the start.

        Args:
            of: the earlier trial; it stays as it is.
        """
        if number not in self.trials:
            earlier = self.trials[of]
            members = [MemberRecord(member.split, member.entropy) for member in earlier.members]
            record = self._record("trial", number, 0, earlier.params, members, self._digests)
            record.stage, record.batch, record.continues = stage, batch, of
            self.trials[number] = record
        return self.trials[number]

    @property
    def default_number(self) -> int:
        """Of the runs of all defaults, which each chapter makes for itself: it may train longer,
        and its ranges have other defaults."""
        return self.arm.number(self.run.chapter.number - 1)

    def again(self, kind: Kind, number: int, params: dict[str, Any], repeat: int) -> TrialRecord:
        """The record of a configuration that is run once more.

        Repeat r has the same seeds whatever the configuration, and where splits are drawn anew
        the same splits.

        Args:
            kind: any but "trial"; for refits the test set must be open.
            number: of the configuration's trial.
            repeat: which, from 1.
        """
        known = self.run.folder.read(kind, number, repeat)
        if known is not None and known.params == params:
            return known
        file, trial = self.read.file, PAIRED if self.run.protocol > 1 else number
        if kind in REFITS:
            key = SeedKey(file.seed, trial, TEST_REPEAT + repeat, 0)
            return self._record(kind, number, repeat, params, [MemberRecord(0, key)], self._tested)
        before = (repeat - 1) * self._n_splits if self._draws_anew else 0
        repeats = file.evaluation.seeds
        members = [
            MemberRecord(
                before + split, SeedKey(file.seed, trial, repeat * repeats + number_of_seed, split)
            )
            for split in range(self._n_splits)
            for number_of_seed in range(repeats)
        ]
        return self._record(kind, number, repeat, params, members, self._fresh)

    def _record(
        self,
        kind: Kind,
        number: int,
        seed: int,
        params: dict[str, Any],
        members: list[MemberRecord],
        data: dict[str, str],
    ) -> TrialRecord:
        uid = f"{self.run.id}:{kind}:{number}" + (f":{seed}" if kind != "trial" else "")
        return TrialRecord(
            uid=uid,
            kind=kind,
            number=number,
            seed_number=seed,
            params=params,
            members=members,
            digests=data,
            environment=self._environment,
            started=time.time(),
        )

    def _stored(self, kind: Kind) -> Iterable[TrialRecord]:
        return (r for r in self.run.folder.read_all(kind) if self.arm.holds(r.number))

    def _compare_digests(self, records: Iterable[TrialRecord], now: dict[str, str]) -> None:
        """Refuse data that is not what these records were trained and scored on."""
        for record in records:
            if record.digests != now:
                raise StudyChangedError(
                    f"the data of study {self.run.name!r} has changed since its trials were "
                    f"trained: other {_differing(record.digests, now)}. Restore the old data, or "
                    "start a new run of the study with --fresh"
                )


def _differing(before: dict[str, str], now: dict[str, str]) -> str:
    names = [name for name in now if before.get(name) != now[name]]
    return " and ".join(f"{n} (digest {before.get(n)} before, {now[n]} now)" for n in names)
