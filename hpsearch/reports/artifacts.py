"""The tables and figures of a finished study, in its folder of artifacts."""

from __future__ import annotations

from hpsearch.analysis.answers import answer
from hpsearch.datasets.table import TableFile
from hpsearch.records.layout import Artifact
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.whole_files import storage_errors
from hpsearch.reports.arms import draw_arms, draw_predictions
from hpsearch.reports.confusion import write_confusion
from hpsearch.reports.study_report import write_report
from hpsearch.reports.table_study.card import write_card
from hpsearch.reports.table_study.groups import write_groups
from hpsearch.reports.table_study.winner import write_importance
from hpsearch.reports.tables import write_arms, write_tables
from hpsearch.study.confirmation.cases import ConfirmedCases
from hpsearch.study.stored_space import kept_arms, sees_all_rows
from hpsearch.studyfile.reading import ReadStudy


def write_artifacts(read: ReadStudy, folder: RunFolder, result: Result) -> None:
    """Write all of them anew.

    Raises:
        StorageError: the disk is full or read-only.
    """
    answer(read, folder, result, ConfirmedCases.of(read, folder, result))
    with storage_errors(folder.artifacts):
        _write(read, folder, result)


def _write(read: ReadStudy, folder: RunFolder, result: Result) -> None:
    files, every, own = folder.files, list(folder.read_all("trial")), sees_all_rows(folder)
    write_tables(files, every, result, kept_arms(folder))
    records = [record for record in every if own(record.number)]
    tests = list(folder.read_all("test"))
    dataset = None if read.selection.unknown else read.selection.dataset()
    test = None if dataset is None else dataset.test()
    if isinstance(dataset, TableFile):
        write_card(folder, dataset)
        assert test is not None
        write_importance(read.file, folder, result, test)
        write_groups(read.file, folder, result, test)
    if test is not None and not test.regression:
        winners = [r for r in tests if r.number == result.best_number]
        write_confusion(files, winners, test.labels, test.classes)
    write_report(folder, result)
    if result.arms:
        write_arms(files.artifact(Artifact.CASES), result)
        runs = [*records, *folder.read_all("confirmation"), *tests]
        draw_arms(files.artifact(Artifact.CASES_FIGURE), result, runs)
        if test is not None and not test.regression:
            draw_predictions(
                files.artifact(Artifact.PREDICTIONS_FIGURE), result, runs, test.inputs, test.labels
            )
