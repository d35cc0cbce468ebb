"""The result of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hpsearch.counts import all_tried, count_of, noun_of
from hpsearch.metrics import test_name
from hpsearch.records.comparisons import DefaultResult, Lead, gained
from hpsearch.records.estimate import CORRECTED, Estimate, estimates_of
from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder
from hpsearch.value_texts import value_text

MARK = "WARNING: "  # that older versions stored with what they warned of
OUTER_FOLD = "outer fold"  # among the values of an ArmResult


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
        default: the defaults beside the winner; None: not run.
    """

    values: dict[str, Any]
    best_number: int | None
    searched: dict[str, Any]
    validation: Estimate | None
    test: dict[str, Estimate]
    failure: str
    default: DefaultResult | None = None

    @property
    def name(self) -> str:
        """ "trainer=sgd, shots=5"."""
        return ", ".join(f"{name}={value}" for name, value in self.values.items())

    @classmethod
    def from_dict(cls, said: dict[str, Any], objective: str) -> ArmResult:
        """The inverse of `asdict`."""
        validation = Estimate.optional(said["validation"], objective)
        known = {"validation": validation, "test": estimates_of(said["test"])}
        return cls(**said | known | {"default": _default(said, objective)})


@dataclass(frozen=True)
class Agreement:
    """How far the winners of outer folds agree on a hyperparameter.

    Attributes:
        parameter: its name.
        values: of each fold's winner, in the folds' order; None: that winner has none.
        choice: of choices, the one that most of the winners have; None of numbers.
        spread: of numbers, from the smallest to the largest as a share of the declared range, on
            the scale that it is drawn on; None of choices.
    """

    parameter: str
    values: list[Any]
    choice: Any
    spread: float | None

    @property
    def short(self) -> str:
        """ "4 of 5", or "43 % of the range"."""
        if self.spread is None:
            return f"{self.values.count(self.choice)} of {len(self.values)}"
        return f"{100 * self.spread:.0f} % of the range"

    @property
    def text(self) -> str:
        """ "adam in 4 of 5 folds", or "0.01 … 0.2, 43 % of the range"."""
        if self.spread is None:
            return f"{value_text(self.choice)} in {self.short} {noun_of(len(self.values), 'fold')}"
        n, known = len(self.values), [value for value in self.values if value is not None]
        some = "" if len(known) == n else f", in {len(known)} of {count_of(n, 'fold')}"
        return f"{min(known):.4g} … {max(known):.4g}, {self.short}{some}"


@dataclass(frozen=True)
class OuterResult:
    """What the whole search is worth: run on the rows outside each outer fold, tested inside.

    The folds share rows that are learned from, which the intervals allow for.

    Attributes:
        split: the kind of outer split and its keys, as the study file has them.
        folds: what the search of each fold found, in order; `test` is of the fold's own rows.
        test: the tested scores over folds, by metric; {} where a fold has none.
        gain: of the objective there, the winners' over the defaults', fold by fold; None: the
            defaults were not run in every fold.
        agreement: how far the folds' winners agree, by searched hyperparameter.
        failure: what became of refits without a score; "" where all have one.
    """

    split: dict[str, Any]
    folds: list[ArmResult]
    test: dict[str, Estimate]
    gain: Estimate | None
    agreement: list[Agreement]
    failure: str

    @classmethod
    def from_dict(cls, said: dict[str, Any], objective: str) -> OuterResult:
        """The inverse of `asdict`."""
        return cls(
            **said
            | {
                "folds": [ArmResult.from_dict(fold, objective) for fold in said["folds"]],
                "test": estimates_of(said["test"]),
                "gain": Estimate.optional(said["gain"]),
                "agreement": [Agreement(**one) for one in said["agreement"]],
            }
        )

    def lines(self, metric: str) -> list[tuple[str, str]]:
        """What it says, by what, a line each.

        Args:
            metric: what the objective is called on the test set.
        """
        score = self.test.get(metric)
        if score is None:
            return [("outer folds", f"no {metric} for the search: {self.failure}")]
        said = f"{score}: {metric} of this search's winners on rows that the search did not see; "
        if score.method == CORRECTED:
            said += "the interval allows for the training rows that folds share; "
        found = [("outer folds", said + "the winner comes from the search on all rows")]
        if self.gain is not None:
            found.append(("outer gain", gained(self.gain, metric)))
        if self.failure:
            found.append(("outer folds", self.failure))
        agreed = "; ".join(f"{one.parameter}: {one.text}" for one in self.agreement)
        return [*found, ("agreement", agreed)] if agreed else found


