"""What a restart makes of the attempts in a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.records.layout import RecordFiles
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.record_work import Work


@pytest.mark.parametrize(
    ("attempts", "losses"),
    [
        ([("lost", 2, 0), ("lost", 2, 0)], 2),
        ([("lost", 1, 0), ("lost", 2, 0)], 1),  # it has advanced since the first
        ([("lost", 2, 1), ("raised", 2, 0)], 0),  # another member's; no death
    ],
)
def test_deaths_count_only_since_the_member_last_advanced(
    attempts: list[tuple[str, int, int]], losses: int
) -> None:
    members = [MemberRecord(split, SeedKey(0, 0, 0, split)) for split in range(2)]
    for member in members:
        member.extend(2, [(1, {"loss": 0.5}), (2, {"loss": 0.5})])
    record = TrialRecord("u", "trial", 0, {"trainer": "sgd"}, members, {})
    record.attempts = [
        {"event": event, "epoch": epoch, "member": member, "reason": ""}
        for event, epoch, member in attempts
    ]
    first, _ = Work(record, [None, None], RecordFiles(Path("0"))).jobs(4, 0, [])
    assert first.losses == losses
