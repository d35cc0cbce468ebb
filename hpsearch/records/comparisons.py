"""What a winner was compared with: the defaults, and the others that were confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hpsearch.records.estimate import Estimate, estimates_of


@dataclass(frozen=True)
class DefaultResult:
    """The configuration of all defaults, run as the winner was, and what tuning gained over it.

    Attributes:
        params: its complete hyperparameters.
        searched: those of them that were searched; one that is missing is left to the trainer.
        validation: its objective, as the winner's; None: it failed or diverged on a repeat.
        test: its scores on the test set by metric.
        gain: the winner's objective less this one's, repeat by repeat, positive where the winner
            is better.
        test_gain: the same of the objective on the test set.
        failure: why there is no validation or no test score; "" for none.
    """

    params: dict[str, Any]
    searched: dict[str, Any]
    validation: Estimate | None
    test: dict[str, Estimate]
    gain: Estimate | None
    test_gain: Estimate | None
    failure: str

    @classmethod
    def from_dict(cls, said: dict[str, Any], objective: str) -> DefaultResult:
        """The inverse of `asdict`."""
        known = {name: Estimate.optional(said[name]) for name in ("gain", "test_gain")}
        known["validation"] = Estimate.optional(said["validation"], objective)
        return cls(**said | known | {"test": estimates_of(said["test"])})

    def verdict(self, metric: str, test_metric: str) -> str:
        """What tuning gained, in a sentence: on the test set, or else on validation data.

        Args:
            metric, test_metric: what the objective is called there.
        """
        gain, name = self.test_gain, test_metric
        if gain is None:
            gain, name = self.gain, metric
        if gain is None:
            return f"the defaults have no score: {self.failure}"
        return gained(gain, name)


def gained(gain: Estimate, name: str) -> str:
    """What tuning gained over the defaults in a metric of this name, in a sentence."""
    if not any(gain.values) and gain.is_constant:
        return f"the winner does exactly as well as the defaults in {name}"
    same = f"the same on all {len(gain.values)} {gain.over}"
    size = f"{abs(gain.mean):.4f} ({same if gain.is_constant else _span(gain)}) "
    if gain.sign > 0:
        return f"tuning gained {size}over the defaults in {name}"
    if gain.sign < 0:
        return f"tuning lost {size}against the defaults in {name}: use the defaults"
    return f"no difference from the defaults can be shown in {name}: {gain.signed}"


def _span(gain: Estimate) -> str:
    assert gain.low is not None
    assert gain.high is not None
    ends = sorted((abs(gain.low), abs(gain.high)))
    return f"{ends[0]:.4f} … {ends[1]:.4f}"


@dataclass(frozen=True)
class Lead:
    """By how much the winner leads another configuration on the same repeats.

    Attributes:
        number: the other's trial.
        arm: its arm; "" where nothing is compared, or it is of the winner's arm.
        lead: positive where the winner is better.
    """

    number: int
    arm: str
    lead: Estimate

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Lead:
        """The inverse of `asdict`."""
        return cls(**said | {"lead": Estimate(**said["lead"])})

    @property
    def text(self) -> str:
        """In a sentence."""
        whom = f"trial {self.number}" + (f" ({self.arm})" if self.arm else "")
        if self.lead.sign > 0:
            return f"better than {whom} by {self.lead.signed}"
        return f"indistinguishable from {whom}: {self.lead.signed}"
