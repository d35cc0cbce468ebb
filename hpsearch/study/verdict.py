"""What a finished study found, from its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from hpsearch.analysis.front import FreshSeeds, pareto_front, unmet
from hpsearch.analysis.narrowing import last_alarms
from hpsearch.analysis.outer_folds import outer_result
from hpsearch.analysis.ranking import ranked, total_violation
from hpsearch.counts import count_of, noun_of
from hpsearch.errors import StudyFailed, conclusion
from hpsearch.execution.code_rules import SAW_TEST
from hpsearch.records.comparisons import DefaultResult, Lead
from hpsearch.records.estimate import Estimate
from hpsearch.records.layout import Artifact, Kind
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import OUTER_FOLD, ArmResult, OuterResult, Result
from hpsearch.records.retests import TESTS
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_search import ArmSearch
from hpsearch.study.chapters.filing import ChapterFolder
from hpsearch.study.confirmation.extent import Extent, reason
from hpsearch.study.confirmation.refits import Refits
from hpsearch.study.opening import Run
from hpsearch.study.stages import best_first
from hpsearch.study.stored_space import sees_all_rows
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.study_file import StudyFile

TOP_SHOWN = 10  # trials in the result's table
PARTS: tuple[tuple[Kind, ...], ...] = (
    ("trial",),
    ("confirmation", "default"),
    ("test", "default-test"),
)
NO_TEST = "the study has no test data: no [data], and no test command"


def verdict(read: ReadStudy, run: Run, searches: Sequence[ArmSearch]) -> Result:
    """The result of a study whose searches are done.

    Raises:
        StudyFailed: no arm has a winner.
    """
    file, every = read.file, searches
    searches = [search for search in every if search.arm.fold is None]
    won = [search for search in searches if search.confirmed]
    if not won:
        raise StudyFailed(
            f"none of the {len(searches)} cases has a result; the first one: {searches[0].failure}"
        )
    again = list(run.folder.read_all("confirmation"))
    confirmed = {number: estimate for s in searches for number, estimate in s.confirmed.items()}
    fresh = FreshSeeds.of(again, confirmed, file.lengths[-1])
    searches_by_trial = {number: search for search in won for number in search.confirmed}
    leaders = [fresh.standing(next(iter(search.confirmed))) for search in won]
    first = ranked(leaders, file.directions)[0].number
    (best,) = (search for search in won if first in search.confirmed)
    arms = [_arm_result(search) for search in searches]
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
        counts=dict(sorted(Counter(r.outcome for s in every for r in s.records.values()).items())),
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
        front=pareto_front(
            file,
            records,
            fresh,
            searched,
            lambda number: _objectives(searches_by_trial[number], number),
        ),
        unmet=unmet(fresh, mine.best_number),
        saw_test=_saw_test(run.folder),
        tried={s.arm.name: s.tried for s in searches if s.tried is not None},
        ended=", ".join(dict.fromkeys(f"budget.{key}" for s in searches for key in s.ended)),
        default=mine.default,
        no_default=best.finals.no_default,
        leads=_leads(best, won) if run.protocol > 1 else [],
        choice=best.finals.choice,
        outer=_outer(read, [search for search in every if search.arm.fold is not None]),
        kept_splits=_kept_splits(file) if run.protocol > 1 else "",
        shares=_shares(file, run.folder) if any(s.ended for s in searches) else "",
        shortened=best.finals.extent.said(Extent.of(file), reason(file)),
        extent=_extent(file, best.finals.extent),
        chapters=_chapters(run, mine, len(records)),
    )


def _outer(read: ReadStudy, searches: Sequence[ArmSearch]) -> OuterResult | None:
    """What a nested search is worth; None of others."""
    if not searches:
        return None
    table = read.file.validation.outer
    assert table is not None
    ratio = fmean(search.finals.records.test_ratio for search in searches)
    folds = [_arm_result(search) for search in searches]
    return outer_result(table.of_rows, folds, read.space, ratio)


def _chapters(run: Run, arm: ArmResult, trials: int) -> list[dict[str, int]]:
    """What each chapter drew and tested; [] where there is one alone.

    Args:
        arm: the winner's, in this chapter.
        trials: of all chapters.
    """
    if run.chapter.number == 1:
        return []
    found: list[dict[str, int]] = []
    for number in range(1, run.chapter.number):
        files = ChapterFolder(run.folder, number).files
        kept = run.folder.read_sealed(files.artifact(Artifact.RESULT))
        if kept is not None:  # a replay has the earlier chapters' files alone
            known = kept["result"].get("chapters", [])
            default = kept["result"].get("default") or {"test": {}}
            own = bool(kept["result"]["test"]) + bool(default["test"])
            drawn = sum(kept["result"]["counts"].values())
            found = known or [{"trials": drawn, "tested": own}]
    drawn = trials - sum(one["trials"] for one in found)
    tested = bool(arm.test) + bool(arm.default and arm.default.test)
    return [*found, {"trials": drawn, "tested": tested}]


def _objectives(search: ArmSearch, number: int) -> dict[str, Estimate]:
    return search.finals.objectives(search.finals.repeats[number])


def _extent(file: StudyFile, run: Extent) -> dict[str, int]:
    return {} if run == Extent.of(file) else run._asdict()


def _shares(file: StudyFile, folder: RunFolder) -> str:
    """How far a search came, and what it, the confirmation and the test took."""
    took = [
        sum(
            member.epoch - record.before
            for kind in kinds
            for record in folder.read_all(kind)
            if record.outcome is not Outcome.FAILED  # how far those came depends on the slices
            for member in record.members
        )
        for kinds in PARTS
    ]
    reached = {epochs for record in folder.read_all("trial") for epochs in record.scores}
    missed = [n for n, length in enumerate(file.lengths, 1) if length not in reached]
    none = ""
    if missed:
        none = (
            f"no trial finished {noun_of(len(missed), 'stage')} {' and '.join(map(str, missed))}; "
        )
    searched, confirmed, tested = took
    parts = f"the search trained for {count_of(searched, 'epoch', form=',')}"
    return f"{none}{parts}, the confirmation for {confirmed:,}, the test for {tested:,}"


def _kept_splits(file: StudyFile) -> str:
    """Why the best were confirmed on the splits of the search; "" where they were not."""
    if file.draws_anew:
        return ""
    if file.data is None:
        return "the trainer makes the splits itself"
    kind = file.data.split.made().kind
    return "confirmation.splits says so" if file.data.split.made().drawn else f"it is {kind}"


def _leads(best: ArmSearch, won: Sequence[ArmSearch]) -> list[Lead]:
    """Of the winner over what else was confirmed in its arm, and over the other arms' winners."""
    repeats = best.finals.repeats
    first, *others = best.confirmed
    leads = [Lead(n, "", best.finals.lead(repeats[first], repeats[n])) for n in others]
    for search in won:
        same = search.arm.selection == best.arm.selection  # else its splits are of other rows
        if search is not best and same:
            number = next(iter(search.confirmed))
            theirs = search.finals.repeats[number]
            lead = best.finals.lead(repeats[first], theirs)
            leads.append(Lead(number, search.arm.name, lead))
    return leads


