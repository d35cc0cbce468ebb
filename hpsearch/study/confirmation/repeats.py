"""What a configuration scores on fresh seeds, repeat by repeat and split by split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from hpsearch.analysis.paired import Repeats
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.goals import Goals
from hpsearch.studyfile.study_file import StudyFile


def repeat_scores(
    file: StudyFile, again: Sequence[TrialRecord], objective: str = ""
) -> tuple[list[float], list[float]]:
    """A score a repeat, and one a split of each repeat, both at the full training length.

    Args:
        again: the runs, all complete.
        objective: its name; by default the first.
    """
    name, epochs = objective or file.objective.name, file.lengths[-1]
    goals, scores, of_splits = Goals.of(file), [], []
    for record in again:
        scores.append(record.values.get(epochs, {}).get(name, record.scores[epochs]))
        by_split = defaultdict(list)
        of_members = goals.of_members(record, epochs)[name]
        for member, score in zip(record.members, of_members, strict=True):
            by_split[member.split].append(score)
        of_splits += [float(np.mean(found)) for found in by_split.values()]
    return scores, of_splits


def repeats_of(
    file: StudyFile, again: Sequence[TrialRecord], objective: str = ""
) -> Repeats | None:
    """A configuration's runs as pairs are made of them; None where there are none.

    Args:
        again: the runs, all complete.
        objective: its name; by default the first.
    """
    if not again:
        return None
    scores, of_splits = repeat_scores(file, again, objective)
    draws = [[(member.split, member.entropy) for member in record.members] for record in again]
    return Repeats(scores, of_splits, draws, again[0].digests)
