"""The [outcomes] table of a study file: what follows where a trial does not end well."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import Field

from hpsearch.errors import StudyFailed
from hpsearch.execution.dispatch import LOST_ATTEMPTS
from hpsearch.records.outcome import Outcome
from hpsearch.studyfile.tables.base import Table

Policy = Literal["continue", "stop"]
MOST_ATTEMPTS = 100  # more is a slip of the keyboard


class Outcomes(Table):
    """A policy for each outcome: how often a trial is tried, and whether the study goes on.

    budget.failures says how many failed trials in a row end a study whatever stands here, be they
    its first ones or not.
    """

    failed: Policy = Field(
        default="continue",
        description="a trial's code raised, or its workers died: it is out, the study goes on; "
        "stop: the study ends there",
    )
    over_limit: Policy = Field(
        default="continue",
        description="a trial passed one of [limits]: it counts as worse than all others",
    )
    diverged: Policy = Field(
        default="continue",
        description="a trial's loss, or a metric of an objective or constraint, left the finite "
        "numbers: it counts as worse than all others",
    )
    ended_early: Literal["keep", "fail"] = Field(
        default="keep",
        description="a function, a program or an ensemble ended before its stage's epochs: its "
        "last scores stand for the later ones, as it has decided to stop; fail: the trial is "
        "failed",
    )
    retries: int = Field(
        default=0,
        ge=0,
        le=MOST_ATTEMPTS,
        description="how often a member whose code raised is tried again, from its last state; "
        "most mistakes repeat, a disk or a server that was away does not",
    )
    lost_attempts: int = Field(
        default=LOST_ATTEMPTS,
        ge=2,
        le=MOST_ATTEMPTS,
        description="worker processes that may die under a member in a row before it is failed; "
        "the last attempt is made alone, to learn whose fault it is",
    )

    @classmethod
    def may_change(cls) -> Collection[str]:
        return set(cls.model_fields) - {"ended_early"}  # which scores depend on

    def policy(self, outcome: Outcome, limit: str) -> tuple[str, Policy]:
        """The key and the policy that a trial's end falls under.

        Args:
            outcome: the trial's.
            limit: the key of [limits] that ended it; "" for none.
        """
        if limit:
            return "over_limit", self.over_limit
        if outcome is Outcome.DIVERGED:
            return "diverged", self.diverged
        return "failed", self.failed if outcome is Outcome.FAILED else "continue"

    def refuse(self, trial: int, outcome: Outcome, *, limit: str, reason: str) -> None:
        """End the study at a trial whose outcome it is not to go on after.

        Raises:
            StudyFailed: it is one.
        """
        key, policy = self.policy(outcome, limit)
        if policy == "stop":
            raise StudyFailed(
                f"no trial must end so while outcomes.{key} is 'stop', but trial {trial} did, "
                f"with:\n{reason}\nCorrect it, then start anew with --fresh, or set "
                f"outcomes.{key} to 'continue' to go on"
            )
