"""The winners of compared cases, and how two of them differ on the same splits or test rows."""

from __future__ import annotations

from dataclasses import dataclass

from hpsearch.analysis.estimates import p_value
from hpsearch.analysis.paired import paired, ratio_of
from hpsearch.claims import TunedCases, TunedDifference
from hpsearch.errors import unknown
from hpsearch.metrics import lower_is_better
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import ArmResult, Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.study_json import read_study_json
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.confirmation.refits import Refits
from hpsearch.study.confirmation.repeats import repeats_of
from hpsearch.studyfile.reading import ReadStudy

OLD = "an older version of hpsearch ran the cases with different seeds, so there are no pairs"


@dataclass(frozen=True)
class ConfirmedCases(TunedCases):
    """The cases of a finished study, as its records have them.

    Attributes:
        protocol: of confirmation and test, as of a Run.
    """

    read: ReadStudy
    folder: RunFolder
    result: Result
    protocol: int

    @classmethod
    def of(cls, read: ReadStudy, folder: RunFolder, result: Result) -> ConfirmedCases | None:
        """Those of a run; None where nothing is compared."""
        if not result.arms:
            return None
        return cls(read, folder, result, int(read_study_json(folder.files).get("protocol", 1)))

    @property
    def cases(self) -> list[ArmResult]:  # type: ignore[override]
        return self.result.arms

    def difference(self, first: ArmResult, second: ArmResult, metric: str) -> TunedDifference:
        goals = {goal.name: goal for goal in self.read.file.goals}
        tested = [name for name in first.test if name in second.test]
        if metric not in (*goals, *tested):
            raise ValueError(f"metric {unknown(metric, [*goals, *tested])}")
        if self.protocol < 2:
            raise ValueError(OLD)
        if metric in goals:
            sign = 1 if goals[metric].direction == "maximize" else -1
            return self._confirmed(first, second, metric, sign)
        sign = -1 if lower_is_better(metric) else 1
        if metric == self.result.test_name:
            sign = 1 if self.result.direction == "maximize" else -1
        return self._tested(first, second, metric, sign)

    def _confirmed(
        self, first: ArmResult, second: ArmResult, objective: str, sign: int
    ) -> TunedDifference:
        file, runs = self.read.file, [self._runs(arm) for arm in (first, second)]
        one, other = (repeats_of(file, again, objective) for again in runs)
        mine, theirs = (repeats_of(file, again) for again in runs)  # of the first objective
        assert one is not None
        assert other is not None
        assert mine is not None
        assert theirs is not None
        assert first.validation is not None
        assert second.validation is not None
        if one.digests != other.digests:
            raise ValueError("the cases have different data or splits, so there are no pairs")
        if one.draws != other.draws:
            raise ValueError(
                "the cases were confirmed on different repeats, so they can't be paired"
            )
        ratio = ratio_of(mine, theirs, (first.validation, second.validation))
        if ratio == 0 and objective != file.objective.name:
            raise ValueError(
                f"{file.objective.name} is the same in all splits, so that nobody knows "
                "how wide the interval is"
            )
        estimate = paired(one, other, ratio)
        n = len(one.scores if estimate.over == "seeds" else one.of_splits)
        return TunedDifference(estimate, sign, p_value(estimate, n))

    def _runs(self, arm: ArmResult) -> list[TrialRecord]:
        again = self.folder.read_all("confirmation")
        return [r for r in again if r.number == arm.best_number and r.outcome is Outcome.COMPLETE]

    def _tested(
        self, first: ArmResult, second: ArmResult, metric: str, sign: int
    ) -> TunedDifference:
        one, other = self._refits(first), self._refits(second)
        seeds = [[m.entropy for r in some.records for m in r.members] for some in (one, other)]
        rows = [{r.digests.get("test") for r in some.records} for some in (one, other)]
        if seeds[0] != seeds[1] or rows[0] != rows[1]:
            raise ValueError("the cases were refitted with different seeds, so there are no pairs")
        estimate = one.difference(other, metric)
        if estimate is None:
            raise ValueError(f"a refit has no {metric}")
        return TunedDifference(estimate, sign, p_value(estimate, len(estimate.values)))

    def _refits(self, arm: ArmResult) -> Refits:
        assert arm.best_number is not None
        (place,) = (one for one in self.read.arms if one.values == arm.values)
        number, read = arm.best_number, self.read
        records = [r for r in self.folder.read_all("test") if r.number == number]
        return Refits(
            read.file, place.selection, self.folder, "test", number, records, self.protocol
        )
