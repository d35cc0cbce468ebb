"""What a study file says of slices, and of trials that take too much or fail."""

from __future__ import annotations

from hpsearch.datasets.selection import Selection
from hpsearch.execution.dispatch import AttemptLimits
from hpsearch.execution.slices import SliceSettings
from hpsearch.study.goals import Goals
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.protocol import exam_of
from hpsearch.trainers import Schedule


def slice_settings(read: ReadStudy, data: Selection) -> SliceSettings:
    """The settings of slices that train trials on this data.

    Trials are evaluated as [evaluation] says, and wherever they are scored: at the stages' ends
    and at rungs.
    """
    file = read.file
    return SliceSettings(
        data=data,
        exam=exam_of(file.protocol),
        n_epochs=file.n_epochs,
        seconds=file.execution.slice_seconds,
        code_folder=str(read.path.resolve().parent),
        code=read.modules,
        schedule=Schedule(file.evaluation.every, _always(file)),
        per_class=file.evaluation.per_class,
        passes=file.evaluation.passes,
        resources=file.evaluation.resources,
        decisive=Goals.of(file).metrics,
        scoring=file.scoring,
        may_end_early=file.outcomes.ended_early == "keep",
    )


def _always(file: StudyFile) -> tuple[int, ...]:
    """Epochs of a training after which it is scored."""
    return (*(stage.epochs for stage in file.stages), *rungs_of(file))


def attempt_limits(file: StudyFile) -> AttemptLimits:
    """After what a trial is failed."""
    return AttemptLimits(
        file.limits.allowance(), file.outcomes.lost_attempts, file.outcomes.retries
    )


def rungs_of(file: StudyFile) -> tuple[int, ...]:
    """Epochs at which a pruner is asked."""
    return tuple(file.pruner.rungs) if file.pruner else ()
