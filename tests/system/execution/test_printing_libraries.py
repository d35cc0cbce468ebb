"""Libraries that print, log or warn in a training function, and code that takes streams apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import run_study
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from tests.harness.functions import WriteModule
from tests.harness.study_files import ALONE

# Bars stay open while other members, of this trial and of the next, are trained.
PRINTS = """
    import faulthandler, logging, sys, warnings
    import rich
    from rich.console import Console
    from rich.progress import Progress
    from tqdm import tqdm

    def train(params, data, seed):
        faulthandler.dump_traceback()
        log = logging.getLogger(__name__)
        if not log.handlers:
            log.addHandler(logging.StreamHandler())
            log.setLevel(logging.INFO)
        rich.print("[bold]of rich[/bold]")
        Console(stderr=True).print("of a console")
        warnings.warn("of warnings")
        with Progress() as progress:
            task = progress.add_task("a bar of rich", total=2)
            for epoch in tqdm(range(2), desc="a bar of tqdm"):
                progress.update(task, advance=1)
                log.info("of logging: %s in epoch %s", params["x"], epoch)
                tqdm.write("beside the bar")
                yield {"validation_accuracy": 0.5}
        print("after the bar")
"""
SEEN = ("of rich", "of a console", "UserWarning: of warnings", "a bar of rich", "a bar of tqdm")
DETACHES = """
    import io, sys

    def train(params, data, seed):
        sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8", write_through=True)
        print("däta")
        yield {"validation_accuracy": 0.5}
        print("in the next epoch")
        yield {"validation_accuracy": 0.5}
"""


def logs_of(tmp_path: Path, home: Path, trainer: str, workers: int) -> list[str]:
    """The logs of a study's trials, all of which completed."""
    path = tmp_path / "own.toml"
    path.write_text(ALONE.replace("TRAINER", trainer))
    run_study(path, home=home, workers=workers)
    folder = RunFolder(home / "studies/own/1")
    records = list(folder.read_all("trial"))
    assert [record.outcome for record in records] == [Outcome.COMPLETE] * 2
    return [folder.files.record("trial", record.number).log.read_text() for record in records]


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.filterwarnings("default:of warnings")
@pytest.mark.parametrize("workers", [0, 1])
def test_what_libraries_print_and_log_is_in_each_trial_s_log(
    tmp_path: Path, home: Path, write: WriteModule, workers: int
) -> None:
    for log in logs_of(tmp_path, home, write(PRINTS), workers):
        assert [text for text in SEEN if text not in log] == []
        assert log.count("beside the bar") == 6  # three folds, two epochs
        # A handler holds the stream of the first trial.
        assert log.count("of logging: ") == 6


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize("workers", [0, 1])
def test_code_may_take_a_stream_apart(
    tmp_path: Path, home: Path, write: WriteModule, workers: int
) -> None:
    for log in logs_of(tmp_path, home, write(DETACHES), workers):
        assert log.count("däta") == 3
        assert log.count("in the next epoch") == 3
