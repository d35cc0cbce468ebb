"""What libraries warn of: whole in each log, once in the terminal, counted at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.show import show_study
from hpsearch.console import StudyProgress, print_report
from hpsearch.records.layout import Kind
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.study_report import write_report
from hpsearch.study.events import Event, LibraryWarned
from hpsearch.study.library_warnings import library_warnings
from tests.harness.functions import WriteModule
from tests.harness.study import run
from tests.harness.study_files import ALONE

WARNS = """
    import warnings

    def train(params, data, seed):
        for epoch in range(2):
            warnings.warn("X has no feature names\\nsecond line", stacklevel=1)
            yield {"validation_accuracy": params["x"] / (1 + epoch)}
"""
TWO = "stages=[{trials=2, epochs=2}]"


@pytest.mark.filterwarnings("default")  # Python's own rule: once for a place in the code
def test_it_is_shown_once_and_counted(
    write: WriteModule, tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(ALONE.replace("TRAINER", write(WARNS)))
    events: list[Event] = []
    result = run(path, home, TWO, tell=events.append)
    assert "no feature names" not in capfd.readouterr().err
    folder = RunFolder(home / "studies/own/1")
    log = folder.files.record("trial", 0, 0).log
    told = [event for event in events if isinstance(event, LibraryWarned)]
    assert told == [LibraryWarned("UserWarning: X has no feature names", str(log))]
    with StudyProgress() as progress:
        progress.show(told[0])
    assert "UserWarning: X has no feature names" in capfd.readouterr().err

    kinds: list[Kind] = ["trial", "confirmation", "default", "test", "default-test"]
    runs = [record for kind in kinds for record in folder.read_all(kind)]
    for record in runs:
        log = folder.files.record(record.kind, record.number, record.seed_number).log
        words = " ".join(log.read_text().split())  # older plotly adds empty lines to warnings
        assert "UserWarning: X has no feature names second line" in words
    (line,) = library_warnings(folder)
    assert line == f"UserWarning: X has no feature names (in log.txt of {len(runs)} runs)"
    report = show_study("own", home=home)
    assert report.as_dict()["library_warnings"] == [line]
    print_report(report)
    assert "X has no feature names" in capfd.readouterr().out
    assert "X has no feature names" in write_report(folder, result).read_text()
