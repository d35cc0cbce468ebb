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
        description="after a trial whose code raised an error or whose workers died; continue: "
        "the study goes on without it; stop: the study ends",
    )
    over_limit: Policy = Field(
        default="continue",
        description="after a trial that exceeded one of [limits]; it counts as worse than all "
        "others",
    )
    diverged: Policy = Field(
        default="continue",
        description="after a trial whose loss, or a metric of an objective or constraint, became "
        "infinite or undefined; it counts as worse than all others",
    )
    ended_early: Literal["keep", "fail"] = Field(
        default="keep",
        description="if a function, a program or an ensemble ends before the epochs of its stage; "
        "keep: its last scores count for the later epochs; fail: the trial fails",
    )
    retries: int = Field(
        default=0,
        ge=0,
        le=MOST_ATTEMPTS,
        description="how often a training whose code raised an error is tried again from its last "
        "state; useful if a disk or a server is sometimes unavailable",
    )
    lost_attempts: int = Field(
        default=LOST_ATTEMPTS,
        ge=2,
        le=MOST_ATTEMPTS,
        description="how many worker processes in a row may die while running a training before "
        "it fails; the last attempt runs alone, to find the cause",
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
                f"study stopped, because outcomes.{key} = 'stop' and trial {trial} ended "
                f"with:\n{reason}\nCorrect the cause, then start again with --fresh, or set "
                f"outcomes.{key} to 'continue' to resume"
            )
