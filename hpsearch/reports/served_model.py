"""Which run of a finished study has the model that predicts new rows."""

from __future__ import annotations

from hpsearch.errors import conclusion
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord


def served(folder: RunFolder, winner: int) -> TrialRecord | None:
    """The run whose model predicts new rows: the one on all rows, or else the first refit."""
    fitted = folder.read("all-rows", winner, 1)
    whole = fitted is not None and fitted.outcome is Outcome.COMPLETE
    return fitted if whole else first_refit(folder, winner)


def model_problem(folder: RunFolder, winner: int) -> str:
    """Why the first refit is served though a model on all rows was asked for; "" if it is not."""
    fitted = folder.read("all-rows", winner, 1)
    if fitted is None or fitted.outcome.sound:
        return ""
    return f"training on all rows {fitted.outcome}: {conclusion(fitted.reason)}"


def model_failed(folder: RunFolder, winner: int) -> bool:
    """Whether training on all rows failed, so that it may be run again."""
    fitted = folder.read("all-rows", winner, 1)
    return fitted is not None and fitted.outcome is Outcome.FAILED


def first_refit(folder: RunFolder, winner: int) -> TrialRecord | None:
    """The first refit that was scored, which no test score has a say in."""
    refits = (record for record in folder.read_all("test") if record.number == winner)
    return next((record for record in refits if record.outcome is Outcome.COMPLETE), None)
