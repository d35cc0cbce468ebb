"""Studies that prune at rungs."""

from __future__ import annotations

from pathlib import Path

from hpsearch.records.trial_record import TrialRecord
from tests.harness.study import records
from tests.harness.study_files import CALM

STAGES = "stages=[{trials=10, epochs=4}, {trials=6, epochs=12, controls=2}]"

MEDIAN = "pruner={name='median', rungs=[2, 6, 9], options={n_startup_trials=2}}"

# Of two objectives and a constraint (the fixture `two`).
PARETO = [
    "pruner={name='pareto', rungs=[1, 3], options={n_startup_trials=3}}",
    "sampler.batch=4",
]

OPTIONS = [*CALM, STAGES, MEDIAN]


def at_rungs(home: Path) -> list[TrialRecord]:
    """The trials that a pruner ended."""
    return [r for r in records(home) if r.outcome == "pruned" and r.reason]
