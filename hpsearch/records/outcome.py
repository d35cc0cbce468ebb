"""What may become of a record."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The progress of a record, or how it ended.

        drawn ──> RUNNING ──> PAUSED ──> COMPLETE
                     │          │ └─> PAUSED, at the end of every stage but the last
                     ├──────────┼───> PRUNED
                     ├──────────┼───> DIVERGED
                     └──────────┴───> FAILED

    outcome    final  set by                                   means
    RUNNING    no     the coordinator, for a new record        it has not reached its stage
    PAUSED     no     the training, at a stage's end           it waits for promotion, and stays
                                                               so while it continues
    COMPLETE   yes    the training, at the last stage's end    it has its final score
    PRUNED     yes    the end of a stage, without promotion;   it was ended early, on purpose
                      a pruner, at a rung; or after some
                      folds, with folds_as_needed
    DIVERGED   yes    the training: the loss or a metric that  it counts as the worst
                      the study scores by is not finite
    FAILED     yes    the training: an exception, lost         it counts with the score it had, if
                      workers, a limit, a missing metric       any; after exceeding a limit it is
                                                               infeasible

    A worker that is lost, a retry and a crowded population are attempts of a record, not outcomes
    of it.
    """

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (Outcome.RUNNING, Outcome.PAUSED)

    @property
    def ranked(self) -> bool:
        """Whether a score of it says how good it is; a diverged one is worse than any score."""
        return self is not Outcome.DIVERGED

    @property
    def sound(self) -> bool:
        """Whether training went as it should, be it over or not."""
        return self not in (Outcome.DIVERGED, Outcome.FAILED)

    @property
    def cut(self) -> bool:
        """Whether it ended before its stage did, after an epoch that repeats in every run."""
        return self in (Outcome.DIVERGED, Outcome.PRUNED)

    def may_become(self, other: Outcome) -> bool:
        """Whether the state machine has this arrow."""
        return not self.final and other is not Outcome.RUNNING
