"""What workers are told of a study file."""

from __future__ import annotations

from pathlib import Path

from hpsearch.execution.dispatch import AttemptLimits
from hpsearch.execution.scores import Scoring
from hpsearch.execution.slices import SliceSettings
from hpsearch.study.slice_settings import (
    attempt_limits,
    rungs_of,
    slice_settings,
)
from hpsearch.studyfile.reading import read_study
from hpsearch.trainers import Schedule


def test_slices_are_trained_and_evaluated_as_the_study_file_says(study_file: Path) -> None:
    read = read_study(
        study_file,
        [
            "evaluation={every=3, per_class=true, passes=true, resources=true}",
            "execution.slice_seconds=0.5",
            "pruner={name='median', rungs=[1, 5]}",
            "outcomes.ended_early='fail'",
            "constraints=[{metric='validation_loss', at_most=2.0}]",
        ],
    )
    data = read.selection
    assert slice_settings(read, data) == SliceSettings(
        data=data,
        exam="validation",
        n_epochs=8,
        seconds=0.5,
        code_folder=str(study_file.parent.resolve()),
        schedule=Schedule(3, (2, 4, 8, 1, 5)),
        per_class=True,
        passes=True,
        resources=True,
        may_end_early=False,
        decisive=("validation_accuracy", "validation_loss"),
        code=read.modules,
        scoring=Scoring(("validation_accuracy",)),
    )


def test_what_a_study_file_leaves_out_is_off(study_file: Path) -> None:
    read = read_study(study_file)
    found = slice_settings(read, read.selection)
    assert (found.per_class, found.passes, found.resources) == (False, False, False)
    assert found.may_end_early
    assert found.schedule == Schedule(1, (2, 4, 8))
    assert (read.file.lengths, rungs_of(read.file)) == ((2, 4, 8), ())


def test_attempts_are_limited_as_the_study_file_says(study_file: Path) -> None:
    read = read_study(study_file, ["outcomes={lost_attempts=5, retries=1}", "limits.seconds=9"])
    found = attempt_limits(read.file)
    assert found == AttemptLimits(read.file.limits.allowance(), 5, 1)
