"""Studies whose results must not depend on the workers: real worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from hpsearch import reproduce_trial
from hpsearch.errors import StudyChangedError, StudyFileError, StudyLockedError, StudyStopped
from hpsearch.processes import children
from hpsearch.records.layout import Home
from hpsearch.study.events import Event, StageStarted, TrialReached
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.functions import STEADY
from tests.harness.interrupts import interrupt_after
from tests.harness.rungs import OPTIONS, at_rungs
from tests.harness.study import records, run, table
from tests.harness.study_files import ALONE, CALM

# Of all stages and outcomes some.
FEWER = "stages=[{trials=7, epochs=2}, {trials=4, epochs=4}, {trials=3, epochs=8}]"


def test_inline_one_and_two_workers_give_the_same_tables(study_file: Path, tmp_path: Path) -> None:
    homes = [tmp_path / str(workers) for workers in (0, 1, 2)]
    for workers, home in enumerate(homes):
        run(study_file, home, FEWER, workers=workers)
    assert table(homes[0]) == table(homes[1]) == table(homes[2])


def test_a_search_that_ignores_results_is_the_same_with_any_workers_and_restarts(
    study_file: Path, tmp_path: Path
) -> None:
    options = ["sampler.proposal=uniform", "sampler.batch=2", FEWER]
    for workers in (0, 2):
        run(study_file, tmp_path / str(workers), *options, workers=workers)
    stores = Home(tmp_path / "stopped")
    stores.create()
    for events_seen in (3, 8, 14):
        read = read_study(study_file, options)
        opened = open_run(read, stores, fresh=False)
        interrupt_after(Study(read, opened, stores.storage_url, 2), events_seen)
        opened.close()
    run(study_file, tmp_path / "stopped", *options)
    tables = [table(tmp_path / name) for name in ("0", "2", "stopped")]
    assert tables[0] == tables[1] == tables[2]


def test_each_study_of_a_process_trains_its_own_function(tmp_path: Path) -> None:
    for name, score in (("a", 0.25), ("b", 0.75)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "alike.py").write_text(
            "def train(params, data, seed):\n"
            f"    while True:\n        yield {{'validation_accuracy': {score}}}\n"
        )
        (tmp_path / name / "own.toml").write_text(ALONE.replace("TRAINER", "alike:train"))
    for workers in (0, 1):
        means = [
            run(tmp_path / name / "own.toml", tmp_path / name, workers=workers, fresh=True)
            for name in ("a", "b", "a")
        ]
        assert [result.validation.mean for result in means] == [0.25, 0.75, 0.25]


def own_study(folder: Path, text: str) -> Path:
    """A study of the function in a module of this text, three trials of five epochs."""
    folder.mkdir(exist_ok=True)
    module = "own_" + "".join(c if c.isalnum() else "_" for c in f"{folder}")
    (folder / f"{module}.py").write_text(textwrap.dedent(text))
    study = ALONE.replace("TRAINER", f"{module}:train").replace("trials = 2", "trials = 3")
    (folder / "own.toml").write_text(study.replace("epochs = 2", "epochs = 5"))
    return folder / "own.toml"


SLICED = "execution.slice_seconds=1e-6"


@pytest.mark.parametrize("edited", [STEADY.replace("+= rng", "-= rng"), "no Python"])
@pytest.mark.parametrize("when", [StageStarted, TrialReached])
def test_code_that_is_edited_before_a_worker_loads_it_ends_the_study_which_goes_on_later(
    when: type[Event], edited: str, tmp_path: Path
) -> None:
    path, home = own_study(tmp_path / "study", STEADY), tmp_path / "home"
    (module,) = path.parent.glob("*.py")
    before = module.read_text()
    assert textwrap.dedent(edited) != before

    def edit(event: Event) -> None:
        if isinstance(event, when) and module.read_text() == before:
            module.write_text(textwrap.dedent(edited))
            for process in children() if when is TrialReached else ():
                os.kill(process, signal.SIGKILL)

    with pytest.raises(StudyChangedError, match=f"was running: {module.name}. Restore") as error:
        run(path, home, SLICED, workers=1, tell=edit)
    assert "\n" not in str(error.value)
    assert not any(record.outcome == "failed" for record in records(home, "own"))
    if when is TrialReached:  # else nothing was trained with the old code
        with pytest.raises(StudyChangedError if "def" in edited else StudyFileError):
            run(path, home, workers=1)
    module.write_text(before)
    run(path, home, workers=1)
    run(path, tmp_path / "whole")
    assert table(home, "own") == table(tmp_path / "whole", "own")


def test_a_function_whose_state_is_whole_gives_the_same_table_with_any_workers(
    tmp_path: Path,
) -> None:
    path = own_study(tmp_path, STEADY)
    homes = [tmp_path / str(workers) for workers in (0, 1, 2)]
    for workers, home in enumerate(homes):
        run(path, home, SLICED, workers=workers)
    run(path, tmp_path / "whole")
    tables = [table(home, "own") for home in (*homes, tmp_path / "whole")]
    assert tables[0] == tables[1] == tables[2] == tables[3]
    pauses = [
        {tuple(m.pauses or ()) for r in records(h, "own") for m in r.members} for h in homes[:2]
    ]
    assert pauses == [{(1, 2, 3, 4)}, {()}]  # one worker keeps what it trains


# What it draws is in no state, and all code of a process shares the generator.
FORGETFUL = """
    import random

    def train(params, data, seed, state=None):
        random.seed(seed)
        score = state or 0.0
        while True:
            score += random.random()
            yield {"validation_accuracy": score}, score
