"""Training recorded trials again."""

from __future__ import annotations

from pathlib import Path

from hpsearch.audit.reproduction import TOLERANCE, Reproduction, reproduce
from hpsearch.errors import StudyFileError
from hpsearch.execution.making import make_executor
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.code_checks import program_repeats
from hpsearch.study.recorded import find_run
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.tables.execution import slots_here


def reproduce_trial(
    study: str,
    trial: int,
    *,
    home: str | Path | None = None,
    trust_code: str | Path | None = None,
    tolerance: float = TOLERANCE,
) -> Reproduction:
    """Train a trial again from its record and compare every metric and its final states.

    It is trained from its start without pauses, whatever pauses it had and whichever trials it
    trained with, in this process, or in a separate process if a worker died while training it. If
    a function or an estimator had no pause, it is trained again with some, so pauses are tested
    either way. Nothing is written.

    Args:
        study: its name, for its newest run, or "name/2" for a specific run.
        trial: its number.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        trust_code: the folder of the study's own modules and data, whose code is run; None: that
            of its file, if it was started here. An imported study needs it for everything that is
            not installed.
        tolerance: largest allowed difference of a metric, relative if the metric is above 1, if
            the trial was trained on another processor or with other packages; otherwise every bit
            is compared.

    Raises:
        StudyFileError: there is no such study or trial, its trainer no longer exists, or a limit
            stopped it.
        DataError: the data no longer exists.
    """
    run = find_run(Home.find(Path(home) if home else None), study)
    record = run.folder.read("trial", trial)
    if record is None:
        numbers = [r.number for r in run.folder.read_all("trial")]
        there = f"0 to {numbers[-1]}" if numbers else "none yet"
        raise StudyFileError(f"trial must be a trial of {run.name} ({there}), got {trial}")
    if record.limit:
        raise StudyFileError(
            f"only a trial that ended by itself can be reproduced, but {_limit(record)} stopped "
            f"trial {trial}; take another trial"
        )
    chapter = run.of_trial(trial)
    record = chapter.folder.read("trial", trial) or record
    read = chapter.read(Path(trust_code) if trust_code else None)
    return train_again(read, run.folder, record, tolerance)


def _limit(record: TrialRecord) -> str:
    gpu = record.limit == "gpu_memory"
    return "GPU memory" if gpu else f"limits.{record.limit}"


def train_again(
    read: ReadStudy, folder: RunFolder, record: TrialRecord, tolerance: float
) -> Reproduction:
    """As `reproduce_trial`, of a record that is at hand."""
    varies = program_repeats(folder).get(str(record.params["trainer"]), 0.0)
    workers = int(any(a.get("event", "lost") == "lost" for a in record.attempts))
    with make_executor(workers, slots=slots_here(read.file.execution)) as executor:
        return reproduce(read, record, executor, tolerance=tolerance, varies=varies)
