"""Whether Optuna's storage says what the records say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optuna.trial import FrozenTrial

from hpsearch.audit.difference import Difference
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.storage.refill import unequal
from hpsearch.studyfile.arms import ArmPlace

REFILL = "the Optuna study is rebuilt from the records"


def compare_optuna(
    stored: Sequence[FrozenTrial] | None,
    study: str,
    name: str,
    folder: RunFolder,
    arm: ArmPlace | None,
) -> Iterator[Difference]:
    """What differs between the records of an arm of a run and its study in Optuna.

    Args:
        stored: the trials of its study in Optuna; None: there is no such study.
        study: its name in Optuna.
        name: the run, as people see it.
        arm: None where none was kept; a run without trials, or with one arm.
    """
    space = arm.space if arm else None
    records = [r for r in folder.read_all("trial") if arm is None or arm.holds(r.number)]
    trials = {trial.number: trial for trial in stored or ()}
    remedy = REFILL if space else "run the study's file again, which fills it"
    if stored is None and records:
        problem = f"the study {study!r} must exist, is missing"
        yield Difference(
            "Optuna",
            name,
            problem,
            remedy,
            repairable=space is not None,
            kind="a study is missing",
        )
        return
    for record in records:
        trial = trials.pop(arm.local(record.number) if arm else record.number, None)
        problems = ["must exist, is missing"] if trial is None else unequal(record, trial, space)
        for problem in problems:
            subject = f"{name} trial {record.number}"
            kind = "a trial differs" if trial is not None else ""
            yield Difference(
                "Optuna", subject, problem, remedy, repairable=space is not None, kind=kind
            )
    # A trial that was asked for when the coordinator died has no record yet; it is drawn again.
    for number, trial in trials.items():
        if trial.state.is_finished():
            yield Difference(
                "Optuna",
                f"{name} trial {arm.number(number) if arm else number}",
                "must have a record, has none",
                "restore the record, or start the study's file again, which trains the trial; "
                "if Optuna's own API added the trial, a start that trains more ignores it",
                repairable=False,
            )
