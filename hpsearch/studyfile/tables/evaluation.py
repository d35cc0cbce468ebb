"""The [evaluation] table of a study file."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from hpsearch.studyfile.tables.base import LARGEST, Table


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
    metrics: list[str] = Field(
        default_factory=list,
        description="scores of the validation rows beside those that decide, by their names "
        'without validation_, e.g. ["roc_auc", "f1"]; of the test set too, when it is opened',
    )
    threshold: float | str | None = Field(
        default=None,
        description="the probability from which on a row is taken for the positive one of two "
        "classes; tune: the best for the score on the validation rows of each fold, and their "
        "mean for the test; left out: the likelier class",
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

    @field_validator("threshold", mode="before")
    @classmethod
    def _a_probability(cls, value: Any) -> Any:
        if value in (None, "tune") or (isinstance(value, float) and 0 < value < 1):
            return value
        raise ValueError('must be "tune", or a probability above 0 and below 1')