@dataclass(frozen=True)
class FrontMember:
    """A configuration that no other feasible one beats in everything when run again.

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
        return cls(**said | {"values": estimates_of(said["values"])})


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
        default: the configuration of all defaults beside the winner; None: not run.
        no_default: why not; "" where it was, or nobody asked for it.
        leads: of the winner over the other confirmed configurations, and over the winners of
            other arms, that were run on the same splits and seeds.
        choice: why the winner is not the best of those confirmed; "" where it is.
        outer: what a nested search is worth; None: it is none. All else is of the search on all
            rows, but for counts, which are of all searches.
        kept_splits: why the best were confirmed on the splits of the search; "": they were not,
            or in an older run.
        shares: where the budget ended the search, how far it came and what each part took; ""
            where it did not, or in an older run.
        shortened: what of [confirmation] was run less often for the budget's sake; "": nothing.
        extent: top, seeds and test_seeds as they were run then; {} where they are the file's.
        chapters: of a run that was extended, {trials, tested} of each chapter up to this one: the
            trials that it drew, and the configurations that it chose and scored on the test set;
            [] of a run that never was.
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
    default: DefaultResult | None = None
    no_default: str = ""
    leads: list[Lead] = field(default_factory=list)
    kept_splits: str = ""
    shares: str = ""
    shortened: str = ""
    extent: dict[str, int] = field(default_factory=dict)
    choice: str = ""
    outer: OuterResult | None = None
    chapters: list[dict[str, int]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For result.json and --json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Result:
        """The inverse of `as_dict`."""
        objective, outer = said["objective"], said.get("outer")
        return cls(
            **said
            | {
                "validation": Estimate.optional(said["validation"], objective),
                "test": estimates_of(said["test"]),
                "confirmed": {
                    number: Estimate.optional(one, objective)
                    for number, one in said["confirmed"].items()
                },
                "arms": [ArmResult.from_dict(arm, objective) for arm in said["arms"]],
                "front": [FrontMember.from_dict(member) for member in said.get("front", [])],
                "default": _default(said, objective),
                "leads": [Lead.from_dict(lead) for lead in said.get("leads", [])],
                "outer": OuterResult.from_dict(outer, objective) if outer else None,
                "fidelity": [
                    one | {"text": one["text"].removeprefix(MARK)}
                    for one in said.get("fidelity", [])
                ],
            }
        )

    @property
    def default_text(self) -> str:
        """What tuning gained over the defaults, or why nobody knows; "" in older results."""
        if self.default is None:
            return self.no_default
        return self.default.verdict(self.objective, self.test_name)

    @property
    def comparisons(self) -> list[tuple[str, str]]:
        """What the winner was compared with, by what, a line each; [] in older results."""
        found = [("choice", self.choice)] if self.choice else []
        case = next((f"{a.name}: " for a in self.arms if a.best_number == self.best_number), "")
        if self.default is not None:
            default = self.default.searched.items()
            params = ", ".join(f"{name} = {value_text(value)}" for name, value in default)
            scores = [f"{self.default.validation} on validation data"]
            if (tested := self.default.test.get(self.test_name)) is not None:
                scores.append(f"{tested} on the test set")
            said = "; ".join(scores) if self.default.validation else self.default.failure
            found.append(("defaults", f"{case}{params or 'nothing was searched'}: {said}"))
        if self.default_text:
            found.append(("tuning", f"{case}{self.default_text}"))
        found += [
            ("tuning", f"{arm.name}: {arm.default.verdict(self.objective, self.test_name)}")
            for arm in self.arms
            if arm.default is not None and arm.best_number != self.best_number
        ]
        found += [("case" if one.arm else "runner-up", one.text) for one in self.leads[:1]]
        found += [("case", lead.text) for lead in self.leads[1:] if lead.arm]
        if self.shortened:
            found.append(("repeats", self.shortened))
        if self.kept_splits:
            found.append(("splits", f"confirmed on the splits of the search: {self.kept_splits}"))
        return found

    @property
    def outer_lines(self) -> list[tuple[str, str]]:
        """What a nested search is worth, by what, a line each; [] of others."""
        return self.outer.lines(self.test_name) if self.outer else []

    @property
    def intervals(self) -> str:
        """The kinds of interval among its figures, in words."""
        outer = self.outer.test if self.outer else {}
        ours = (self.validation, *self.test.values(), *outer.values())
        return "; ".join(
            dict.fromkeys(f"{e.method} over {e.over}" for e in ours if e.low is not None)
        )

    @property
    def fidelity_texts(self) -> list[str]:
        """Fidelity in words; where arms are compared, the warnings alone."""
        shown = (one for one in self.fidelity if not self.arms or one["predicts"] is False)
        return [one["text"] for one in shown]

    @property
    def warnings(self) -> list[str]:
        """What must be known before its figures are used, a sentence each without a full stop."""
        found = [f"Optimistic: {self.optimistic}"] if self.optimistic else []
        found += [f"Optimistic test scores: {self.saw_test}"] if self.saw_test else []
        found += [f"The winner violates {'; '.join(self.unmet)}"] if self.unmet else []
        found += [one["text"] for one in self.fidelity if one["predicts"] is False]
        return [*found, *self.alarms]

    @property
    def ended_text(self) -> str:
        """What ended the search or a stage's drawing, and how far it came; "" for nothing."""
        if not self.ended:
            return ""
        return f"ended early by {self.ended}" + f": {self.shares}" * bool(self.shares)

    @property
    def tried_text(self) -> str:
        """That all configurations were tried; "" where not all were."""
        if not self.arms:
            return "".join(all_tried(n) for n in self.tried.values())
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
    def tested_chapters(self) -> list[int]:
        """The chapters of an extended run that used the test set, from 1; [] of any other run."""
        return [n for n, one in enumerate(self.chapters, 1) if one["tested"]]

    @property
    def uses_text(self) -> str:
        """For what the test set was used: "2 configurations in chapters 1 and 2"."""
        tested = self.tested_chapters
        if not tested:
            return count_of(self.test_uses, "configuration")
        *others, last = map(str, tested)
        listed = f"{', '.join(others)} and {last}" if others else last
        chapters = noun_of(len(tested), "chapter")
        return f"{count_of(self.test_uses, 'configuration')} in {chapters} {listed}"

    @property
    def test_score(self) -> Estimate | None:
        """The objective on the test set."""
        return self.test.get(self.test_name)


def _default(said: dict[str, Any], objective: str) -> DefaultResult | None:
    default = said.get("default")
    return None if default is None else DefaultResult.from_dict(default, objective)


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
    done = not result.ended or _said(kept["budget"]) == _said(budget)
    return result if done else None


def _said(budget: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that are there; an older run did not have all that there are now."""
    return {key: limit for key, limit in budget.items() if limit is not None}


def write_result(
    folder: RunFolder, plan: Sequence[int], budget: Mapping[str, Any], result: Result
) -> None:
    """Keep the result, with what it is the result of."""
    content = {"plan": list(plan), "budget": dict(budget), "result": result.as_dict()}
    folder.write_sealed(folder.files.artifact(Artifact.RESULT), content)
