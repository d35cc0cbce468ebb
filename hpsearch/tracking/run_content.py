"""What a record says in an MLflow run: its name, params, points and tags."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping

import numpy as np

from hpsearch.errors import conclusion
from hpsearch.metrics import NOT_SCORES, lower_is_better
from hpsearch.records.outcome import Outcome
from hpsearch.records.sealed import seal
from hpsearch.records.trial_record import RETESTED, TrialRecord
from hpsearch.tracking.names import stored_name

PARAM_LENGTH, TAG_LENGTH = 6000, 8000  # MLflow's limits; it would cut longer texts silently
NOTE = "mlflow.note.content"  # a tag: the description of a run or an experiment
FORM = 2  # of all of this; a run that an older version sent in another form is sent anew
STATUS = {
    Outcome.COMPLETE: "FINISHED",
    Outcome.PRUNED: "FINISHED",  # as meant: the red cross is for what went wrong
    Outcome.DIVERGED: "FAILED",
    Outcome.FAILED: "FAILED",
}


RECORD = "hpsearch.record"  # a tag with what people look at less often, as JSON
RESCORED = "hpsearch.rescored"  # a tag: the objective of a later chapter that it is scored by
RETESTS = "hpsearch.retested"  # a tag: how often a refit failed and was run again
NAME_DIGITS = 3  # of a trial's number, at least, so that names sort as numbers do
# Before the names of numbers that describe a run as a whole. MLflow has a tab and a section of
# their own for it, and draws them behind all curves.
WHOLE = "system/"


def rounded(value: float) -> float:
    """As MLflow shows it: a mean without the last bits, in which 0.96 is 0.9600000000000001."""
    return float(f"{value:.12g}")


def canonical(value: object) -> str:
    """A param's text; floats so that they read back to the same bits."""
    return repr(value) if isinstance(value, float) else str(value)


def fitting(text: str, length: int) -> str:
    """A text within MLflow's limit; one that is too long says so itself, and where the rest is."""
    if len(text) <= length:
        return text
    note = f" … (cut; all {len(text)} characters are in the artifacts)"
    return text[: length - len(note)] + note


def params_of(record: TrialRecord) -> dict[str, str]:
    """All of its hyperparameters as texts, by their names in MLflow."""
    return {stored_name(k): fitting(canonical(v), PARAM_LENGTH) for k, v in record.params.items()}


def run_name(record: TrialRecord, digits: int = NAME_DIGITS) -> str:
    """As people see it in the run table: "trial-007", "trial-012-pruned", "test-007-seed-1".

    Args:
        digits: of trials' numbers.
    """
    if record.kind == "trial":
        cut_short = record.sealed and record.outcome is not Outcome.COMPLETE
        return f"trial-{record.number:0{digits}}" + (f"-{record.outcome}" if cut_short else "")
    of_trial = record.kind in ("confirmation", "test", "all-rows")
    number = f"{record.number:0{digits}}" if of_trial else str(record.number)
    return f"{record.kind}-{number}-seed-{record.seed_number}"


def points(record: TrialRecord, after: int) -> Iterator[tuple[str, float, int, int]]:
    """(metric, value, time in ms, step) of the epochs after `after`, and the summaries."""
    for name, value, when, step in _points(record, after):
        yield name, rounded(value), when, step


