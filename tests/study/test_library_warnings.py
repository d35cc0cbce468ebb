"""What libraries warn of: whole in each log, once in the terminal, counted at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.show import show_study
from hpsearch.console import StudyProgress, print_report
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.study_report import write_report
from hpsearch.study.events import Event, LibraryWarned
from hpsearch.study.library_warnings import library_warnings
from tests.harness.functions import WriteModule
from tests.harness.study import records, run
from tests.harness.study_files import ALONE

WARNS = """
    import warnings

    def train(params, data, seed):
        for epoch in range(2):
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.warn("X has no feature names\\nsecond line", stacklevel=1)
            yield {"validation_accuracy": params["x"] / (1 + epoch)}
"""
TWO = "stages=[{trials=2, epochs=2}]"


def test_it_is_shown_once_and_counted(
    write: WriteModule, tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(ALONE.replace("TRAINER", write(WARNS)))
    events: list[Event] = []
    result = run(path, home, TWO, tell=events.append)
    assert "no feature names" not in capfd.readouterr().err
    told = [event for event in events if isinstance(event, LibraryWarned)]
    assert told == [LibraryWarned("UserWarning: X has no feature names", 0)]
    with StudyProgress() as progress:
        progress.show(told[0])
    shown = " ".join(capfd.readouterr().err.split())
    assert "trial 0: UserWarning: X has no feature names" in shown

    folder = RunFolder(home / "studies/own/1")
    for record in records(home, "own"):
        log = folder.files.record("trial", record.number, 0).log.read_text()
        assert log.count("UserWarning: X has no feature names\nsecond line") == 2 * 3
    runs = [r for kind in ("trial", "confirmation", "default") for r in folder.read_all(kind)]
    runs += [r for kind in ("test", "default-test") for r in folder.read_all(kind)]
    times = 2 * sum(len(record.members) for record in runs)
    (line,) = library_warnings(folder)
    assert line == (
        f"UserWarning: X has no feature names ({times} times, in log.txt of {len(runs)} runs)"
    )
    report = show_study("own", home=home)
    assert report.as_dict()["library_warnings"] == [line]
    print_report(report)
    assert "X has no feature names" in capfd.readouterr().out
    assert "X has no feature names" in write_report(folder, result).read_text()
