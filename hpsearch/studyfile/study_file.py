"""The study file: its schema. Reading it and saying what is wrong with it is in `reading`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from hpsearch.datasets import DATASETS
from hpsearch.datasets.selection import Selection
from hpsearch.studyfile.tables.base import NAME, Table
from hpsearch.studyfile.tables.budget import Budget
from hpsearch.studyfile.tables.limits import Limits
from hpsearch.studyfile.tables.objectives import Constraint, Direction, Objective
from hpsearch.studyfile.tables.outcomes import Outcomes
from hpsearch.studyfile.tables.pruner import Pruner
from hpsearch.studyfile.tables.schedule import Schedule
from hpsearch.studyfile.tables.warm_start import WarmStart

LARGEST = 1_000_000  # trials or epochs; more is a slip of the keyboard
MOST_WORKERS = 1024  # processes of one machine

Plain = bool | int | float | str


Range = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)]


class HoldOut(Table):
    """One stratified split inside the training images."""

    kind: Literal["hold-out"]
    fraction: float = Field(
        default=0.2, gt=0, lt=1, description="share held out; a fifth is usual"
    )


class KFold(Table):
    """Stratified k-fold: every image is validation once."""

    kind: Literal["k-fold"]
    folds: int = Field(default=5, ge=2, description="5 balances bias against cost")


class RepeatedKFold(Table):
    """k-fold several times over with fresh folds."""

    kind: Literal["repeated-k-fold"]
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=3, ge=2, description="passes over all images as validation")


class GroupKFold(Table):
    """k-fold of a table whose groups are never on both sides, nor partly in the test set."""

    kind: Literal["group-k-fold"]
    folds: int = Field(default=5, ge=2)
    group: str = Field(description="the column of the groups, e.g. patient; it is no input")


class TimeOrdered(Table):
    """Expanding windows of a table: validation rows come after all that is trained on."""

    kind: Literal["time-ordered"]
    folds: int = Field(default=5, ge=2, description="windows; the first trains on least rows")
    order: str = Field(
        description="the column of times, numbers or dates; it is no input, and the test rows are "
        "the last in it"
    )


class Fixed(Table):
    """Index ranges [first, last) of the training file."""

    kind: Literal["fixed"]
    train: Range | None = Field(default=None, description="left out: all that is not validation")
    validation: Range


class Data(Table):
    """Which examples."""

    name: str = Field(
        description="a named data set, or the path of a CSV or Parquet file, of a folder of idx "
        "files or in CIFAR-10's binary format; paths start at the study file's folder"
    )
    target: str | None = Field(default=None, description="the column of a table to predict")
    task: Literal["classification", "regression"] | None = Field(
        default=None, description="left out: regression where the target has decimals"
    )
    test: str | None = Field(default=None, description="a table of test rows")
    test_fraction: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="share of a table's rows sealed as test set where there is no file of them; "
        "left out: a fifth",
    )
    shots: int | None = Field(
        default=None, ge=1, le=2**31, description="images a class; left out: all"
    )
    draw: Literal["random", "first"] = Field(
        default="random", description="shots at random by the seed, or the first of each class"
    )
    split: Annotated[
        HoldOut | KFold | RepeatedKFold | GroupKFold | TimeOrdered | Fixed,
        Field(discriminator="kind"),
    ] = HoldOut(kind="hold-out")

    def selection(self, seed: int, folder: Path = Path()) -> Selection:
        """The description that travels to the workers; paths start at `folder`."""
        said = self.split.model_dump(exclude_none=True)
        ranges = {k: tuple(v) for k, v in said.items() if isinstance(v, list)}
        return Selection(
            name=self.name if self.name in DATASETS else str(folder.absolute() / self.name),
            shots=self.shots,
            draw=self.draw,
            seed=seed,
            target=self.target,
            test=None if self.test is None else str(folder.absolute() / self.test),
            test_fraction=self.test_fraction,
            task=self.task,
            **(said | ranges),
        )

    @property
    def n_splits(self) -> int:
        """Splits that every configuration is trained on."""
        split = self.split
        if split.kind == "repeated-k-fold":
            return split.folds * split.repeats
        return 1 if isinstance(split, HoldOut | Fixed) else split.folds


class Stage(Table):
    """One training length and the trials that are trained to it."""

    trials: int = Field(ge=1, le=LARGEST, description="with the promoted of the stage before")
    epochs: int = Field(ge=1, le=LARGEST)
    promote: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of this stage's trials that continue from the stage before; "
        "half was best in the measurements, the rest are new draws",
    )
    controls: int = Field(
        default=0,
        ge=0,
        le=LARGEST,
        description="trials of the stage before that were not promoted and, drawn at random, are "
        "trained on all the same, on top of `trials`: they tell whether short trainings predict "
        "long ones, which the promoted alone can't. None by default, as each costs a training "
        "and new draws have scores at both lengths too",
    )


class Sampler(Table):
    """How configurations are drawn."""

    name: str = Field(
        default="coarse-to-fine",
        description="with several objectives: tpe. Or grid: every combination of choices once, "
        "in order; listed: those of "
        "[[enqueue]] and no others; brute-force: a grid in random order; "
        "random, tpe, gp, cmaes, nsga2: Optuna's; qmc: Sobol points; or a sampler of "
        "your own, package.module:Class",
    )
    proposal: Literal["gp", "model-free", "random", "uniform"] = Field(
        default="gp",
        description="how coarse-to-fine draws: gp, a Gaussian process among candidates, best in "
        "the measurements; model-free, around the best, cheapest; random, in a box around the "
        "best that is halved again and again; uniform, no narrowing at all",
    )
    batch: int = Field(
        default=4,
        ge=1,
        le=LARGEST,
        description="trials drawn together from the results so far; not the number of workers, "
        "so that the search is the same with any number",
    )
    options: dict[str, object] = Field(
        default_factory=dict, description="arguments of the sampler's constructor"
    )


class Evaluation(Table):
    """When and how closely members are scored."""

    every: int = Field(
        default=1,
        ge=1,
        le=LARGEST,
        description="epochs between two evaluations; the last epoch of a stage always ends with "
        "one. Raise it where scoring costs more than training",
    )
    per_class: bool = Field(default=False, description="the accuracy of each class as a metric")
    passes: bool = Field(
        default=False,
        description="forward and backward passes of mini-batches, and images trained on, so far "
        "as metrics, of every trainer that can count them: what a comparison at equal cost needs",
    )
    resources: bool = Field(
        default=False,
        description="CPU and wall seconds and bytes of arrays that the training of each epoch "
        "takes as metrics; measuring slows small networks, and these metrics don't repeat",
    )
    train_images: int | None = Field(
        default=None,
        ge=1,
        description="training images that train_loss and train_accuracy are measured on, at even "
        "distances; left out: all. Of many images that costs more than training",
    )
    seeds: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="seeds that each configuration is trained with, a trial's score being their "
        "mean; raise it where one seed's luck is larger than the differences searched for",
    )


class Confirmation(Table):
    """What happens when the search is over."""

    top: int = Field(
        default=3,
        ge=1,
        le=LARGEST,
        description="configurations run again on fresh seeds; with several objectives: 8, as the "
        "Pareto front is theirs",
    )
    seeds: int = Field(
        default=5, ge=2, le=LARGEST, description="fresh seeds each; the interval needs at least 2"
    )
    test_seeds: int = Field(
        default=5,
        ge=1,
        le=LARGEST,
        description="refits of the winner on training and validation data",
    )


class Comparison(Table):
    """A printed table that the trials' scores are laid beside."""

    table: str = Field(description="a CSV file, from the study file's folder, a row a cell")
    number: str = Field(default="accuracy", description="its column with the printed score")
    metric: str = Field(
        default="test_accuracy",
        description="what is laid beside it: the best of all epochs of a trial's first seed",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="hyperparameter by column, where named otherwise"
    )
    values: dict[str, dict[str, Plain]] = Field(
        default_factory=dict, description="by column, the value here of a text there"
    )


