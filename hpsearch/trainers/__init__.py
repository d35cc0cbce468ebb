"""Trainers: what a study's `trainer` may name.

Adding one is: a module, its test, a line in the catalogue below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from hpsearch.hyperparameters import Hyperparameter, hyperparameters
from hpsearch.nn.losses import LOSS_OF_NUMBERS
from hpsearch.optimizers import OPTIMIZERS, SGD
from hpsearch.own_code import forget_changed
from hpsearch.preparation.settings import SCALED, TableNeeds, preparation_hyperparameters
from hpsearch.trainers.alternating_gradient import AlternatingGradient
from hpsearch.trainers.answers import Answers
from hpsearch.trainers.backprop import METRICS, METRICS_OF_NUMBERS, Backprop
from hpsearch.trainers.base import (
    EVERY_EPOCH,
    Fitted,
    Member,
    Progress,
    Schedule,
    Split,
    Task,
    Trainer,
    TrainingData,
)
from hpsearch.trainers.commands import Program, Purpose, is_program
from hpsearch.trainers.estimator import (
    Estimator,
    EstimatorTrainer,
    find_estimator,
    load_estimator,
)
from hpsearch.trainers.function import (
    FunctionTrainer,
    is_training_function,
    load_function,
    load_training_function,
    makes_estimator,
    takes_data,
    takes_final,
    takes_state,
)
from hpsearch.trainers.programs.program import ProgramTrainer
from hpsearch.trainers.proposal_search import ProposalSearch

__all__ = [
    "EVERY_EPOCH",
    "TRAINERS",
    "Answers",
    "Fitted",
    "Member",
    "Program",
    "Progress",
    "Purpose",
    "Schedule",
    "Split",
    "Task",
    "Trainer",
    "TrainerKind",
    "TrainingData",
    "forget_changed_code",
    "is_program",
    "is_training_function",
    "load_function",
    "load_training_function",
    "makes_estimator",
    "takes_data",
    "takes_final",
    "takes_state",
    "trainer_kind",
]


@dataclass(frozen=True)
class TrainerKind:
    """A trainer by the name a study file gives it.

    Attributes:
        components: dataclasses whose hyperparameters it takes; the network's come on top.
        arguments: hyperparameters it takes beside those of its components, by name.
        task: what it predicts; None: either.
        metrics: what it reports every epoch.
        metrics_of_numbers: what it does of numbers, of a trainer that predicts either.
        weighted: takes a weight of each row.
        open: takes any hyperparameter (a user's function); one that trains reports what it
            likes, and `metrics` are ().
        needs: what it asks of a table whose columns are prepared for it; None: it gets the table
            as it is.
        refused: names that it knows and a study must not use, with what must hold instead.
    """

    trainer: type[Trainer]
    components: tuple[type, ...]
    arguments: Mapping[str, Hyperparameter] = field(default_factory=dict)
    task: Task | None = "classification"
    metrics: tuple[str, ...] = METRICS
    metrics_of_numbers: tuple[str, ...] = ()
    weighted: bool = True
    open: bool = False
    needs: TableNeeds | None = SCALED
    refused: Mapping[str, str] = field(default_factory=dict)

    def hyperparameters(self) -> dict[str, Hyperparameter]:
        """All of its own hyperparameters by name, without the network's."""
        return {
            k: v for component in self.components for k, v in hyperparameters(component).items()
        } | dict(self.arguments)

    def of_task(self, task: Task | None) -> TrainerKind:
        """As it is where this is predicted; None: nobody knows, and it may report either's."""
        if self.task is not None or self.open:
            return self
        metrics = {"classification": self.metrics, "regression": self.metrics_of_numbers}
        either = self.metrics + self.metrics_of_numbers
        return replace(self, task=task, metrics=metrics[task] if task else either)

    def network_hyperparameters(self, network: str) -> dict[str, Hyperparameter]:
        """The hyperparameters of a network, with the values that it can train for its task.

        Raises:
            ValueError: it can't train this network at all.
        """
        described = self.trainer.network_hyperparameters(network)
        if self.task == "regression":
            described["loss"] = replace(described["loss"], judge=_loss_of_numbers)
        return described

    def of_tables(self) -> dict[str, Hyperparameter]:
        """How the columns of a table are prepared for it, by name; {} if they are not."""
        return {} if self.needs is None else preparation_hyperparameters(self.needs)


def _loss_of_numbers(value: object) -> str | None:
    rule = f"must be {LOSS_OF_NUMBERS!r} or left out where numbers are predicted"
    return None if value == LOSS_OF_NUMBERS else f"{rule}, got {value!r}"


TRAINERS: dict[str, TrainerKind] = {
    name: TrainerKind(
        Backprop,
        (optimizer, *Backprop.components),
        task=None,
        metrics_of_numbers=METRICS_OF_NUMBERS,
    )
    for name, optimizer in OPTIMIZERS.items()
} | {
    "alternating-gradient": TrainerKind(
        AlternatingGradient, (SGD, *AlternatingGradient.components), weighted=False
    ),
    "proposal-search": TrainerKind(ProposalSearch, ProposalSearch.components, weighted=False),
}


def trainer_kind(name: str) -> TrainerKind | None:
    """The trainer of this name, or None if there is none.

    "module:function" is a user's own, which trains or makes an estimator, "package.module.Class"
    a scikit-learn estimator, "program" and "programs.torch" are the tables of a study file that
    describe a program.

    Raises:
        StudyFileError: there is no such estimator.
    """
    if is_program(name):
        return TrainerKind(ProgramTrainer, (), task=None, metrics=(), open=True, needs=None)
    if makes_estimator(name):
        return replace(_kind_of(find_estimator(name)), open=True)
    if ":" in name:
        return TrainerKind(FunctionTrainer, (), task=None, metrics=(), open=True, needs=None)
    return _estimator_kind(name) if "." in name else TRAINERS.get(name)


def forget_changed_code() -> None:
    """Have modules of a user's own that changed since they were loaded run again."""
    if forget_changed():
        load_estimator.cache_clear()
        _estimator_kind.cache_clear()


@lru_cache
def _estimator_kind(path: str) -> TrainerKind:
    return _kind_of(load_estimator(path))


def _kind_of(estimator: Estimator) -> TrainerKind:
    return TrainerKind(
        EstimatorTrainer,
        estimator.components,
        arguments=estimator.hyperparameters(),
        task=estimator.task,
        metrics=estimator.metrics,
        needs=estimator.needs,
        weighted=estimator.takes_weights,
        refused=estimator.refused,
    )
