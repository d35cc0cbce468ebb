"""Records of trials that were never trained."""

from __future__ import annotations

from typing import Any

from hpsearch.records.outcome import Outcome
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import StudyFile

ARM = ArmPlace({}, 0, 1, Space((), {}))
TWO_ARMS = [ArmPlace({"trainer": name}, i, 2, Space((), {})) for i, name in enumerate("ab")]


def study(*lengths: int, trials: int = 4, **said: Any) -> StudyFile:
    """A study of stages of these lengths, drawn at random unless `said` otherwise."""
    stages = [{"trials": trials, "epochs": epochs} for epochs in lengths]
    usual = {
        "name": "small",
        "objective": {"metric": "validation_accuracy", "direction": "maximize"},
        "space": {"trainer": "sgd"},
        "sampler": {"name": "random"},
        "stages": stages,
    }
    return StudyFile.model_validate(usual | said)


def trial(
    number: int,
    scores: dict[int, float],
    *,
    epoch: int = 0,
    members: int = 1,
    outcome: Outcome = Outcome.COMPLETE,
    **said: Any,
) -> TrialRecord:
    """A trial with these scores by length.

    Args:
        epoch: that its members were trained to; 0: the last of the lengths.
        said: other attributes of the record.
    """
    until = epoch or max(scores, default=0)
    return TrialRecord(
        uid=f"x:trial:{number}",
        kind="trial",
        number=number,
        params={"trainer": "sgd"},
        members=[MemberRecord(m, SeedKey(0, number, 0, m), epoch=until) for m in range(members)],
        digests={},
        scores=scores,
        outcome=outcome,
        **said,
    )
