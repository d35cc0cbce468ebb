"""The [evaluation] table of a study file."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from hpsearch.studyfile.tables.base import LARGEST, Table


class Evaluation(Table):
    """When and how trials are scored."""

    every: int = Field(
        default=1,
        ge=1,
        le=LARGEST,
        description="epochs between two evaluations; the last epoch of a stage is always "
        "evaluated. Raise it if scoring costs more than training",
    )
    per_class: bool = Field(
        default=False, description="record the accuracy of each class as a metric"
    )
    passes: bool = Field(
        default=False,
        description="record the forward and backward passes of mini-batches and the images "
        "trained on so far as metrics, for every trainer that can count them; needed to compare "
        "at equal cost",
    )
    resources: bool = Field(
        default=False,
        description="record the CPU time, wall-clock time and array memory of each epoch's "
        "training as metrics; measuring slows small networks, and these metrics are not "
        "reproducible",
    )
    metrics: list[str] = Field(
        default_factory=list,
        description="additional scores on the validation rows, by their names without "
        'validation_, e.g. ["roc_auc", "f1"]; the final test reports them too',
    )
    threshold: float | str | None = Field(
        default=None,
        description="the probability from which a row counts as the positive one of two classes; "
        "tune: the best threshold on the validation rows of each fold, and their mean for the "
        "test; default: the more likely class",
    )
    train_images: int | None = Field(
        default=None,
        ge=1,
        description="number of training images for train_loss and train_accuracy, evenly spaced; "
        "default: all, which can cost more than training if there are many",
    )
    seeds: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="number of seeds for each configuration; a trial's score is their mean. Raise "
        "it if the variation between seeds is larger than the differences you search for",
    )

    @field_validator("threshold", mode="before")
    @classmethod
    def _a_probability(cls, value: Any) -> Any:
        if value in (None, "tune") or (isinstance(value, float) and 0 < value < 1):
            return value
        raise ValueError('must be "tune", or a probability above 0 and below 1')
