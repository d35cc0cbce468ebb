"""Trainers: what a study's `trainer` may name.

Adding one is: a module, its test, a line in the catalogue below.
"""

from __future__ import annotations

from dataclasses import dataclass

from hpsearch.hyperparameters import Hyperparameter, hyperparameters
from hpsearch.optimizers import OPTIMIZERS
from hpsearch.trainers.backprop import Backprop
from hpsearch.trainers.base import Member, Progress, Split, Trainer, TrainingData
from hpsearch.trainers.function import FunctionTrainer, load_function

__all__ = [
    "TRAINERS",
    "Member",
    "Progress",
    "Split",
    "Trainer",
    "TrainerKind",
    "TrainingData",
    "load_function",
    "trainer_kind",
]


@dataclass(frozen=True)
class TrainerKind:
    """A trainer by the name a study file gives it.

    Attributes:
        components: dataclasses whose hyperparameters it takes; the network's come on top.
        open: takes any hyperparameter (a user's function).
    """

    trainer: type[Trainer]
    components: tuple[type, ...]
    open: bool = False

    def hyperparameters(self) -> dict[str, Hyperparameter]:
        """All of its own hyperparameters by name, without the network's."""
        return {
            k: v for component in self.components for k, v in hyperparameters(component).items()
        }


TRAINERS: dict[str, TrainerKind] = {
    name: TrainerKind(Backprop, (optimizer, *Backprop.components))
    for name, optimizer in OPTIMIZERS.items()
}


def trainer_kind(name: str) -> TrainerKind | None:
    """The trainer of this name; "module:function" is a user's own; None if there is none."""
    if ":" in name:
        return TrainerKind(FunctionTrainer, (), open=True)
    return TRAINERS.get(name)
