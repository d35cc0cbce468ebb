"""Why trials ended badly: one line a reason, with the trials that it ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hpsearch.counts import noun_of
from hpsearch.errors import conclusion
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord

SHOWN_NUMBERS = 8  # of trials in a line
LONGEST = 300  # characters of a reason; an exception may say anything


@dataclass(frozen=True)
class Failure:
    """Trials that ended badly for one reason.

    Attributes:
        outcome: FAILED or DIVERGED.
        reason: in a line.
        numbers: of the trials, ascending.
    """

    outcome: Outcome
    reason: str
    numbers: Sequence[int]

    @property
    def text(self) -> str:
        """ "2 failed (trials 3, 7): TypeError: …"."""
        shown = [*map(str, self.numbers[:SHOWN_NUMBERS])]
        more = len(self.numbers) - len(shown)
        shown += [f"{more} more"] if more else []
        noun = noun_of(len(self.numbers), "trial")
        return f"{len(self.numbers)} {self.outcome} ({noun} {', '.join(shown)}): {self.reason}"


def reason_of(record: TrialRecord) -> str:
    """Why a trial ended badly, in a line that does not depend on its own course; "" if it did not.

    The epoch after which a trial diverged, and how far it passed a limit, stand in its record.
    """
    if record.outcome is Outcome.DIVERGED:
        return f"{record.diverged_by or 'loss'} not finite"
    if record.outcome is not Outcome.FAILED:
        return ""
    if record.limit == "gpu_memory":  # no key of [limits]
        return "ran out of GPU memory"
    if record.limit:
        return f"exceeded limits.{record.limit}"
    text = conclusion(record.reason)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def failures(records: Iterable[TrialRecord]) -> list[Failure]:
    """Each reason for which trials failed or diverged: failures first, the most frequent first."""
    numbers = defaultdict[tuple[Outcome, str], list[int]](list)
    for record in records:
        if not record.outcome.sound:
            numbers[record.outcome, reason_of(record)].append(record.number)
    found = [Failure(*key, tuple(sorted(trials))) for key, trials in numbers.items()]
    return sorted(found, key=lambda f: (f.outcome is not Outcome.FAILED, -len(f.numbers)))
