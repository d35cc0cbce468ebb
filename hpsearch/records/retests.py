"""Refits that failed, run again: their test command or their code was corrected since."""

from __future__ import annotations

from dataclasses import replace

from hpsearch.errors import conclusion
from hpsearch.records.layout import Artifact, Kind
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import RETESTED, MemberRecord, TrialRecord

TESTS: tuple[Kind, ...] = ("test", "default-test")
REFITS: tuple[Kind, ...] = (*TESTS, "all-rows")  # all that is trained once the test set is open


def failed_refits(folder: RunFolder, result: Result) -> list[TrialRecord]:
    """The refits of a result without a test score, because they raised or their program failed,
    and the model on all rows, if it did.

    A run that was given more trials may have others, of an earlier winner.
    """
    winners = {result.best_number, *(arm.best_number for arm in result.arms)}
    found = [record for record in folder.read_all("test") if record.number in winners]
    found += folder.read_all("default-test")
    found += [r for r in folder.read_all("all-rows") if r.number == result.best_number]
    return [record for record in found if record.outcome is Outcome.FAILED]


def is_tested(folder: RunFolder) -> bool:
    """Whether any refit has a test score."""
    return any(
        record.outcome is Outcome.COMPLETE for kind in TESTS for record in folder.read_all(kind)
    )


def run_failed_again(folder: RunFolder) -> None:
    """Have the next walk through a run train its failed refits anew, with the same seeds.

    Each keeps its log, its time and, among its attempts, why it failed. The result goes first:
    after a kill in between, the study is not finished, and what is left is still failed.
    """
    kept = folder.read_sealed(folder.files.artifact(Artifact.RESULT), "result")
    failed = failed_refits(folder, Result.from_dict(kept["result"])) if kept else []
    if failed:
        folder.files.artifact(Artifact.RESULT).unlink(missing_ok=True)
    for record in failed:
        folder.write(_anew(record))


def _anew(record: TrialRecord) -> TrialRecord:
    failure = {
        "event": RETESTED,
        "epoch": record.members[0].epoch,
        "member": 0,
        "reason": conclusion(record.reason),
    }
    return replace(
        record,
        members=[MemberRecord(member.split, member.entropy) for member in record.members],
        outcome=Outcome.RUNNING,
        reason="",
        limit="",
        attempts=[*record.attempts, failure],
        marks=[],
        rows={},  # its training begins once more
    )
