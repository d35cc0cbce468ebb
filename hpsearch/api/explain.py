"""Which of the winner's values matter: from the defaults to the winner, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.analysis.trial_model import TrialModel
from hpsearch.errors import StudyFileError, conclusion
from hpsearch.execution.making import make_executor
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.study_report import write_report
from hpsearch.spreadsheets import csv_text
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.confirmation.ablation import Step, as_rows, n_configurations, path
from hpsearch.study.confirmation.finals import Finals
from hpsearch.study.events import Event, PhaseStarted
from hpsearch.study.opening import Run, open_run
from hpsearch.study.recorded import Recorded, find_run
from hpsearch.study.spending import kept_extent
from hpsearch.study.training import Training
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.tables.execution import slots_here

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Explanation:
    """The path from the defaults to the winner.

    Attributes:
        study: the run's name.
        objective: the objective that the scores measure.
        steps: the steps in order; the last one ends at the winner.
        trainings: the number of trainings for the configurations between the two.
        page: the report, which has the explanation too.
    """

    study: str
    objective: str
    steps: Sequence[Step]
    trainings: int
    page: Path

    def table(self) -> pd.DataFrame:
        """A row per step: parameter, both values, the score after it, its gain and interval."""
        import pandas as pd

        return pd.DataFrame(as_rows(self.steps))


def explain_study(
    study: str,
    *,
    trainings: int | None = None,
    workers: int | None = None,
    home: str | Path | None = None,
    on_start: Callable[[int, int], None] = lambda configurations, trainings: None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Explanation:
    """Run the configurations between the defaults and the winner of a finished study.

    Each is run on the splits and seeds of the confirmation. What was run before is not run again.

    Args:
        study: its name; its newest run is explained.
        trainings: the maximum number of trainings; None: one configuration per parameter.
        workers: number of worker processes; 0: this process; None: one per core.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        on_start: called with the number of configurations between the two and of trainings.
        on_event: called with each event.

    Raises:
        StudyFileError: there is no such study, it is not finished, was imported, or has no
            defaults beside its winner.
        StudyChangedError: the user's own code has changed since the trials.
        StudyLockedError: another process runs it.
        DataError: the data no longer exists.
    """
    import pandas as pd

    stores = Home.find(Path(home) if home else None)
    recorded = find_run(stores, study)
    result = _explained(recorded, stores)
    read = recorded.read()
    run = open_run(read, stores, fresh=False)
    try:
        steps, n_trainings = _steps(read, run, result, trainings, workers, on_start, on_event)
        folder = run.folder
        folder.write_json(folder.files.artifact(Artifact.ABLATION_JSON), [*map(asdict, steps)])
        table = csv_text(pd.DataFrame(as_rows(steps)))
        folder.files.artifact(Artifact.ABLATION).write_text(table, encoding="utf-8")
        page = write_report(folder, result)
    finally:
        run.close()
    return Explanation(run.name, result.objective, steps, n_trainings, page)


def _explained(recorded: Recorded, stores: Home) -> Result:
    """The result of a run that can be explained."""
    result = recorded.result()
    if recorded.number != stores.study(recorded.study).newest:
        raise StudyFileError(
            f"only the newest run of {recorded.study!r} can be explained, got {recorded.name!r}"
        )
    if recorded.folder_of_file is None:
        raise StudyFileError(
            f"only a study that was run here can be explained, but {recorded.name!r} was imported"
        )
    if result is None:
        raise StudyFileError(f"study {recorded.name!r} must be finished: run its file again")
    if result.default is None or result.default.validation is None:
        why = result.default_text or (
            "the defaults were not run, because confirmation.default = false"
        )
        raise StudyFileError(
            f"study {recorded.name!r} has no defaults to compare with its winner: {why}"
        )
    return result


def _steps(
    read: ReadStudy,
    run: Run,
    result: Result,
    trainings: int | None,
    workers: int | None,
    on_start: Callable[[int, int], None],
    on_event: Callable[[Event], None],
) -> tuple[list[Step], int]:
    arm = read.arm_of(result.best_number)
    assert result.default is not None
    extent, space = kept_extent(run.folder, arm, read.file), arm.space
    seeds = extent.seeds
    with make_executor(workers, slots=slots_here(read.file.execution)) as executor:
        records = ArmRecords(read, run, arm)
        trials = [r for r in records.trials.values() if r.outcome.ranked]
        longest = max(r.length for r in trials)  # a budget may have ended the search before
        known = [r for r in trials if longest in r.scores]
        scores = [r.scores[longest] for r in known]
        model = TrialModel(space, [r.params for r in known], scores, read.file.seed)
        configurations = path(
            space,
            result.default.params,
            result.best_params,
            model,
            better=1 if result.direction == "maximize" else -1,
            most=n_configurations(trainings, seeds, read.file.n_members),
        )
        between = configurations[:-1]  # the last is the winner
        n_trainings = len(between) * seeds * read.file.n_members
        on_start(len(between), n_trainings)
        training = Training.of(read, arm.selection, run.folder, executor)
        finals = Finals(records, known, training, on_event, extent)
        ends = [
            finals.again("default", records.default_number, result.default.params),
            finals.again("confirmation", result.best_number, result.best_params),
        ]
        middle = [
            finals.again("path", arm.number(run.chapter.first + place), params)
            for place, (params, _) in enumerate(between, start=1)
        ]
        missing = [record for repeats in middle for record in repeats]
        on_event(PhaseStarted("confirmation", len(missing), 0, arm.label))
        finals.run(missing)
    runs = [ends[0], *middle, ends[1]]
    starts = [result.default.params, *(params for params, _ in between)]
    steps = [
        _step(finals, before, after, changed, old)
        for (before, after), (_, changed), old in zip(
            pairwise(runs), configurations, starts, strict=True
        )
    ]
    return steps, n_trainings


def _step(
    finals: Finals,
    before: Sequence[TrialRecord],
    after: Sequence[TrialRecord],
    changed: dict[str, object],
    old: dict[str, object],
) -> Step:
    was = {name: old[name] for name in changed if name in old}
    bad = [r for r in (*after, *before) if r.outcome is not Outcome.COMPLETE]
    if bad:
        failure = f"{bad[0].outcome}: {conclusion(bad[0].reason)}"
        score = None if any(r in bad for r in after) else finals.estimate(after)
        return Step(changed, was, score, None, failure)
    return Step(changed, was, finals.estimate(after), finals.lead(after, before))
