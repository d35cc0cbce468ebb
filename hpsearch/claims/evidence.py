"""The data for checking claims, and the result of a check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hpsearch.claims.tuned_cases import TunedCases, TunedDifference
from hpsearch.metrics import lower_is_better
from hpsearch.records.trial_record import TrialRecord

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Judgement = Literal["holds", "does not hold", "depends", "not shown"]


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Attributes:
        judgement: "not shown" if the runs allow either answer.
        detail: the numbers behind it, in one line.
        figure: a figure of them, or None.
        p: for a check of a single difference, the two-sided p-value that it is 0; otherwise None.
        hint: which check answers another question that may be meant; "" for none. It is shown
            behind the detail, but is not part of the methods text.
    """

    judgement: Judgement
    detail: str
    figure: Figure | None = None
    p: float | None = None
    hint: str = ""


@dataclass(frozen=True)
class Evidence:
    """All runs of a finished study.

    Attributes:
        records: trials, runs on fresh seeds and tests.
        printed: if the study compares with a printed table: a row for each cell with its `trial`,
            and the printed number as `printed`.
        folder: the folder of the study file.
        tuned: the compared cases with their winners; None where nothing is compared.
    """

    records: Sequence[TrialRecord]
    printed: pd.DataFrame | None
    folder: Path
    tuned: TunedCases | None = None

    def tuned_difference(
        self,
        metric: str,
        of: Mapping[str, Any],
        than: Mapping[str, Any],
        where: Mapping[str, Any] | None = None,
    ) -> TunedDifference:
        """How the tuned winners of two cases differ, with the interval of the study's result.

        Args:
            metric: an objective, on validation data, or a metric of the test set.
            of, than: compared hyperparameters with their values. What is subtracted is `than`.
            where: the values of the other compared hyperparameters.

        Raises:
            ValueError: there are no such cases or metric, or the repeats are no pairs.
        """
        if self.tuned is None:
            raise ValueError("the study must compare cases, compare = [...], and compares none")
        shared = where or {}
        first, second = (self.tuned.case({**shared, **values}) for values in (of, than))
        return self.tuned.difference(first, second, metric)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row for each training: its kind, hyperparameters, last and best scores.

        Columns: kind ("trial", "confirmation", "test"), trial, seed (0 for the first), split,
        outcome, epochs, the hyperparameters, each metric after the last epoch, as "best/metric"
        the best of all epochs, and "printed" where the study has a table.
        """
        import pandas as pd  # here, as every command knows what claims are

        rows = pd.DataFrame(list(self._rows()))
        if self.printed is None:
            return rows
        known = self.printed.dropna(subset="trial").set_index("trial")["printed"]
        mine = (rows["kind"] == "trial") & (rows["seed"] == 0) & (rows["split"] == 0)
        return rows.assign(printed=rows["trial"].map(known).where(mine))

    def _rows(self) -> Iterator[dict[str, Any]]:
        for record in self.records:
            for member in record.members:
                row = _identity(record, member.entropy.repeat, member.split)
                row |= {"outcome": record.outcome, "epochs": member.epoch}
                row |= {k: v for k, v in record.params.items() if k not in row}
                for name, values in member.history.items():
                    row[name] = values[-1]
                    row[f"best/{name}"] = (min if lower_is_better(name) else max)(values)
                yield row

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row for each training and epoch: kind, trial, seed, split, epoch, all metrics."""
        import pandas as pd

        parts = [
            pd.DataFrame({"epoch": member.epochs, **member.history}).assign(
                **_identity(record, member.entropy.repeat, member.split)
            )
            for record in self.records
            for member in record.members
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _identity(record: TrialRecord, seed: int, split: int) -> dict[str, Any]:
    return {"kind": record.kind, "trial": record.number, "seed": seed, "split": split}
