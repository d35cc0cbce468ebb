"""The refits of a configuration on the test set, and what they score together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from hpsearch.analysis.estimates import estimate, with_rows
from hpsearch.analysis.test_rows import TestRows
from hpsearch.counts import count_of
from hpsearch.datasets.selection import Selection, open_test
from hpsearch.errors import conclusion
from hpsearch.metrics import test_name
from hpsearch.records.estimate import Estimate
from hpsearch.records.outcome import Outcome
from hpsearch.records.refit_answers import RefitAnswers, refit_answers
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_records import ArmRecords
from hpsearch.studyfile.study_file import StudyFile


@dataclass(frozen=True)
class Refits:
    """The refits of one configuration.

    Attributes:
        kind: of their records.
        number: of the configuration's trial.
        records: of all refits, those too that failed.
        protocol: of the run; before 2 an interval is of refits alone.
    """

    file: StudyFile
    selection: Selection
    folder: RunFolder
    kind: Literal["test", "default-test"]
    number: int
    records: Sequence[TrialRecord]
    protocol: int

    @classmethod
    def of(cls, of: ArmRecords, kind: Literal["test", "default-test"], number: int) -> Refits:
        """Those of an arm; none where nothing is tested."""
        run, selection = of.run, of.arm.selection
        records = [r for r in run.folder.read_all(kind) if r.number == number]
        return cls(of.read.file, selection, run.folder, kind, number, records, run.protocol)

    @property
    def failure(self) -> str:
        """What became of those without a score; "" where all have one."""
        bad = [r for r in self.records if r.outcome is not Outcome.COMPLETE]
        if not bad:
            return ""
        last = bad[-1]
        refits = count_of(len(self.records), "refit")
        return f"{len(bad)} of {refits} {last.outcome}: {conclusion(last.reason)}"

    def estimates(self) -> dict[str, Estimate]:
        """Every test metric that all refits have; one beside the objective may be undefined."""
        scores = self._scores()
        return {name: self._estimate(name, found) for name, found in scores.items() if found}

    def lead(self, over: Refits) -> Estimate | None:
        """By how much the objective is better than another's, refit by refit on the same rows;
        None where one of them has no score."""
        sign = 1.0 if self.file.objective.direction == "maximize" else -1.0
        return self.difference(over, test_name(self.file.objective.metric), sign)

    def difference(self, over: Refits, metric: str, sign: float = 1.0) -> Estimate | None:
        """A test metric less another's, refit by refit on the same rows; None where one of them
        does not have it.

        Args:
            sign: -1 turns the difference round.
        """
        mine, theirs = self._scores().get(metric), over._scores().get(metric)
        if not mine or not theirs or len(mine) != len(theirs):
            return None
        leads = [sign * (a - b) for a, b in zip(mine, theirs, strict=True)]
        error = self._rows.error_of_difference(metric, over._rows)
        return estimate(leads, "refits") if error is None else self._joint(leads, error)

    def _estimate(self, metric: str, scores: Sequence[float]) -> Estimate:
        if self.protocol < 2:
            return estimate(scores).within_range(metric)
        error = self._rows.error(metric)
        found = estimate(scores, "refits") if error is None else self._joint(scores, error)
        return found.within_range(metric)

    def _joint(self, values: Sequence[float], error: float) -> Estimate:
        return with_rows(values, error, self._rows.n)

    def _scores(self) -> dict[str, list[float]]:
        tested = [r for r in self.records if r.outcome is Outcome.COMPLETE]
        known = tested[0].members[0].history if tested else {}
        found = {
            name: [r.members[0].history[name][-1] for r in tested]
            for name in known
            if name.startswith("test")
        }
        return {name: scores for name, scores in found.items() if all(map(math.isfinite, scores))}

    @cached_property
    def _rows(self) -> TestRows:
        """What is predicted of the test rows; of images the classes alone are known."""
        refits = refit_answers(self.folder, self.number, self.kind)
        if not refits and not self.selection.unknown:
            predicted = [record.members[0].predicted for record in self.records]
            if predicted and all(predicted):
                refits = self._of_classes([one for one in predicted if one])
        return TestRows(refits, self.file.seed)

    def _of_classes(self, predicted: Sequence[Sequence[int]]) -> list[RefitAnswers]:
        pool = open_test(self.selection)
        labels, k = pool.examples.labels[pool.splits[0][1]], pool.examples.n_classes
        names = pool.examples.classes or tuple(map(str, range(k)))
        return [RefitAnswers(labels, np.array(one), names) for one in predicted]
