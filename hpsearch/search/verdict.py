"""What a finished study found, from its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hpsearch.search.reading import ReadStudy
from hpsearch.search.result import Estimate, Result
from hpsearch.search.run import Run
from hpsearch.search.stages import RangeRow, best_first
from hpsearch.tracking.record import RunFolder, TrialRecord

TOP_SHOWN = 10  # trials in the result's table


def verdict(
    read: ReadStudy,
    run: Run,
    records: Mapping[int, TrialRecord],
    ranges: Sequence[RangeRow],
    confirmed: Mapping[int, Estimate],
) -> Result:
    """The result of a study whose test runs are done.

    Args:
        records: its trials by number.
        ranges: of all stages; the last one's are reported.
        confirmed: the objective over fresh seeds by trial, best first.
    """
    file, (number, validation) = read.file, next(iter(confirmed.items()))
    winner = records[number]
    refits = [r for r in run.folder.read_all("test") if r.number == number]
    tested = [r for r in refits if r.outcome == "complete"]
    names = [n for n in (tested[0].members[0].history if tested else {}) if n.startswith("test")]
    return Result(
        study=run.name,
        objective=file.objective.metric,
        direction=file.objective.direction,
        counts=dict(sorted(Counter(r.outcome for r in records.values()).items())),
        best_number=number,
        best_params=winner.params,
        searched=read.space.searched(winner.params),
        validation=validation,
        test={n: Estimate.of([r.members[0].history[n][-1] for r in tested]) for n in names},
        untested=_untested(refits),
        test_uses=_test_uses(run.folder),
        optimistic=file.optimistic(),
        ranges=[row.as_dict() for row in ranges if row.stage == len(file.stages) - 1],
        top=[_summary(read, r, confirmed) for r in _leaders(read, records)[:TOP_SHOWN]],
        confirmed={str(n): estimate for n, estimate in confirmed.items()},
        folder=str(run.folder.artifacts),
    )


def _untested(refits: Sequence[TrialRecord]) -> str:
    bad = [r for r in refits if r.outcome != "complete"]
    if not bad:
        return ""
    why = bad[-1].reason.strip().splitlines()[-1]
    return f"{len(bad)} of {len(refits)} refits {bad[-1].outcome}: {why}"


def _test_uses(folder: RunFolder) -> int:
    """Configurations scored on the test set, in this run and the runs before it."""
    runs = (*folder.earlier(), folder)
    return sum(len({r.number for r in run.read_all("test")}) for run in runs)


def _leaders(read: ReadStudy, records: Mapping[int, TrialRecord]) -> list[TrialRecord]:
    """Trials by length reached, then by score."""
    ranked: list[TrialRecord] = []
    for stage in reversed(read.file.stages):
        at_most = [r for r in records.values() if _length(r) == stage.epochs]
        ranked += best_first(at_most, stage.epochs, read.file.objective.direction)
    return ranked


def _length(record: TrialRecord) -> int:
    """The longest training it has a score of, in epochs."""
    return max(map(int, record.scores), default=0)


def _summary(
    read: ReadStudy, record: TrialRecord, confirmed: Mapping[int, Estimate]
) -> dict[str, object]:
    epochs, estimate = _length(record), confirmed.get(record.number)
    return {
        "number": record.number,
        "score": record.scores[str(epochs)],
        "epochs": epochs,
        "outcome": record.outcome,
        "params": read.space.searched(record.params),
        "confirmed": estimate.mean if estimate else None,
    }