"""


def test_a_worker_goes_on_with_what_it_trains_and_records_the_pauses_that_were(
    tmp_path: Path,
) -> None:
    path = own_study(tmp_path, FORGETFUL)
    run(path, tmp_path / "sliced", SLICED, workers=1)
    run(path, tmp_path / "whole", workers=0)
    tables = [table(tmp_path / name, "own") for name in ("sliced", "whole")]
    assert tables[0] == tables[1]
    stages = "stages=[{trials=3, epochs=3}, {trials=2, epochs=5, promote=1.0}]"
    run(path, tmp_path / "staged", SLICED, stages, workers=1)
    # Of the two that were promoted, the worker had at most one in its hands at the stage's end.
    promoted = next(
        record
        for record in records(tmp_path / "staged", "own")
        if 5 in record.scores and all(3 in (m.pauses or ()) for m in record.members)
    )
    difference = reproduce_trial("own", promoted.number, home=tmp_path / "staged").difference
    assert "; with the pauses that it had, after epoch" in difference  # these it can repeat


@pytest.mark.usefixtures("without_mlflow")
def test_a_second_start_is_refused_while_the_first_runs(study_file: Path, home: Path) -> None:
    command = [sys.executable, "-m", "hpsearch", "study", str(study_file), "--home", str(home)]
    command += ["--set", "stages.2.epochs=100000", "--workers", "1"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (home / "studies/small/lock.holder").exists():
            time.sleep(0.05)
        time.sleep(0.2)
        with pytest.raises(StudyLockedError, match=f"process {first.pid} on"):
            run(study_file, home)
    finally:
        first.kill()
        first.wait()


def test_a_deep_network_with_dropout_and_batch_norm_is_searched(
    study_file: Path, tmp_path: Path
) -> None:
    tables = []
    for workers in (0, 2):
        result = run(
            study_file,
            tmp_path / str(workers),
            FEWER,
            "network.name=multi-layer",
            "network.hidden_layers=2",
            "space.learning_rate.high=1e4",
            "space.batch_norm={choices=[true, false]}",
            "space.dropout={low=0.0, high=0.5}",
            "space.loss={choices=['softmax-cross-entropy', 'mean-squared-error']}",
            "execution.slice_seconds=0.01",
            workers=workers,
        )
        assert result.validation.mean > 0.2  # of 10 classes, 6 images each
        tables.append(table(tmp_path / str(workers)))
    assert tables[0] == tables[1]


@pytest.mark.parametrize("limit", ["epochs=100", "target=0.5", "plateau=3"])
def test_a_budget_ends_at_the_same_trial_whatever_the_workers_and_restarts(
    study_file: Path, tmp_path: Path, limit: str
) -> None:
    options = [*CALM, f"budget.{limit}", "sampler.batch=2"]
    for workers in (0, 2):
        result = run(study_file, tmp_path / str(workers), *options, workers=workers)
        assert result.ended
    stores = Home(tmp_path / "stopped")
    stores.create()
    for events_seen in (3, 9, 14):
        opened = open_run(read_study(study_file, options), stores, fresh=False)
        interrupt_after(
            Study(read_study(study_file, options), opened, stores.storage_url, 0), events_seen
        )
        opened.close()
    run(study_file, tmp_path / "stopped", *options)
    tables = [table(tmp_path / name) for name in ("0", "2", "stopped")]
    assert tables[0] == tables[1] == tables[2]


def stopped_after(study_file: Path, home: Path, questions: int, options: list[str]) -> bool:
    """Run until `stop` was asked so often; whether the study was not over before."""
    stores, asked = Home(home), 0
    stores.create()

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > questions

    read = read_study(study_file, options)
    opened = open_run(read, stores, fresh=False)
    try:
        Study(read, opened, stores.storage_url, 0, stop=stop).execute()
        return False
    except StudyStopped:
        return True
    finally:
        opened.close()


def test_the_table_is_the_same_with_any_workers_and_stops(
    study_file: Path, tmp_path: Path
) -> None:
    homes = [tmp_path / name for name in ("inline", "two", "stopped")]
    run(study_file, homes[0], *OPTIONS)
    run(study_file, homes[1], *OPTIONS, workers=2)
    sliced, stops = [*OPTIONS, "execution.slice_seconds=0.001"], 0
    while stopped_after(study_file, homes[2], 12 + 14 * stops, sliced):
        stops += 1
    assert stops >= 3
    tables = [table(home) for home in homes]
    assert tables[0] == tables[1] == tables[2]
    assert [r.reason for r in records(homes[0])] == [r.reason for r in records(homes[2])]
    assert [r.rungs for r in records(homes[0])] == [r.rungs for r in records(homes[2])]
    assert {len(r.epochs) for r in at_rungs(homes[0])} <= {2, 6, 9}
    assert at_rungs(homes[0])
    assert all(record.stage == 0 for record in records(homes[0]) if record.controls)
    assert sum(bool(record.controls) for record in records(homes[0])) == 2
