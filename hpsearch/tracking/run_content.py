"""What a record says in an MLflow run: its name, params, points and tags."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from hpsearch.tracking.record import TrialRecord, lower_is_better

STATUS = {"complete": "FINISHED", "pruned": "KILLED", "diverged": "FAILED", "failed": "FAILED"}


def canonical(value: object) -> str:
    """A param's text; floats so that they read back to the same bits."""
    return repr(value) if isinstance(value, float) else str(value)


def run_name(record: TrialRecord) -> str:
    """As people see it in the run table."""
    again = f"-seed-{record.seed_number}" if record.kind != "trial" else ""
    return f"{record.kind}-{record.number}{again}"


def points(record: TrialRecord, after: int) -> Iterator[tuple[str, float, int, int]]:
    """(metric, value, time in ms, step) of the epochs after `after`, and the summaries."""
    history = record.mean_history()
    # The same point must get the same time in every projection, or MLflow holds it twice: times
    # are known up to the last mark, and what was trained since comes with the next one.
    epochs, times = zip([0, record.started], *record.marks, strict=True)
    n_epochs = int(epochs[-1])
    stamps = (np.interp(np.arange(n_epochs + 1), epochs, times) * 1000).astype(int).tolist()
    for name, values in history.items():
        for epoch, value in zip(record.epochs, values, strict=True):
            if after < epoch <= n_epochs:
                yield name, value, stamps[epoch], epoch
    if record.sealed:
        end = int(record.ended * 1000)
        yield "seconds/wall", record.wall_seconds, end, n_epochs
        yield "seconds/cpu", record.cpu_seconds, end, n_epochs
        yield "epochs", n_epochs, end, n_epochs
        # Only completed trials carry it, so that sorting by it never shows a failure first.
        if record.outcome == "complete" and record.kind != "test":
            yield "objective", record.scores[str(n_epochs)], end, n_epochs
        for name, values in history.items():
            scored = not name.startswith(("train", "passes/", "resources/"))
            if record.kind != "test" and scored and values:
                top = min(values) if lower_is_better(name) else max(values)
                yield f"best/{name}", top, end, n_epochs
                yield f"best/{name}_epoch", record.epochs[values.index(top)], end, n_epochs


def changing_tags(record: TrialRecord) -> dict[str, str]:
    """Tags that may be other ones the next time the record is sent."""
    tags = {
        "hpsearch.outcome": record.outcome,
        "hpsearch.stages": str(len(record.scores)),
        "hpsearch.attempts": str(len(record.attempts) + 1),
    }
    if record.reason:
        tags["hpsearch.reason"] = record.reason.strip().splitlines()[-1]
    return tags


def trial_text(record: TrialRecord) -> str:
    """The whole record, for the artifact trial.json."""
    said = json.loads(record.to_json())
    said.pop("state_file")
    return json.dumps(said)
