"""How much is confirmed and tested: as the file says, or less where a budget is to suffice for it.

A budget is for the search. Where the file leaves the numbers of [confirmation] to us, what follows
trains no longer than the search did; with budget.total_seconds it is to fit into what the search
left of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from hpsearch.datasets.selection import Pool
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.study_file import StudyFile

FEW = 3  # repeats; before there are fewer, fewer configurations are confirmed
LEAST = 2  # without a second there is no interval


class Extent(NamedTuple):
    """Numbers of [confirmation].

    Attributes:
        top: configurations that are confirmed, beside the defaults.
        seeds: repeats of each.
        test_seeds: refits of the winner and of the defaults.
    """

    top: int
    seeds: int
    test_seeds: int

    @classmethod
    def of(cls, file: StudyFile) -> Extent:
        """As the file says."""
        table = file.confirmation
        return cls(table.top, table.seeds, table.test_seeds)

    @classmethod
    def kept(cls, file: StudyFile) -> Collection[str]:
        """Those that stay: what the file names, unless it bounds the time of all; and with several
        objectives the top, which are the front."""
        named = file.confirmation.model_fields_set if file.budget.total_seconds is None else set()
        return {*named, *["top"] * (len(file.directions) > 1)}

    def less(self, kept: Collection[str] = ()) -> Iterator[Extent]:
        """This one, and ever smaller ones.

        Args:
            kept: what is not to become smaller.
        """
        now = self
        yield now
        for names, least in (
            (("seeds", "test_seeds"), FEW),
            (("top",), 1),
            (("seeds", "test_seeds"), LEAST),
        ):
            while smaller := {
                name: getattr(now, name) - 1
                for name in names
                if name not in kept and getattr(now, name) > least
            }:
                now = now._replace(**smaller)
                yield now

    def said(self, full: Extent, why: str) -> str:
        """What differs from what the file says; "" for nothing."""
        other = [name for name in self._fields if getattr(self, name) != getattr(full, name)]
        if not other:
            return ""
        now = ", ".join(f"{name} = {getattr(self, name)}" for name in other)
        before = ", ".join(str(getattr(full, name)) for name in other)
        return f"{now} instead of {before}, {why}"


@dataclass(frozen=True)
class Costs:
    """What runs of a search's best configurations take, in epochs or in seconds.

    Attributes:
        best: of a run on validation data, of each that may be confirmed, the best first.
        default: of such a run of the defaults; 0: they are not run.
        refit: a refit's share of such a run.
        model: what the model on all rows takes, in refits of the winner; 0: there is none.
    """

    best: Sequence[float]
    default: float
    refit: float
    model: float = 0.0

    @classmethod
    def in_epochs(cls, file: StudyFile, ranked: int, *, beside: bool) -> Costs:
        """Epochs of all members.

        Args:
            ranked: trials that may be confirmed.
            beside: whether the defaults are run, too.
        """
        return cls.alike(file, file.n_epochs * file.n_members, ranked, beside=beside)

    @classmethod
    def alike(cls, file: StudyFile, run: float, ranked: int, *, beside: bool) -> Costs:
        """Where each run on validation data takes the same.

        Args:
            run: what it takes.
            ranked, beside: as for `in_epochs`.
        """
        refit = file.is_tested / file.n_members
        return cls([run] * ranked, run * beside, refit, float(file.fits_all_rows))

    def of(self, extent: Extent) -> float:
        """Of confirmation and test together."""
        best = self.best[: extent.top]
        winner = max(best, default=0.0)
        runs = extent.seeds * (sum(best) + self.default)
        refits = extent.test_seeds * (winner + self.default) + self.model * winner
        return runs + self.refit * refits

    @classmethod
    def in_seconds(
        cls,
        file: StudyFile,
        best: Sequence[TrialRecord],
        every: Sequence[TrialRecord],
        *,
        beside: bool,
        rows: int,
        more_rows: float,
        at_once: float,
    ) -> Costs:
        """Seconds by the clock, by what the trials took.

        Args:
            best: the trials that may be confirmed, in order.
            every: those whose mean is expected of the defaults.
            beside: whether these are run, too.
            rows: training rows of a fold in the last stage, whose epochs are repeated.
            more_rows: the rows that refits learn from to those of the last stage.
            at_once: workers that trained these trials, a mean.
        """
        taken = [_seconds(record, file.n_epochs, rows) / at_once for record in best]
        default = fmean([_seconds(record, file.n_epochs, rows) for record in every]) / at_once
        refit = more_rows * file.is_tested / file.n_members
        model = at_once * file.fits_all_rows  # it trains alone
        return cls(taken, default * beside, refit, model)

    def within(self, limit: float, full: Extent, kept: Collection[str] = ()) -> Extent:
        """The largest extent that takes no more than this, or the least there is."""
        smaller = list(full.less(kept))
        return next((extent for extent in smaller if self.of(extent) <= limit), smaller[-1])


def _seconds(record: TrialRecord, epochs: int, rows: int) -> float:
    """What a trial takes to this length on so many rows, by what it took so far.

    The time of an epoch is taken to grow as its rows.
    """
    trained = fmean(record.work(m, 0, m.epoch, rows) for m in record.members)
    least = min(record.rows.values()) / rows if record.rows else 1.0  # an epoch of any training
    return record.wall_seconds * epochs / max(trained, least)


def more_rows(pool: Pool, rows: int | None) -> float:
    """The rows that refits learn from, as a multiple of those of a fold in a stage.

    Args:
        rows: of the stage; None: all.
    """
    trained = fmean(min(len(train), rows or len(train)) for train, _ in pool.splits)
    return len(pool.learning) / trained if trained else 1.0


def reason(file: StudyFile) -> str:
    """Why there is less than the file says, where there is."""
    if file.budget.total_seconds is not None:
        return "to end within budget.total_seconds"
    return "to train no longer than the search; a new run can set more in [confirmation]"
