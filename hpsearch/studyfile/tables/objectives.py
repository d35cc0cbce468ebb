"""What a study file optimises, and within which limits: the schema of both."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hpsearch.studyfile.tables.base import Table

Direction = Literal["maximize", "minimize"]
EPOCHS = "epochs"


class Objective(Table):
    """What is optimised."""

    metric: str = Field(
        description="a metric the trainer reports, e.g. validation_accuracy, or one of "
        "[evaluation] passes and resources"
    )
    direction: Direction
    best_epoch: bool = Field(
        default=False,
        description="score by the best epoch instead of the last; optimistic by the selection",
    )
    rises_to: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="score by what it took until the metric was as high as this, counted in "
        "`count`; who never comes there is infeasible, by the share that is missing",
    )
    falls_to: float | None = Field(
        default=None, allow_inf_nan=False, description="the same of a metric that goes down"
    )
    count: str = Field(
        default=EPOCHS,
        description="of rises_to and falls_to: epochs, or a metric that grows while training "
        "goes on, e.g. passes/images",
    )

    @property
    def level(self) -> float | None:
        """What the metric is to come to, if its score is what that took."""
        return self.falls_to if self.rises_to is None else self.rises_to

    @property
    def name(self) -> str:
        """As tables, figures and MLflow call its values."""
        return self.metric if self.level is None else f"{self.count} to {self.target}"

    @property
    def target(self) -> str:
        """The metric with the level it is to come to."""
        text = f"{self.level:g}".replace("+", "")  # which MLflow takes in no name
        return f"{self.metric} {text}"


class Constraint(Table):
    """A limit that a metric must keep after the last epoch; who breaks it is infeasible."""

    metric: str = Field(description="as an objective's, or one of the training images")
    at_most: float | None = Field(
        default=None, allow_inf_nan=False, description="its largest feasible value"
    )
    at_least: float | None = Field(
        default=None, allow_inf_nan=False, description="its smallest; one of the two"
    )

    @property
    def name(self) -> str:
        """As Optuna, tables and messages call it."""
        if self.at_most is not None:
            return f"{self.metric} at most {self.at_most:g}"
        return f"{self.metric} at least {self.at_least:g}"