def _arm_result(search: ArmSearch) -> ArmResult:
    values = dict(search.arm.values)
    if search.arm.fold is not None:
        values[OUTER_FOLD] = search.arm.fold
    if not search.confirmed:
        return ArmResult(values, None, {}, None, {}, search.failure)
    number, validation = next(iter(search.confirmed.items()))
    tested = Refits.of(search.finals.records, "test", number)
    return ArmResult(
        values=values,
        best_number=number,
        searched=search.arm.space.searched(search.records[number].params),
        validation=validation,
        test=tested.estimates(),
        failure=tested.failure if search.file.is_tested else NO_TEST,
        default=_default_result(search, tested) if search.finals.defaults else None,
    )


def _default_result(search: ArmSearch, winner: Refits) -> DefaultResult:
    """The defaults of an arm beside its winner."""
    finals, runs = search.finals, search.finals.defaults
    bad = [r for r in runs if r.outcome is not Outcome.COMPLETE]
    validation = gain = test_gain = None
    test: dict[str, Estimate] = {}
    failure = ""
    if bad:
        of_all = f"{len(bad)} of {count_of(len(runs), 'run')}"
        failure = f"{of_all} {bad[-1].outcome}: {conclusion(bad[-1].reason)}"
    else:
        validation = finals.estimate(runs)
        gain = finals.lead(finals.repeats[winner.number], runs)
        tested = Refits.of(
            search.finals.records, "default-test", search.finals.records.default_number
        )
        test, failure = tested.estimates(), tested.failure
        test_gain = winner.lead(tested)
    params = runs[0].params
    return DefaultResult(
        params=params,
        searched=search.arm.space.searched(params),
        validation=validation,
        test=test,
        gain=gain,
        test_gain=test_gain,
        failure=failure,
    )


def _saw_test(folder: RunFolder) -> str:
    """Why test scores may flatter; "" where no refit read the test set while it trained."""
    names = {
        str(record.params["trainer"])
        for kind in TESTS
        for record in folder.read_all(kind)
        if any(member.saw_test for member in record.members)
    }
    return f"{' and '.join(sorted(names))} {SAW_TEST}" if names else ""


def test_uses(folder: RunFolder) -> int:
    """Configurations of a run that were scored on the test set: its winners and defaults, or all
    trials. Those of outer folds never are."""
    own = sees_all_rows(folder)
    looked = {(kind, r.number) for kind in TESTS for r in folder.read_all(kind) if own(r.number)}
    for record in folder.read_all("trial"):
        if any(name.startswith("test") for m in record.members for name in m.history):
            looked.add((TESTS[0], record.number))
    return len(looked)


def _leaders(read: ReadStudy, records: Mapping[int, TrialRecord]) -> list[TrialRecord]:
    """Trials by length reached, then by score."""
    ranked: list[TrialRecord] = []
    for length in reversed(read.file.lengths):
        at_most = [r for r in records.values() if r.length == length]
        ranked += best_first(at_most, length, read.file.directions)
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
