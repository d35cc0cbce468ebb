"""What a finished study found, from its records."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from hpsearch.analysis.estimates import estimate
from hpsearch.analysis.front import FreshSeeds, pareto_front, unmet
from hpsearch.analysis.narrowing import last_alarms
from hpsearch.analysis.ranking import ranked, total_violation
from hpsearch.errors import StudyFailed, conclusion
from hpsearch.execution.code_rules import SAW_TEST
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import ArmResult, Estimate, Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_search import ArmSearch
from hpsearch.study.opening import Run
from hpsearch.study.stages import best_first
from hpsearch.studyfile.reading import ReadStudy

TOP_SHOWN = 10  # trials in the result's table
NO_TEST = "the study has no test data: no [data], and no test command"


def verdict(read: ReadStudy, run: Run, searches: Sequence[ArmSearch]) -> Result:
    """The result of a study whose searches are done.

    Raises:
        StudyFailed: no arm has a winner.
    """
    file = read.file
    won = [search for search in searches if search.confirmed]
    if not won:
        raise StudyFailed(
            f"at least one of {len(searches)} arms must have a result, the first has none: "
            f"{searches[0].failure}"
        )
    again = list(run.folder.read_all("confirmation"))
    confirmed = {number: estimate for s in searches for number, estimate in s.confirmed.items()}
    fresh = FreshSeeds.of(again, confirmed, file.n_epochs)
    leaders = [fresh.standing(next(iter(search.confirmed))) for search in won]
    first = ranked(leaders, file.directions)[0].number
    (best,) = (search for search in won if first in search.confirmed)
    arms = [_arm_result(run.folder, search) for search in searches]
    mine = arms[searches.index(best)]
    assert mine.best_number is not None
    assert mine.validation is not None
    failed = {r.number: r.outcome for r in again if not r.outcome.sound}
    records = {number: record for s in searches for number, record in s.records.items()}
    searched = {n: _searched(searches, record) for n, record in records.items()}
    return Result(
        study=run.name,
        objective=file.objective.name,
        direction=file.objective.direction,
        counts=dict(sorted(Counter(r.outcome for r in records.values()).items())),
        best_number=mine.best_number,
        best_params=records[mine.best_number].params,
        searched=mine.values | mine.searched,
        validation=mine.validation,
        test=mine.test,
        untested=mine.failure,
        test_uses=sum(map(test_uses, (*run.folder.earlier(), run.folder))),
        optimistic=file.optimistic(),
        ranges=[row.as_dict() for s in searches for row in s.last_ranges()],
        top=[
            _summary(r, searched[r.number], confirmed, failed)
            for r in _leaders(read, records)[:TOP_SHOWN]
        ],
        confirmed={str(n): estimate for n, estimate in confirmed.items()},
        folder=str(run.folder.files.artifacts),
        arms=arms if len(arms) > 1 else [],
        fidelity=[one.as_dict() for s in searches for one in s.fidelities()],
        alarms=last_alarms(best.last_ranges(), mine.values | mine.searched),
        metric=file.objective.metric,
        objectives={goal.name: goal.direction for goal in file.objectives},
        front=pareto_front(file, records, fresh, searched),
        unmet=unmet(fresh, mine.best_number),
        saw_test=_saw_test(run.folder),
        tried={s.arm.name: s.tried for s in searches if s.tried is not None},
        ended=", ".join(dict.fromkeys(f"budget.{key}" for s in searches for key in s.ended)),
    )


def _arm_result(folder: RunFolder, search: ArmSearch) -> ArmResult:
    values = dict(search.arm.values)
    if not search.confirmed:
        return ArmResult(values, None, {}, None, {}, search.failure)
    number, validation = next(iter(search.confirmed.items()))
    refits = [r for r in folder.read_all("test") if r.number == number]
    tested = [r for r in refits if r.outcome is Outcome.COMPLETE]
    untested = _untested(refits) if search.file.is_tested else NO_TEST
    names = [n for n in (tested[0].members[0].history if tested else {}) if n.startswith("test")]
    measured = {n: [r.members[0].history[n][-1] for r in tested] for n in names}
    return ArmResult(
        values=values,
        best_number=number,
        searched=search.arm.space.searched(search.records[number].params),
        validation=validation,
        test={name: estimate(scores) for name, scores in measured.items() if _finite(scores)},
        failure=untested,
    )


def _finite(scores: Sequence[float]) -> bool:
    """Whether all are defined; a metric beside the objective need not be."""
    return all(map(math.isfinite, scores))


def _untested(refits: Sequence[TrialRecord]) -> str:
    bad = [r for r in refits if r.outcome is not Outcome.COMPLETE]
    if not bad:
        return ""
    return f"{len(bad)} of {len(refits)} refits {bad[-1].outcome}: {conclusion(bad[-1].reason)}"


def _saw_test(folder: RunFolder) -> str:
    """Why test scores may flatter; "" where no refit read the test set while it trained."""
    names = {
        str(record.params["trainer"])
        for record in folder.read_all("test")
        if any(member.saw_test for member in record.members)
    }
    return f"{' and '.join(sorted(names))} {SAW_TEST}" if names else ""


def test_uses(folder: RunFolder) -> int:
    """Configurations of a run that were scored on the test set: its winners, or all trials."""
    looked = {r.number for r in folder.read_all("test")}
    for record in folder.read_all("trial"):
        if any(name.startswith("test") for m in record.members for name in m.history):
            looked.add(record.number)
    return len(looked)


def _leaders(read: ReadStudy, records: Mapping[int, TrialRecord]) -> list[TrialRecord]:
    """Trials by length reached, then by score."""
    ranked: list[TrialRecord] = []
    for stage in reversed(read.file.stages):
        at_most = [r for r in records.values() if r.length == stage.epochs]
        ranked += best_first(at_most, stage.epochs, read.file.directions)
    return ranked


def _searched(searches: Sequence[ArmSearch], record: TrialRecord) -> dict[str, object]:
    (arm,) = (s.arm for s in searches if s.arm.holds(record.number))
    return {**arm.values, **arm.space.searched(record.params)}


def _summary(
    record: TrialRecord,
    searched: Mapping[str, object],
    confirmed: Mapping[int, Estimate],
    failed: Mapping[int, str],
) -> dict[str, object]:
    epochs, estimate = record.length, confirmed.get(record.number)
    return {
        "number": record.number,
        "score": record.scores[epochs],
        "epochs": epochs,
        "outcome": record.outcome,
        "values": record.values.get(epochs, {}),
        "missed": total_violation(record.violations.get(epochs, {})),
        "params": searched,
        "confirmed": estimate.mean if estimate else None,
        "not_confirmed": "" if estimate else failed.get(record.number, ""),
    }
