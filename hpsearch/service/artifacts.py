"""The tables and figures of a finished study, in its folder of artifacts."""

from __future__ import annotations

from hpsearch.reports.confusion import write_confusion
from hpsearch.reports.figures import draw_search
from hpsearch.reports.tables import write_tables
from hpsearch.search.reading import ReadStudy
from hpsearch.search.result import Result
from hpsearch.tracking.record import RunFolder

FIGURE = "search.png"  # written last


def write_artifacts(read: ReadStudy, folder: RunFolder, result: Result) -> None:
    """Write all of them anew."""
    records = list(folder.read_all("trial"))
    write_tables(folder.artifacts, records, result)
    tests = [r for r in folder.read_all("test") if r.number == result.best_number]
    test = read.selection.dataset().test()
    if not test.regression:
        write_confusion(folder.artifacts, tests, test.labels, test.classes)
    draw_search(folder.artifacts / FIGURE, records, result)
