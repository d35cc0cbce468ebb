"""Batches with real studies and real stores."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import mlflow
import pytest

from hpsearch import run_batch, run_study
from hpsearch.errors import RunningError, StudyStopped
from hpsearch.records.layout import Home
from hpsearch.scheduler.batch_report import BatchReport
from hpsearch.scheduler.rounds import BatchState
from hpsearch.study.events import Event, RunReached, TrialReached
from tests.harness.batches import QUICK
from tests.harness.batches import WriteBatch as Write
from tests.harness.commands import call_here
from tests.harness.stores import new_home
from tests.harness.study import run, table
from tests.harness.study_files import TINY

TWO = f'name = "b"\n[[studies]]\nfile = "small.toml"\n{QUICK}matrix = {{ seed = [0, 1] }}\n'


class Quiet(NamedTuple):
    """What a study is to repeat."""

    path: Path
    table: dict[object, object]
    n_events: int


def outcomes(report: BatchReport) -> list[str]:
    return [row.outcome for row in report.studies]


def test_a_batch_runs_its_studies_and_the_second_time_runs_nothing(
    write_batch: Write, home: Path
) -> None:
    path = write_batch(TWO)
    seen: list[tuple[str, int, int]] = []
    report = run_batch(path, home=home, workers=0, on_study=lambda *what: seen.append(what))
    assert seen == [("small-seed0", 1, 2), ("small-seed1", 2, 2)]
    assert outcomes(report) == ["finished", "finished"]
    assert report.exit_code == 0
    assert report.line.startswith("b: 2 finished, ")
    frame = report.table()
    assert list(frame["study"]) == ["small-seed0", "small-seed1"]
    assert frame["validation"].notna().all()
    assert BatchReport.from_dict(json.loads(json.dumps(report.as_dict()))).line == report.line
    again = run_batch(path, home=home, workers=0)
    assert outcomes(again) == ["found", "found"]
    assert [row.validation for row in again.studies] == [r.validation for r in report.studies]
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    experiment = client.get_experiment_by_name("small-seed0")
    assert experiment is not None
    (parent,) = client.search_runs([experiment.experiment_id], "tags.`hpsearch.kind` = 'study'")
    assert parent.data.tags["hpsearch.batch_name"] == "b"


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize("content", ["", "{", "[]", '{"round": {"before": 1}}', '{"last": 3}'])
def test_a_damaged_round_is_set_aside_and_another_begins(
    write_batch: Write, home: Path, content: str
) -> None:
    path, lines = write_batch(TWO), list[str]()
    state = BatchState.open(Home(home), "b", path, lines.append)
    state.close()
    state.files.round.write_text(content)
    again = BatchState.open(Home(home), "b", path, lines.append)
    again.close()
    assert again.round is None
    (line,) = lines
    assert line.startswith(f"{state.files.round} must be as hpsearch wrote it, got")
    assert len([*state.files.path.glob("round.json.damaged-*")]) == 1


@pytest.mark.usefixtures("without_mlflow")
def test_fresh_runs_come_in_rounds_that_a_stop_does_not_break(
    write_batch: Write, home: Path
) -> None:
    path = write_batch(TWO.replace('name = "b"\n', 'name = "b"\n[schedule]\nfresh = true\n'))
    run_batch(path, home=home, workers=0)
    begun: list[str] = []
    report = run_batch(
        path,
        home=home,
        workers=0,
        on_study=lambda name, *_: begun.append(name),
        stop=lambda: len(begun) > 1,
    )
    assert outcomes(report) == ["finished", "stopped"]
    report = run_batch(path, home=home, workers=0)
    assert outcomes(report) == ["found", "finished"]
    for seed in (0, 1):
        runs = [p.name for p in (home / "studies" / f"small-seed{seed}").iterdir() if p.is_dir()]
        assert sorted(runs) == ["1", "2"]


@pytest.mark.usefixtures("without_mlflow")
def test_a_scheduler_that_did_not_hear_of_the_end_begins_no_second_round(
    write_batch: Write, home: Path
) -> None:
    path = write_batch(TWO.replace('name = "b"\n', 'name = "b"\n[schedule]\nfresh = true\n'))
    for occurrence, found in (("02:00", 1), ("02:00", 1), ("03:00", 2)):
        report = run_batch(path, home=home, workers=0, occurrence=occurrence)
        assert report.exit_code == 0
        assert len(list((home / "studies/small-seed0").glob("*/study.json"))) == found


@pytest.mark.usefixtures("without_mlflow")
def test_a_summary_that_a_kill_kept_back_is_sent_by_the_next_call(
    write_batch: Write, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_batch(TWO)
    sent: list[BatchReport] = []

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hpsearch.api.batch.notify", killed)
    with pytest.raises(KeyboardInterrupt):
        run_batch(path, home=home, workers=0)
    monkeypatch.setattr("hpsearch.api.batch.notify", lambda report, *_: sent.append(report))
    for _ in range(2):
        assert outcomes(run_batch(path, home=home, workers=0)) == ["found", "found"]
    (report,) = sent
    assert report.exit_code == 0


@pytest.mark.usefixtures("without_mlflow")
def test_a_failed_study_is_told_and_the_policy_says_what_follows(
    write_batch: Write, home: Path
) -> None:
    text = TWO.replace("seed = [0, 1]", "data.shots = [5000, 6]")
    report = run_batch(write_batch(text), home=home, workers=0)
    assert outcomes(report) == ["failed", "finished"]
    assert "data.shots must be at most" in report.studies[0].reason
    assert report.exit_code == 1
    stopping = text.replace('name = "b"\n', 'name = "c"\non_failure = "stop"\n')
    report = run_batch(write_batch(stopping), home=home, workers=0)
    assert outcomes(report) == ["failed", "waiting"]
    assert report.cut == "failure"


def clock(*texts: str) -> Iterator[datetime]:
    """The times of day given, and the last one for ever."""
    for text in texts:
        when = datetime.fromisoformat(f"2026-11-21T{text}").replace(tzinfo=UTC)
        yield when
    while True:
        yield when


@pytest.mark.usefixtures("without_mlflow")
def test_a_batch_outside_its_window_starts_nothing(write_batch: Write, home: Path) -> None:
    times = clock("12:00")
    text = TWO + '[schedule]\ntimezone = "UTC"\nwindow = "02:00-06:00"\n'
    path = write_batch(text)
    report = run_batch(path, home=home, workers=0, now=lambda: next(times))
    assert outcomes(report) == ["waiting", "waiting"]
    assert (report.cut, report.exit_code) == ("window", 75)
    assert not any((home / "studies").iterdir())
    report = run_batch(path, home=home, workers=0, window="", now=lambda: next(times))
    assert outcomes(report) == ["finished", "finished"]


@pytest.mark.usefixtures("without_mlflow")
def test_the_windows_end_stops_a_study_which_goes_on_later_to_the_same_table(
    write_batch: Write, home: Path, tmp_path: Path
) -> None:
    path, reached = write_batch(TWO), list[Event]()

    def now() -> datetime:
        late = any(isinstance(event, TrialReached) for event in reached)
        return datetime(2026, 11, 21, 6 if late else 5, tzinfo=UTC)

    report = run_batch(
        path, home=home, workers=0, window="02:00-06:00", on_event=reached.append, now=now
    )
    assert outcomes(report) == ["stopped", "waiting"]
    assert report.cut == "window"
    assert sum(isinstance(event, TrialReached) for event in reached) > 0
    assert not any(isinstance(event, RunReached) for event in reached)  # on fresh seeds
    run_batch(path, home=home, workers=0)
    run_batch(path, home=new_home(tmp_path / "quiet"), workers=0)
    for seed in (0, 1):
        name = f"small-seed{seed}"
        assert table(home, name) == table(tmp_path / "quiet", name)


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize(("per", "expected"), [("batch", "waiting"), ("study", "stopped")])
def test_a_budget_is_shared_or_each_studys(
    write_batch: Write, home: Path, per: str, expected: str
) -> None:
    budget = f'budget = {{ minutes = 0.0001, per = "{per}" }}\n'
    report = run_batch(write_batch(budget + TWO), home=home, workers=0)
    assert outcomes(report)[1] == expected
    assert report.exit_code == 75
    assert "budget" in report.studies[1].reason


@pytest.mark.usefixtures("without_mlflow")
def test_storage_that_is_away_is_tried_again_and_then_told(write_batch: Write, home: Path) -> None:
    warnings: list[str] = []
    text = TWO.replace('name = "b"\n', 'name = "b"\nretries = 1\nretry_seconds = 0.01\n')
    nowhere = f"sqlite:///{home}/no/such/folder/x.db"
    report = run_batch(
        write_batch(text), home=home, workers=0, storage=nowhere, warn=warnings.append
    )
    assert outcomes(report) == ["failed", "failed"]
    assert next(line for line in warnings if "retry in" in line).startswith("small-seed0: ")


def test_a_second_start_of_a_batch_is_refused(write_batch: Write, home: Path) -> None:
    path = write_batch(TWO)
    stores = Home(home)
    stores.create()
    held = BatchState.open(stores, "b", path, print)
    with pytest.raises(RunningError, match="is already running"):
        run_batch(path, home=home, workers=0)
    held.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Quiet:
    """A study that nobody stopped: its file, its table and how many events it had."""
    folder, events = tmp_path_factory.mktemp("quiet"), list[Event]()
    path = folder / "small.toml"
    path.write_text(TINY)
    run(path, folder / "home", tell=events.append)
    return Quiet(path, table(folder / "home"), len(events))


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_study_asked_to_stop_writes_what_it_has_and_goes_on(
    quiet: Quiet, home: Path, workers: int
) -> None:
    events = list[Event]()
    with pytest.raises(StudyStopped):
        run_study(
            quiet.path,
            home=home,
            workers=workers,
            on_event=events.append,
            stop=lambda: len(events) > 4,
        )
    assert len(events) < quiet.n_events
    run_study(quiet.path, home=home, workers=workers)
    assert table(home) == quiet.table


@pytest.mark.usefixtures("without_mlflow")
def test_the_command_prints_a_summary_and_an_interrupt_is_gone_on_from(
    write_batch: Write, home: Path
) -> None:
    path = write_batch(TWO.replace("epochs=2", "epochs=6000").replace("seed = [0, 1]", "seed=[0]"))
    words = ["batch", str(path), "--home", str(home), "--workers", "1"]
    command = [sys.executable, "-m", "hpsearch", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(home.glob("studies/small-seed0/1/journal.jsonl")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    (summary,) = home.glob("batches/b-*/summary.json")
    assert json.loads(summary.read_text())["counts"] == {"waiting": 1}
    assert "study 1 of 1: small-seed0" in err
    path.write_text(path.read_text().replace("epochs=6000", "epochs=2"))
    fresh = call_here(*words, "--fresh")
    assert fresh.returncode == 0, fresh.stderr
    assert "small-seed0  finished" in fresh.stdout
    assert "b: 1 finished" in fresh.stdout


@pytest.mark.usefixtures("without_mlflow")
def test_files_edited_while_a_run_is_under_way_are_the_next_run_s(
    write_batch: Write, home: Path
) -> None:
    text = f'name = "b"\n[[studies]]\nfile = "small.toml"\n{QUICK}[schedule]\nfresh = true\n'
    path = write_batch(text)
    study = path.with_name("small.toml")

    def edit(event: Event) -> None:
        study.write_text(TINY.replace("hidden = 12", "hidden = 5"))
        path.write_text(text.replace("trials=3", "trials=2"))

    first = run_batch(path, home=home, workers=0, occurrence="1", on_event=edit)
    second = run_batch(path, home=home, workers=0, occurrence="2")
    assert [row.trials for row in (*first.studies, *second.studies)] == [3, 2]
    for number, hidden in ((1, 12), (2, 5)):
        artifacts = home / f"studies/small/{number}/artifacts"
        assert f"hidden = {hidden}\n" in (artifacts / "study.toml").read_text()
