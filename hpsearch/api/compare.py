"""Several studies, or runs of one, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

from hpsearch.analysis.compared_studies import (
    ComparedStudies,
    ComparedStudy,
    Difference,
    compared,
    signed_difference,
)
from hpsearch.analysis.costs import cost_of
from hpsearch.api.support.report import ui_command
from hpsearch.api.support.stores import tracking_of
from hpsearch.datasets import DATASETS
from hpsearch.datasets.selection import Selection
from hpsearch.errors import DataError, StudyFileError, TrackingError
from hpsearch.records.layout import KINDS, Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.records.whole_files import write_whole
from hpsearch.reports.compared import compared_page
from hpsearch.study.confirmation.refits import Refits
from hpsearch.study.confirmation.repeats import repeats_of
from hpsearch.study.recorded import Recorded, find_run
from hpsearch.study.run_state import run_state
from hpsearch.tracking.compared_view import ComparedPages, send_compared_view
from hpsearch.tracking.links import UI_ADDRESS


@dataclass(frozen=True)
class StudyComparison:
    """The result of `compare_studies`.

    Attributes:
        found: the studies, ranked if their scores are comparable.
        pages: the MLflow pages with all their trials; None: they are not in one store.
        ui: the command that opens the MLflow UI on them; "" for a server, which has its own.
        missing: why MLflow does not show them; "" if it does, or if it knows none of them.
    """

    found: ComparedStudies
    pages: ComparedPages | None
    ui: str
    missing: str

    @property
    def link(self) -> str:
        """The table of all their trials in the MLflow UI; "" if there is none."""
        return self._address(self.pages.trials) if self.pages else ""

    @property
    def curves(self) -> str:
        """The charts of all their trials, likewise."""
        return self._address(self.pages.curves) if self.pages else ""

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        mlflow = {"trials": self.link, "curves": self.curves, "missing": self.missing}
        return self.found.as_dict() | {"mlflow": mlflow}

    def _address(self, page: str) -> str:
        assert self.pages is not None
        server = self.pages.tracking_uri
        return f"{server.rstrip('/') if server.startswith('http') else UI_ADDRESS}/{page}"


def compare_studies(
    studies: Sequence[str],
    *,
    html: str | Path | None = None,
    home: str | Path | None = None,
    tracking_uri: str | None = None,
) -> StudyComparison:
    """Compare studies: best and test scores, cost, outcomes, differences between their files.

    They are ranked by the confirmed scores of their winners if these are comparable, i.e. have the
    same objective, rows, kind of split and protocol. Nothing is run. MLflow gets a prepared view
    of their trials.

    Args:
        studies: two or more names, each for the newest run, or "name/2" for a specific run.
        html: an HTML page to write.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        tracking_uri: the URI of the MLflow server that has them, with its password if any.

    Raises:
        StudyFileError: there is no such study, or fewer than two runs were named.
        DamagedError: a record was changed or damaged.
        StorageError: the page can't be written.
    """
    stores = Home.find(Path(home) if home else None)
    runs = [find_run(stores, name) for name in studies]
    _refuse_same(runs)
    by_name = {run.name: run for run in runs}

    def test_lead(first: ComparedStudy, other: ComparedStudy) -> Difference | None:
        return _test_lead((by_name[first.name], first), (by_name[other.name], other))

    found = compared([_compared(run) for run in runs], test_lead)
    pages, missing = None, ""
    try:
        pages = send_compared_view([run.folder for run in runs], tracking_of(stores, tracking_uri))
    except TrackingError as error:
        missing = str(error)
    uri = pages.tracking_uri if pages else ""
    comparison = StudyComparison(found, pages, ui_command(stores, uri) if uri else "", missing)
    if html is not None:
        write_whole(Path(html), compared_page(found).encode())
    return comparison


def _refuse_same(runs: Sequence[Recorded]) -> None:
    names = [run.name for run in runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is None and len(names) > 1:
        return
    got = f"{twice!r} twice" if twice else " ".join(map(repr, names)) or "none"
    raise StudyFileError(
        f"compare needs two or more different runs, got {got}: name studies, or runs of one study "
        "as in quickstart quickstart/1, which compares the newest run with the first"
    )


def _compared(run: Recorded) -> ComparedStudy:
    trials = list(run.folder.read_all("trial"))
    found, result = run_state(run, trials, run.holder()), run.result()
    again = [r for kind in KINDS if kind != "trial" for r in run.folder.read_all(kind)]
    mine = [] if result is None else _runs_of(again, "confirmation", result.best_number)
    return ComparedStudy(
        name=run.name,
        file=run.file,
        state=found.state,
        protocol=run.protocol,
        counts={str(outcome): n for outcome, n in found.counts.items() if n},
        cost=cost_of([*trials, *again], run.folder.read_slices()),
        result=result,
        repeats=repeats_of(run.file, mine),
        searched=found.best.score if found.best else None,
    )


def _runs_of(records: Sequence[TrialRecord], kind: str, number: int) -> list[TrialRecord]:
    """The runs of a configuration that ended well, in their order."""
    return [
        record
        for record in records
        if record.kind == kind and record.number == number and record.outcome is Outcome.COMPLETE
    ]


def _test_lead(
    mine: tuple[Recorded, ComparedStudy], theirs: tuple[Recorded, ComparedStudy]
) -> Difference | None:
    """By how much one study's winner is better than another's on the same test rows; None where
    one is not tested, or on other rows."""
    (_, first), (_, other) = mine, theirs
    if first.test is None or other.test is None:
        return None
    refits, others = _refits(*mine), _refits(*theirs)
    known = [[record.digests for record in some.records] for some in (refits, others)]
    if not all(known) or known[0][0] != known[1][0]:
        return None
    assert first.result is not None
    sign = 1.0 if first.file.objective.direction == "maximize" else -1.0
    metric, reason = first.result.test_name, ""
    counts = [len(some.records) for some in (refits, others)]
    seeds = [[m.entropy for r in some.records for m in r.members] for some in (refits, others)]
    if first.file.seed != other.file.seed:
        reason = f"seed = {first.file.seed} and {other.file.seed}"
    elif counts[0] != counts[1]:
        reason = f"confirmation.test_seeds = {counts[0]} and {counts[1]}"
    elif seeds[0] != seeds[1]:
        reason = "their refits have different seeds"
    try:
        lead = None if reason else refits.lead(others)
    except DataError:
        lead, reason = None, "the test rows are not available"
    if lead is not None and not lead.rows and first.test.rows:
        lead, reason = None, "the test rows are not available"
    if lead is None:
        lead = signed_difference(first.test, other.test, sign)
        reason = reason or "a refit has no score"
    return Difference(other.name, metric, lead, reason)


def _refits(run: Recorded, study: ComparedStudy) -> Refits:
    """The refits of a study's winner."""
    assert study.result is not None
    number = study.result.best_number
    records = _runs_of(list(run.folder.read_all("test")), "test", number)
    return Refits(run.file, _selection(run), run.folder, "test", number, records, run.protocol)


def _selection(run: Recorded) -> Selection:
    """The data, for the labels of its test rows; of an imported run none but a named data set."""
    data, folder = run.file.data, run.folder_of_file
    if data is None or (folder is None and data.name not in DATASETS):
        return Selection("")
    return replaced(run.file.selection(folder or Path()), fresh=0)
