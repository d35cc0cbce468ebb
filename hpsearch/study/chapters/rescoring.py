"""Scoring the records of earlier chapters by another objective, from their curves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from hpsearch.errors import Problem
from hpsearch.metrics import test_name
from hpsearch.records.layout import KINDS
from hpsearch.records.rescored import Rescored
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.study_json import read_study_json
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.goals import Goals, Measured, MissingMetric
from hpsearch.studyfile.study_file import StudyFile


def unscored(folder: RunFolder, now: StudyFile) -> Iterator[Problem]:
    """What keeps records from being scored by a file's objective, a problem at most."""
    goals, metric = Goals.of(now), now.objective.metric
    for record in _scored(folder):
        try:
            found = _measured(goals, record)
        except MissingMetric:
            known = sorted(_recorded(folder))
            rule = f"must be a metric that all records have: {', '.join(known) or 'none'}"
            yield Problem("objective.metric", rule, repr(metric))
            return
        if not all(math.isfinite(one.score) for one in found.values()):
            rule = f"must be finite in all records, which it is not in {record.kind}"
            yield Problem("objective.metric", f"{rule} {record.number}", repr(metric))
            return


def rescored(folder: RunFolder, now: StudyFile, chapter: int) -> Rescored | None:
    """What counts instead of the scores that records have; None where these are of the same.

    Args:
        folder: the run's, in which no chapter's own scores lie any more.
        chapter: the one that has this file.
    """
    objective = now.objective.model_dump(mode="json")
    before = [read_study_json(files)["file"]["objective"] for files in folder.files.chapters]
    if all(one == objective for one in before):
        return None
    goals, records = Goals.of(now), dict[str, dict[str, Any]]()
    for record in _scored(folder):
        found = _measured(goals, record)
        scores = {epochs: one.score for epochs, one in found.items()}
        violations = {epochs: one.violations for epochs, one in found.items() if one.violations}
        if (scores, violations) != (record.scores, record.violations):
            records[record.uid] = {"scores": scores, "violations": violations}
    return Rescored(chapter, now.objective.name, records) if records else None


def differs(record: TrialRecord, now: StudyFile) -> bool:
    """Whether a record's scores are not those that its curves say of a file's objective."""
    found = _measured(Goals.of(now), record)
    return any(one.score != record.scores[epochs] for epochs, one in found.items())


def _scored(folder: RunFolder) -> Iterator[TrialRecord]:
    """The records that have a score, of all kinds."""
    for kind in KINDS:
        yield from (record for record in folder.read_all(kind) if record.scores)


def _measured(goals: Goals, record: TrialRecord) -> dict[int, Measured]:
    return {epochs: goals.measured(record, epochs) for epochs in record.scores}


def _recorded(folder: RunFolder) -> set[str]:
    """The metrics that all records have, by the names that trials have them under."""
    found = [set(record.mean_history()) for record in _scored(folder) if not record.is_test]
    tested = [set(record.mean_history()) for record in _scored(folder) if record.is_test]
    names = set.intersection(*found) if found else set[str]()
    return {name for name in names if all(test_name(name) in one for one in tested)}