def _points(record: TrialRecord, after: int) -> Iterator[tuple[str, float, int, int]]:
    history = record.mean_history()
    # The same point must get the same time in every projection, or MLflow holds it twice: times
    # are known up to the last mark, and what was trained since comes with the next one.
    clock = {record.before: record.started}
    for epoch, when in record.marks:
        clock.setdefault(int(epoch), when)
    n_epochs = record.marked
    found = np.interp(np.arange(n_epochs + 1), list(clock), list(clock.values()))
    stamps = (found * 1000).astype(int).tolist()
    scored = [epoch for epoch in record.epochs if epoch <= n_epochs]
    for name, values in history.items():
        for epoch, value in zip(scored, values, strict=False):
            if epoch > after and math.isfinite(value):
                yield name, value, stamps[epoch], epoch
    for epoch, rate in zip(scored, record.mean_learning_rates(), strict=False):
        if epoch > after and math.isfinite(rate):
            yield "learning_rate", rate, stamps[epoch], epoch
    if record.sealed:
        end = int(record.ended * 1000)
        yield f"{WHOLE}seconds_wall", record.wall_seconds, end, n_epochs
        yield f"{WHOLE}seconds_cpu", record.cpu_seconds, end, n_epochs
        if record.peak_bytes:
            yield f"{WHOLE}memory_peak_mb", round(record.peak_bytes / 1e6, 1), end, n_epochs
        yield f"{WHOLE}epochs", n_epochs - record.before, end, n_epochs
        if record.rows:
            yield f"{WHOLE}rows", record.rows[max(record.rows)], end, n_epochs
        # Only completed trials carry it, so that sorting by it never shows a failure first.
        if record.outcome is Outcome.COMPLETE and not (record.is_test or record.is_unscored):
            yield "objective", record.scores[n_epochs], end, n_epochs
            for name, value in record.values.get(n_epochs, {}).items():
                yield f"objectives/{name}", value, end, n_epochs
            missed = record.violations.get(n_epochs)
            if missed:
                yield "violation", sum(max(0.0, v) for v in missed.values()), end, n_epochs
        first = bisect_right(record.epochs, max(record.rows, default=0))  # of its last training
        for name, curve in history.items():
            values = curve[first:]
            held_out = not record.is_test and not name.startswith(NOT_SCORES)
            if held_out and values and all(map(math.isfinite, values)):
                top = min(values) if lower_is_better(name) else max(values)
                yield f"{name}.best", top, end, n_epochs
                yield f"{name}.best_epoch", record.epochs[first + values.index(top)], end, n_epochs


def record_tag(record: TrialRecord) -> str:
    """The value of the tag RECORD."""
    content = {
        "form": FORM,
        "batch": record.batch,
        "drawn_in_stage": record.stage,
        "digests": record.digests,
    }
    return fitting(json.dumps(content), TAG_LENGTH)


def has_this_form(tags: Mapping[str, str]) -> bool:
    """Whether a run with these tags says what this version says of a record."""
    try:
        content = json.loads(tags.get(RECORD, "{}"))
    except ValueError:  # somebody changed it
        return False
    return isinstance(content, dict) and content.get("form") == FORM


def changing_tags(record: TrialRecord) -> dict[str, str]:
    """Tags that may be other ones the next time the record is sent."""
    tags = {
        "hpsearch.outcome": record.outcome,
        "hpsearch.stages": str(len(record.scores)),
    }
    if record.attempts:
        tags["hpsearch.attempts"] = str(len(record.attempts) + 1)
    if retested := retests(record):
        tags[RETESTS] = retested
    if record.reason:
        tags["hpsearch.reason"] = fitting(conclusion(record.reason), TAG_LENGTH)
    if record.controls:
        tags["hpsearch.control"] = ", ".join(f"stage {n + 1}" for n in record.controls)
    if record.rescored:
        tags[RESCORED] = record.rescored
    if record.continues is not None:
        tags["hpsearch.continues"] = f"trial {record.continues}"
    if record.folds:
        tags["hpsearch.folds"] = str(record.folds)
    if record.rows:
        said = (f"{rows} after epoch {start}" for start, rows in sorted(record.rows.items()))
        tags["hpsearch.rows"] = ", ".join(said)
    if record.code:
        tags["hpsearch.own_code"] = ", ".join(record.code)
    if record.ended_early:
        tags["hpsearch.ended_early"] = f"after epoch {record.ended_early}"
    names = {name: stored_name(name) for name in record.params}
    renamed = [f"{stored} is {name}" for name, stored in names.items() if stored != name]
    if renamed:
        tags["hpsearch.names"] = fitting("; ".join(renamed), TAG_LENGTH)
    left_out = {
        name: sum(not math.isfinite(value) for value in values)
        for name, values in record.mean_history().items()
    }
    if any(left_out.values()):  # MLflow's pages break on NaN, and it stores inf as a number
        texts = (f"{name} {count} times" for name, count in left_out.items() if count)
        tags["hpsearch.not_finite"] = fitting(", ".join(texts), TAG_LENGTH)
    return tags


def retests(record: TrialRecord) -> str:
    """How often a refit failed before and was run again; "" for never."""
    n = sum(attempt.get("event") == RETESTED for attempt in record.attempts)
    return str(n) if n else ""


TRIAL_JSON = "trial.json"


def trial_text(record: TrialRecord) -> str:
    """The whole record, for the artifact trial.json."""
    return seal({**record.content(), "state_file": "", "states_digest": ""}, TRIAL_JSON).decode()
