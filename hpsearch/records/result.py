"""The result of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hpsearch.metrics import test_name
from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder


@dataclass(frozen=True)
class Estimate:
    """A mean over fresh seeds with its 95 % t interval; low and high are None for one value."""

    mean: float
    low: float | None
    high: float | None
    values: list[float]

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.mean:.4f}"
        if min(self.values) == max(self.values):  # nothing random in it: no interval to speak of
            return f"{self.mean:.4f} (the same on all {len(self.values)} seeds)"
        interval = f"95 % interval {self.low:.4f} … {self.high:.4f}"
        return f"{self.mean:.4f} ({interval}, {len(self.values)} seeds)"


@dataclass(frozen=True)
class ArmResult:
    """What one arm of a comparison found.

    Attributes:
        values: what is compared, e.g. {"trainer": "sgd", "shots": 5}.
        best_number: its winner's trial; None: it has none.
        searched: the winner's searched hyperparameters.
        validation: the winner's objective over fresh seeds.
        test: its scores on the test set by metric.
        failure: why there is no winner, or no test score.
    """

    values: dict[str, Any]
    best_number: int | None
    searched: dict[str, Any]
    validation: Estimate | None
    test: dict[str, Estimate]
    failure: str

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> ArmResult:
        """The inverse of `asdict`."""
        known = said["validation"]
        test = {k: Estimate(**v) for k, v in said["test"].items()}
        return cls(**said | {"validation": Estimate(**known) if known else None, "test": test})


@dataclass(frozen=True)
class FrontMember:
    """A configuration that no other feasible one beats in everything on fresh seeds.

    Attributes:
        number: its trial.
        values: its objectives over fresh seeds, by name.
        searched_values: the same in the search.
        params: its searched hyperparameters.
    """

    number: int
    values: dict[str, Estimate]
    searched_values: dict[str, float]
    params: dict[str, Any]

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> FrontMember:
        """The inverse of `asdict`."""
        values = {name: Estimate(**estimate) for name, estimate in said["values"].items()}
        return cls(**said | {"values": values})


@dataclass(frozen=True)
class Result:
    """What a finished study found.

    Attributes:
        study: name of the run.
        objective, direction: what is optimised; of several objectives the first.
        counts: trials by outcome.
        best_number, best_params: the winner's trial and its complete hyperparameters.
        searched: those of best_params that were searched.
        validation: the winner's objective over fresh seeds.
        test: its scores on the test set by metric, each over the refits' seeds.
        untested: why refits have no test score, "" if all have.
        test_uses: how many configurations of this study were ever scored on the test set.
        optimistic: why the validation scores flatter, or None.
        ranges: the narrowed range of every parameter, for all trials and by branch.
        top: the best trials, {number, score, epochs, outcome, params, confirmed, not_confirmed};
            the last: "diverged" or "failed", as one of its runs on fresh seeds did, else "".
        confirmed: objective over fresh seeds of each confirmed trial, by number.
        folder: artifacts: tables, figures, the study file.
        arms: what each arm of a comparison found; the winner is the best of them.
        fidelity: for each pair of consecutive stages, whether the shorter predicts the longer.
        alarms: of the winner's branches, parameters whose best lie at the end of their range.
        metric: what the curves of the objective are called; "": as the objective.
        objectives: of several, direction by name; {} for one.
        front: of several objectives the Pareto front of what was run on fresh seeds, the winner
            first; [] where all of it misses a constraint.
        unmet: the constraints that the winner misses over fresh seeds.
        ended: what of the budget cut the search, e.g. "budget.epochs"; "" for nothing.
        saw_test: why the test scores may flatter: the trainer read the test set while it trained;
            "" where it did not.
        tried: of each search whose drawing ended as all its configurations were tried, how many
            there are, by the arm's name, which is "" where nothing is compared.
    """

    study: str
    objective: str
    direction: str
    counts: dict[str, int]
    best_number: int
    best_params: dict[str, Any]
    searched: dict[str, Any]
    validation: Estimate
    test: dict[str, Estimate]
    untested: str
    test_uses: int
    optimistic: str | None
    ranges: list[dict[str, Any]]
    top: list[dict[str, Any]]
    confirmed: dict[str, Estimate]
    folder: str
    arms: list[ArmResult]
    ended: str = ""
    fidelity: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    metric: str = ""
    objectives: dict[str, str] = field(default_factory=dict)
    front: list[FrontMember] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    saw_test: str = ""
    tried: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For result.json and --json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Result:
        """The inverse of `as_dict`."""
        return cls(
            **said
            | {
                "validation": Estimate(**said["validation"]),
                "test": {k: Estimate(**v) for k, v in said["test"].items()},
                "confirmed": {k: Estimate(**v) for k, v in said["confirmed"].items()},
                "arms": [ArmResult.from_dict(arm) for arm in said["arms"]],
                "front": [FrontMember.from_dict(member) for member in said.get("front", [])],
            }
        )

    @property
    def fidelity_texts(self) -> list[str]:
        """Fidelity in words; where arms are compared, the warnings alone."""
        shown = (one for one in self.fidelity if not self.arms or one["predicts"] is False)
        return [one["text"] for one in shown]

    @property
    def tried_text(self) -> str:
        """That all configurations were tried; "" where not all were."""
        if not self.arms:
            return "".join(f"all {n} configurations were tried" for n in self.tried.values())
        of_arms = ", ".join(f"{n} of {name}" for name, n in self.tried.items())
        return f"all configurations were tried: {of_arms}" if of_arms else ""

    @property
    def directions(self) -> tuple[str, ...]:
        """Of all objectives."""
        return tuple(self.objectives.values()) or (self.direction,)

    @property
    def curve(self) -> str:
        """The metric of the objective."""
        return self.metric or self.objective

    @property
    def test_name(self) -> str:
        """What the objective is called on the test set."""
        return test_name(self.curve)

    @property
    def test_score(self) -> Estimate | None:
        """The objective on the test set."""
        return self.test.get(self.test_name)


def read_result(
    folder: RunFolder, plan: Sequence[int], budget: Mapping[str, Any]
) -> Result | None:
    """The result of a run, if all that is asked for was done.

    Args:
        plan: the stages' numbers of trials.
        budget: the [budget] table, as JSON has it.
    """
    kept = folder.read_sealed(folder.files.artifact(Artifact.RESULT), "plan", "result")
    if not kept or kept["plan"] != list(plan):
        return None
    result = Result.from_dict(kept["result"])
    # A wider budget goes on only with what the narrower one cut.
    done = not result.ended or kept["budget"] == budget
    return result if done else None


def write_result(
    folder: RunFolder, plan: Sequence[int], budget: Mapping[str, Any], result: Result
) -> None:
    """Keep the result, with what it is the result of."""
    content = {"plan": list(plan), "budget": dict(budget), "result": result.as_dict()}
    folder.write_sealed(folder.files.artifact(Artifact.RESULT), content)
