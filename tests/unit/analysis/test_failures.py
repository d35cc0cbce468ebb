"""Why trials ended badly: a line a reason."""

from __future__ import annotations

from hpsearch.analysis.failures import failures, reason_of
from hpsearch.records.outcome import Outcome
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord

TRACEBACK = 'Traceback (most recent call last):\n  File "own.py", line 3\nTypeError: no number\n'


def record(
    number: int, outcome: Outcome, reason: str = "", limit: str = "", diverged_by: str = ""
) -> TrialRecord:
    diverged = outcome is Outcome.DIVERGED
    member = MemberRecord(0, SeedKey(0, number, 0, 0), diverged=diverged, diverged_by=diverged_by)
    found = TrialRecord(f"u:{number}", "trial", number, {}, [member], {}, limit=limit)
    found.become(outcome, reason)
    return found


def test_each_reason_is_told_once_failures_first() -> None:
    records = [
        *(record(n, Outcome.DIVERGED, f"loss not finite after epoch {n}") for n in range(3)),
        record(3, Outcome.FAILED, "worker died 3 times, the last time alone"),
        *(record(n, Outcome.FAILED, TRACEBACK) for n in (5, 4)),
        record(6, Outcome.COMPLETE),
        record(7, Outcome.PRUNED, "pruned after 2 epochs"),
        record(8, Outcome.FAILED, "took 1.2 s", limit="seconds"),
        record(9, Outcome.FAILED, "took 1.3 s", limit="seconds"),
        record(10, Outcome.FAILED, "took 1.4 s", limit="seconds"),
    ]
    assert [failure.text for failure in failures(records)] == [
        "3 failed (trials 8, 9, 10): exceeded limits.seconds",
        "2 failed (trials 4, 5): TypeError: no number",
        "1 failed (trial 3): worker died 3 times, the last time alone",
        "3 diverged (trials 0, 1, 2): loss not finite",
    ]


def test_a_long_list_of_trials_is_cut() -> None:
    (failure,) = failures(record(n, Outcome.FAILED, TRACEBACK) for n in range(20))
    assert failure.text.startswith("20 failed (trials 0, 1, 2, 3, 4, 5, 6, 7, 12 more): Type")


def test_divergence_names_its_metric() -> None:
    assert reason_of(record(0, Outcome.DIVERGED, diverged_by="validation_f1")) == (
        "validation_f1 not finite"
    )
    assert reason_of(record(0, Outcome.COMPLETE)) == ""
