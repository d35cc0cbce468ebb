"""The study file: its tables, each from a file of its own, and what follows from them together.

Adding a table is its file in tables/ and one line here. Reading a study file and saying what is
wrong with it is in `reading`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from pydantic import Field

from hpsearch.datasets.selection import Selection
from hpsearch.datasets.split_kinds import Split
from hpsearch.errors import Problem
from hpsearch.execution.scores import Scoring
from hpsearch.metrics import better, is_decided, is_score
from hpsearch.preparation.settings import PREFIX
from hpsearch.studyfile.arms import SHOTS
from hpsearch.studyfile.entries import trainers_of
from hpsearch.studyfile.tables.base import Facts, Name, Plain, Table
from hpsearch.studyfile.tables.budget import Budget
from hpsearch.studyfile.tables.claims import Claim
from hpsearch.studyfile.tables.comparison import Comparison
from hpsearch.studyfile.tables.confirmation import Confirmation
from hpsearch.studyfile.tables.data import Data
from hpsearch.studyfile.tables.evaluation import Evaluation
from hpsearch.studyfile.tables.execution import Execution
from hpsearch.studyfile.tables.limits import Limits
from hpsearch.studyfile.tables.objectives import Constraint, Direction, Objective
from hpsearch.studyfile.tables.outcomes import Outcomes
from hpsearch.studyfile.tables.program import ProgramTable, programs_of
from hpsearch.studyfile.tables.protocol import Protocol
from hpsearch.studyfile.tables.pruner import Pruner
from hpsearch.studyfile.tables.sampler import Sampler
from hpsearch.studyfile.tables.schedule import Retention, Schedule
from hpsearch.studyfile.tables.stages import Stage, ends
from hpsearch.studyfile.tables.start.learn_from import LearnFrom
from hpsearch.studyfile.tables.start.warm_start import WarmStart
from hpsearch.studyfile.tables.validation import Validation
from hpsearch.trainers.boosters.early_stopping import ARGUMENT as ROUNDS


class StudyFile(Table):
    """A whole study."""

    name: Name
    seed: int = Field(default=0, ge=0, lt=2**63, description="the seed for everything random")
    protocol: Protocol = Field(
        default="honest",
        description="test-every-epoch: score trials on the test set after every epoch, as many "
        "papers do, and mark these scores as optimistic; paper: the same, with all other details "
        "as in papers 000 and 001",
    )
    compare: list[str] = Field(
        default_factory=list,
        description="parameters with choices, or shots: every combination of their values gets "
        "its own search, budget and test",
    )
    objective: Objective = Field(
        description="the metric to optimize; with several objectives, the first one"
    )
    objectives: list[Objective] = Field(
        default_factory=list,
        description="several objectives instead of `objective`: the study finds their Pareto "
        "front. The first objective decides which member of the front is the winner, which is "
        "refitted and tested",
    )
    constraints: list[Constraint] = Field(
        default_factory=list,
        description="limits on metrics; trials that violate one rank after all others, ordered by "
        "the sum of their violations as fractions of the limits",
    )
    data: Data | None = Field(
        default=None,
        description="the data; leave it out if a program or a function brings its own",
    )
    program: ProgramTable | None = Field(
        default=None, description='a command to run as a trial; its trainer is "program"'
    )
    programs: dict[str, ProgramTable] = Field(
        default_factory=dict,
        description='several programs, by name; their trainers are "programs.NAME"',
    )
    network: dict[str, Plain] = Field(default_factory=dict)
    space: dict[str, Plain | dict[str, object] | list[object]]
    prepare: dict[str, Plain | dict[str, object] | list[object]] = Field(
        default_factory=dict,
        description="how a table's columns are preprocessed; values, ranges and choices as in "
        "[space]",
    )
    relations: list[str] = Field(
        default_factory=list,
        description="constraints between searched parameters that every drawn configuration "
        'satisfies, such as "beta1 < beta2" or "dropout1 + dropout2 <= 0.8"; a relation counts as '
        "satisfied in a trial that lacks one of its parameters",
    )
    stages: list[Stage] = Field(min_length=1)
    enqueue: list[dict[str, Plain]] = Field(
        default_factory=list,
        description="configurations for the first trials (of each case), in this order: values of "
        "searched parameters; those left out are drawn, or take their defaults with defaults = "
        "true",
    )
    warm_start: WarmStart | None = None
    learn_from: list[LearnFrom] = Field(
        default_factory=list,
        description="earlier studies whose trials and scores the search learns from",
    )
    sampler: Sampler = Sampler()
    pruner: Pruner | None = Field(
        default=None, description="ends trials inside a stage; default: none"
    )
    evaluation: Evaluation = Evaluation()
    validation: Validation = Validation()
    confirmation: Confirmation = Confirmation()
    budget: Budget = Budget()
    limits: Limits = Limits()
    outcomes: Outcomes = Outcomes()
    comparison: Comparison | None = None
    claims: list[Claim] = Field(default_factory=list)
    execution: Execution = Execution()
    schedule: Schedule = Schedule()
    retention: Retention | None = Field(
        default=None,
        description="which finished runs are deleted after a run by `batch` or `schedule`; left "
        "out: none",
    )

    @property
    def n_epochs(self) -> int:
        """The full training length."""
        return self.stages[-1].epochs

    @property
    def lengths(self) -> tuple[int, ...]:
        """The epoch that each stage ends after, counted over all trainings of a trial: those with
        fewer rows come first."""
        return tuple(end for _, end in ends(self.stages))

    @property
    def starts(self) -> tuple[int, ...]:
        """The epoch, so counted, that a trial drawn in each stage begins after."""
        return tuple(start for start, _ in ends(self.stages))

    @property
    def has_fewer_rows(self) -> bool:
        """Whether any stage trains on fewer rows than there are."""
        return self.stages[0].rows is not None

    @property
    def folds_as_needed(self) -> bool:
        """Whether a trial that is behind after some folds is stopped before the others."""
        return self.data is not None and self.data.split.made().as_needed

    @property
    def ends_trials(self) -> bool:
        """Whether trials are ended inside a stage, by the scores of others."""
        return self.pruner is not None or self.folds_as_needed

    @property
    def goals(self) -> list[Objective]:
        """All objectives, be it one or several."""
        return self.objectives or [self.objective]

    @property
    def doubts(self) -> list[str]:
        """What may be meant otherwise than it is written, a line each."""
        found = [goal.doubt for goal in self.goals if goal.doubt]
        found += [d for name, t in self.all_programs.items() if (d := t.fold_doubt(name))]
        return found

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Of all objectives."""
        return tuple(goal.direction for goal in self.goals)

    @property
    def metrics(self) -> list[str]:
        """What its trials are scored by, once each."""
        names = [goal.metric for goal in self.goals]
        return [*dict.fromkeys(names + [limit.metric for limit in self.constraints])]

    @property
    def scored(self) -> dict[str, str]:
        """Metrics of what is predicted, by the key that names each: "validation_roc_auc"."""
        several = {f"objectives.{i}.metric": goal.metric for i, goal in enumerate(self.objectives)}
        found = several or {"objective.metric": self.objective.metric}
        for place, limit in enumerate(self.constraints):
            found[f"constraints.{place}.metric"] = limit.metric
        for place, name in enumerate(self.evaluation.metrics):
            found[f"evaluation.metrics.{place}"] = f"validation_{name}"
        return {key: metric for key, metric in found.items() if is_score(metric)}

    @property
    def scoring(self) -> Scoring:
        """What is computed from what trainers predict."""
        positive = None if self.data is None else self.data.positive
        named = "" if positive is None else str(positive)
        metrics = tuple(dict.fromkeys(self.scored.values()))
        threshold = self.evaluation.threshold
        if not isinstance(threshold, str):
            return Scoring(metrics, named, threshold)
        tuned = next((m for m in metrics if m.startswith("validation") and is_decided(m)), "")
        goals = {goal.metric: goal.direction for goal in self.goals}
        direction = goals.get(tuned) or better(tuned) or "maximize"
        return Scoring(metrics, named, None, tuned, direction)

    @property
    def n_members(self) -> int:
        """Of one trial."""
        return self.n_splits * self.evaluation.seeds

    @property
    def n_splits(self) -> int:
        """Splits that every configuration is trained on."""
        if self.data is not None:
            return self.data.n_splits
        return max((table.folds for table in self.all_programs.values()), default=1)

    @property
    def all_programs(self) -> dict[str, ProgramTable]:
        """Its programs by trainer."""
        return programs_of(self.program, self.programs)

    @property
    def starts_anew(self) -> bool:
        """Whether promoted trials of a program are run again from the start."""
        return any(table.checkpoint is None for table in self.all_programs.values())

    @property
    def prepared(self) -> bool:
        """Whether its data is a table whose columns are prepared for its trainers."""
        return self.data is not None and self.data.prepared

    @property
    def is_tested(self) -> bool:
        """Whether there is a test set, or a command, that a winner can be scored on."""
        if self.data is not None:
            return True
        programs = self.all_programs.values()
        return bool(programs) and all(table.test is not None for table in programs)

    @property
    def fits_all_rows(self) -> bool:
        """Whether the winner is trained on the test rows too, as the model that is handed out."""
        return self.is_tested and self.confirmation.model == "all-rows"

    def selection(self, folder: Path = Path()) -> Selection:
        """The data, as it travels to the workers; paths start at `folder`."""
        if self.data is None:
            return Selection("", seed=self.seed, folds=self.n_splits)
        selection = self.data.selection(self.seed, folder)
        return replace(selection, fresh=self.confirmation.seeds if self.draws_anew else 0)

    @property
    def draws_anew(self) -> bool:
        """Whether the best are run again on fresh splits."""
        drawn = self.data is not None and self.data.split.made().drawn
        return drawn and self.confirmation.splits == "fresh"

    @property
    def outer(self) -> Split | None:
        """The split of a nested search; None: it is none."""
        table = self.validation.outer
        return None if table is None else table.made()

    @property
    def scope(self) -> tuple[list[int], dict[str, Any]]:
        """What a result is the result of: the stages' numbers of trials, and the budget."""
        return [stage.trials for stage in self.stages], self.budget.model_dump(mode="json")

    def facts(self, folder: Path = Path()) -> Facts:
        """What its tables may ask about each other.

        Args:
            folder: where paths start.
        """
        return Facts(
            seed=self.seed,
            protocol=self.protocol,
            compare=self.compare,
            enqueue=self.enqueue,
            names=[*self.space, *(PREFIX + key for key in self.prepare), *self.network],
            directions=self.directions,
            trials=[stage.trials for stage in self.stages],
            epochs=[stage.epochs for stage in self.stages],
            promoted=[stage.promoted for stage in self.stages],
            n_members=self.n_members,
            sampler=self.sampler.name,
            learns=self.sampler.learns,
            batch=self.sampler.batch,
            nested=self.outer is not None,
            rows=[stage.rows for stage in self.stages],
            pruned=self.pruner is not None,
            constrained=bool(self.constraints),
            folder=folder,
        )

    def tables(self) -> Iterator[Table]:
        """All of its tables."""
        for name in TABLES:
            yield from keyed(name, getattr(self, name)).values()

    def must_stay(self) -> dict[str, Any]:
        """The keys that must not change when a study goes on: all that no table lets change."""
        kept = self.model_dump(mode="json")
        for name, table in TABLES.items():
            free = set(table.may_change())
            if free == set(table.model_fields):
                del kept[name]
                continue
            for row in keyed(name, kept[name]).values():
                for key in free:
                    del row[key]
        return kept

    def changes_refused(self, before: StudyFile, closed: Sequence[int]) -> Iterator[Problem]:
        """What is wrong with the changes since the start before, where `must_stay` is the same.

        Args:
            closed: the stages that are over, the last one left out.
        """
        for name, table in TABLES.items():
            old, new = keyed(name, getattr(before, name)), keyed(name, getattr(self, name))
            yield from table.resume_problems(old, new, self.facts(), closed)

    @property
    def stops_early(self) -> bool:
        """Whether validation rows say when ensembles stop to grow."""
        if ROUNDS not in self.space:
            return False
        kinds = trainers_of(self.space).values()
        return any(ROUNDS in kind.hyperparameters() for kind in kinds)

    @property
    def when_tested(self) -> str:
        """When its configurations are scored on the test set, in words."""
        return (
            "after the search" if self.protocol == "honest" else "after every epoch of the search"
        )

    def optimistic(self) -> str | None:
        """Why its validation scores flatter, where they do."""
        reasons = []
        data = self.data
        few = data is not None and (data.shots is not None or SHOTS in self.compare)
        if data is not None and data.split.made().beside_shots and few:
            reasons.append("validation uses labelled images beyond the shots")
        if self.objective.best_epoch:
            reasons.append("scored by the best epoch")
        if self.stops_early:
            reasons.append(f"the rows that score it also stop the growth of trees ({ROUNDS})")
        if self.protocol != "honest":
            reasons.append("the trials' test scores are the best of all epochs on the test set")
        return "; ".join(reasons) or None


def keyed(name: str, value: Any) -> dict[str, Any]:
    """The tables under a key of the file by key path: none, one, or those of a list or by name."""
    if name in NAMED_TABLES and isinstance(value, Mapping):
        return {f"{name}.{key}": row for key, row in value.items()}
    if isinstance(value, list):
        return {f"{name}.{place}": row for place, row in enumerate(value)}
    return {} if value is None else {name: value}


def table_of(annotation: Any) -> type[Table] | None:
    """The table that a key of this type has, be it one, a list, or one that may be left out."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next(filter(None, map(table_of, get_args(annotation))), None)


# Those keys that have tables by name.
NAMED_TABLES = [
    name for name, f in StudyFile.model_fields.items() if f.annotation == dict[str, ProgramTable]
]
# The keys of the file that have tables, all but [space] and [network], which may have any keys.
TABLES: Mapping[str, type[Table]] = {
    name: table
    for name, field in StudyFile.model_fields.items()
    if (table := table_of(field.annotation)) is not None
}
