"""All that a study's report is made of, read from its records."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.analysis.best_curves import BestCurve, best_curves
from hpsearch.analysis.importance import Direction, Importance, importances
from hpsearch.analysis.overtuning import Incumbents, incumbents
from hpsearch.records.layout import DECISION_KEYS
from hpsearch.records.outcome import Outcome
from hpsearch.records.range_row import RangeRow
from hpsearch.records.refit_answers import RefitAnswers, refit_answers
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.recorded import Recorded
from hpsearch.study.stages import best_first
from hpsearch.study.stored_space import kept_arms, kept_space, sees_all_rows
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudyView:
    """A finished run of a study.

    Attributes:
        records: its trials by number, without those of outer folds.
        space: what was searched.
        stages: the decisions at the stages' ends, {promoted, controls, ranges}, of all arms.
        slices: which worker trained what and when.
    """

    folder: RunFolder
    result: Result
    records: Sequence[TrialRecord]
    space: Space
    stages: Sequence[dict[str, Any]]
    slices: Sequence[dict[str, Any]]

    @classmethod
    def of(cls, folder: RunFolder, result: Result) -> StudyView:
        """Read everything."""
        own = sees_all_rows(folder)
        stages: list[dict[str, Any]] = []
        while decided := _decisions(folder, len(stages)):
            of_arms = [folder.required(path, *DECISION_KEYS) for path in decided]
            keys = ("promoted", "controls", "ranges")
            stages.append({k: [x for one in of_arms for x in one.get(k, [])] for k in keys})
        return cls(
            folder=folder,
            result=result,
            records=[record for record in folder.read_all("trial") if own(record.number)],
            space=kept_space(folder) or Space((), {}),
            stages=stages,
            slices=folder.read_slices(),
        )

    @cached_property
    def refits(self) -> list[RefitAnswers]:
        """What the winner's refits predict of the test rows of a table; [] where one of them does
        not say, as in records of older versions."""
        return refit_answers(self.folder, self.result.best_number)

    @cached_property
    def run(self) -> Recorded:
        """The run, with its study file."""
        return Recorded(self.folder.files.study.name, self.folder.files.number, self.folder)

    @property
    def ranges(self) -> list[RangeRow]:
        """All lines of the audit of narrowing, those of a stage that a budget cut too."""
        rows = [row for stage in self.stages for row in stage["ranges"]]
        cut = [row for row in self.result.ranges if row["stage"] >= len(self.stages)]
        return [RangeRow.from_dict(row) for row in (*rows, *cut)]

    @property
    def lengths(self) -> list[int]:
        """The stages' epochs."""
        return sorted({epochs for record in self.records for epochs in record.scores})

    @property
    def searched(self) -> list[str]:
        """Names in Optuna of the searched parameters that vary, in the study's order."""
        return [p.name for p in self.space.parameters if len(set(self._values(p))) > 1]

    def _values(self, parameter: Parameter) -> Iterator[Any]:
        """A parameter's value in each trial; None where it has none."""
        for record in self.records:
            has_it = parameter.entry is None or parameter.active(record.params)
            yield record.params.get(parameter.key) if has_it else None

    def log(self, name: str) -> bool:
        """Whether a parameter is searched on a log scale."""
        return any(
            getattr(p.distribution, "log", False) for p in self.space.parameters if p.name == name
        )

    def choices(self, name: str) -> list[Any] | None:
        """A parameter's choices; None where it is a range."""
        for parameter in self.space.parameters:
            if parameter.name == name and hasattr(parameter.distribution, "choices"):
                return list(parameter.distribution.choices)
        return None

    def active(self, record: TrialRecord) -> dict[str, Any]:
        """The searched parameters of a trial, by their names in Optuna."""
        return dict(self.space.in_optuna(record.params))

    def value(self, record: TrialRecord, name: str) -> Any:
        """A searched parameter of a trial that has it, by its name in Optuna."""
        return self.active(record)[name]

    def score(self, record: TrialRecord) -> float | None:
        """The score at the longest training a trial was scored after."""
        if not record.scores or not record.outcome.ranked:
            return None
        return record.scores[record.length]

    @cached_property
    def by_number(self) -> dict[int, TrialRecord]:
        """The trials."""
        return {record.number: record for record in self.records}

    @property
    def importance(self) -> dict[str, float]:
        """Each parameter's share in what made trials good in the first stage, largest first."""
        return {name: found.share for name, found in self.importances.items()}

    @cached_property
    def importances(self) -> dict[str, Importance]:
        """The same with their intervals."""
        if not self.lengths:
            return {}
        direction: Direction = "maximize" if self.result.direction == "maximize" else "minimize"
        return importances(self.space, self.records, epochs=self.lengths[0], direction=direction)

    @cached_property
    def best_curves(self) -> list[BestCurve]:
        """The best score of each arm by what was spent."""
        return best_curves(self.run.file, self.arms, self.records)

    @cached_property
    def incumbents(self) -> list[Incumbents]:
        """The successive bests of each arm that were confirmed."""
        confirmed = {int(number): again for number, again in self.result.confirmed.items()}
        return list(incumbents(self.run.file, self.arms, self.records, confirmed))

    @cached_property
    def arms(self) -> list[ArmPlace]:
        """The study's searches."""
        return kept_arms(self.folder) or [ArmPlace({}, 0, 1, self.space)]

    def numeric(self) -> list[str]:
        """Searched ranges, the most important first."""
        names = [name for name in self.searched if self.choices(name) is None]
        return sorted(names, key=lambda name: -self.importance.get(name, 0.0))

    def _pruned_in(self, record: TrialRecord) -> int | None:
        """The stage in which a pruner ended a trial; None: it did not."""
        if record.outcome is not Outcome.PRUNED or not record.reason:
            return None
        end = record.epochs[-1] - bool(record.folds)  # then it did not come to its stage's end
        passed = sum(length <= end for length in self.lengths)
        return max(record.stage, passed)

    def _pruned(self, stage: int) -> dict[str, int]:
        """How many trials of a stage were ended before its end, by the words for it."""
        ended = [r for r in self.records if self._pruned_in(r) == stage]
        if self.run.file.folds_as_needed:
            return {"pruned after some folds": len(ended)}
        return {"pruned at rungs": len(ended)}

    def stage_table(self) -> pd.DataFrame:
        """What each stage did: trials, how they ended, scores, who went on."""
        rows = []
        lengths = self.lengths
        if self.folder.files.chapters:  # whose last stages may have had other lengths
            lengths = [*self.run.file.lengths]
        planned, with_rows = self.run.file.stages, self.run.file.has_fewer_rows
        if with_rows:  # of which one may be without any score
            lengths = [*self.run.file.lengths]
        for number, (epochs, decision) in enumerate(zip(lengths, self.stages, strict=False)):
            here = [r for r in self.records if r.stage == number and r.continues is None]
            ranked = best_first(self.records, epochs, self.result.directions)
            scores = [r.scores[epochs] for r in ranked]
            rows.append(
                {
                    "stage": number + 1,
                    "epochs": planned[number].epochs if with_rows else epochs,
                    **({"rows": planned[number].rows or "all"} if with_rows else {}),
                    "newly drawn": len(here),
                    "scored": len(scores),
                    "diverged": sum(r.outcome is Outcome.DIVERGED for r in here),
                    "failed": sum(r.outcome is Outcome.FAILED for r in here),
                    **self._pruned(number),
                    "promoted": len(decision["promoted"]),
                    "controls": len(decision["controls"]),
                    "best": scores[0] if scores else None,
                    "median": statistics.median(scores) if scores else None,
                    "best trial": ranked[0].number if ranked else None,
                }
            )
        import pandas as pd

        return pd.DataFrame(rows)


def _decisions(folder: RunFolder, stage: int) -> list[Path]:
    """Those at a stage's end, without those of outer folds."""
    arms, files = kept_arms(folder), folder.files
    outer = [files.stage(stage, arm.case) for arm in arms if arm.fold is not None]
    return [path for path in files.decisions(stage) if path not in outer]