class Claim(Table):
    """Something that the trials are asked about, once the study is done."""

    text: str = Field(min_length=1, description="the claim, in a sentence")
    check: str = Field(description="a check by name, or module:function beside the study file")
    given: dict[str, object] = Field(default_factory=dict, description="the check's arguments")


class Execution(Table):
    """Where and in what portions it runs; may be changed in the middle of a study."""

    workers: int | None = Field(
        default=None,
        ge=0,
        le=MOST_WORKERS,
        description="processes; left out: one a core; 0: in this process",
    )
    executor: str | None = Field(
        default=None,
        description="a Dask cluster's scheduler, e.g. dask://host:8786; left out: this machine",
    )
    slice_seconds: float = Field(
        default=5.0, gt=0, description="seconds between two saved states of a running trial"
    )


class StudyFile(Table):
    """A whole study."""

    name: str = Field(pattern=NAME)
    seed: int = Field(default=0, ge=0, lt=2**63, description="of everything random")
    protocol: Literal["honest", "paper", "test-every-epoch"] = Field(
        default="honest",
        description="test-every-epoch: as many papers show it, labelled optimistic; paper: that, "
        "with all else as papers 000 and 001 did it",
    )
    compare: list[str] = Field(
        default_factory=list,
        description="parameters with choices, or shots: every combination of their values gets a "
        "search, a budget and a test of its own",
    )
    objective: Objective = Field(description="what is optimised; of several objectives the first")
    objectives: list[Objective] = Field(
        default_factory=list,
        description="several instead of `objective`: the study finds their Pareto front. The "
        "first one decides which member of it is the winner that is refitted and tested",
    )
    constraints: list[Constraint] = Field(
        default_factory=list,
        description="limits that metrics must keep; trials that break one rank after all that "
        "don't, by the sum of the shares of the limits by which they are missed",
    )
    data: Data
    network: dict[str, Plain] = Field(default_factory=dict)
    space: dict[str, Plain | dict[str, object]]
    stages: list[Stage] = Field(min_length=1)
    enqueue: list[dict[str, Plain]] = Field(
        default_factory=list,
        description="configurations that the first trials (of each arm) take, in this order: "
        "values of searched parameters; those left out are drawn",
    )
    warm_start: WarmStart | None = None
    sampler: Sampler = Sampler()
    pruner: Pruner | None = Field(
        default=None, description="ends trials inside a stage; left out: no trial is"
    )
    evaluation: Evaluation = Evaluation()
    confirmation: Confirmation = Confirmation()
    budget: Budget = Budget()
    limits: Limits = Limits()
    outcomes: Outcomes = Outcomes()
    comparison: Comparison | None = None
    claims: list[Claim] = Field(default_factory=list)
    execution: Execution = Execution()
    schedule: Schedule = Schedule()

    @property
    def n_epochs(self) -> int:
        """The full training length."""
        return self.stages[-1].epochs

    @property
    def goals(self) -> list[Objective]:
        """All objectives, be it one or several."""
        return self.objectives or [self.objective]

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Of all objectives."""
        return tuple(goal.direction for goal in self.goals)

    @property
    def n_members(self) -> int:
        """Of one trial."""
        return self.data.n_splits * self.evaluation.seeds

    @property
    def scope(self) -> tuple[list[int], dict[str, Any]]:
        """What a result is the result of: the stages' numbers of trials, and the budget."""
        return [stage.trials for stage in self.stages], self.budget.model_dump(mode="json")

    def optimistic(self) -> str | None:
        """Why its validation scores flatter, where they do."""
        reasons = []
        few = self.data.shots is not None or "shots" in self.compare
        if self.data.split.kind == "fixed" and few:
            reasons.append("validation uses labelled images beyond the shots")
        if self.objective.best_epoch:
            reasons.append("scored by the best epoch")
        if self.protocol != "honest":
            reasons.append("the trials' test scores are the best of all epochs on the test set")
        return "; ".join(reasons) or None
