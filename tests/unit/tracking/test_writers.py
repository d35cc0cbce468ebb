"""Both writers of runs leave the same rows, and the quick one is taken where that was seen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.client import open_client
from hpsearch.tracking.writers import choice
from hpsearch.tracking.writers.base import RunEnd, RunUpdate, RunWriter
from hpsearch.tracking.writers.client_writer import ClientWriter
from hpsearch.tracking.writers.table_writer import TableWriter
from tests.harness.projection import PARENT, add, make, projector
from tests.harness.stores import new_home
from tests.harness.writers import START, check_writers, rows_of


@pytest.fixture
def by_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """No schema is known."""
    monkeypatch.setattr(choice, "KNOWN_REVISIONS", frozenset())


def writer_of(uri: str, artifacts: str) -> tuple[mlflow.MlflowClient, RunWriter, str]:
    client = open_client(uri)
    experiment = client.create_experiment("e", artifact_location=artifacts)
    return client, choice.writer_for(client, experiment), experiment


def test_rows_are_those_of_mlflow_s_own_calls(tmp_path: Path) -> None:
    tables, calls = (Home(new_home(tmp_path / name)).tracking_uri for name in ("tables", "calls"))
    rows = check_writers(tables, calls, tmp_path)
    assert len(rows["metrics"]) > 1200
    assert all(rows[table] for table in ("latest_metrics", "params", "tags", "runs", "inputs"))


def projected(folder: RunFolder, home: Path) -> dict[str, list[str]]:
    """The rows of a study's runs: some in two parts, and all sent again by another process."""
    datasets = [{"name": "d", "digest": "1", "source": "s", "profile": {}, "context": "train"}]
    folder.write_json(folder.files.parent, PARENT | {"datasets": datasets})
    paused = make(0, Outcome.PAUSED)
    first = projector(folder, home)
    add(folder, paused)
    first.catch_up()
    paused.become(Outcome.PRUNED)
    paused.ended = paused.started + 5
    add(folder, paused, make(1, Outcome.COMPLETE), make(2, Outcome.FAILED), paused)
    folder.announce({"kind": "parent"})
    first.catch_up()
    projector(folder, home).catch_up()
    return rows_of(Home(home).tracking_uri, str(home))


def test_a_study_s_rows_are_the_same_by_both_writers(
    run_folder: RunFolder, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: START / 1000)
    other = RunFolder(tmp_path / "other")
    other.artifacts.mkdir(parents=True)
    (other.artifacts / "study.toml").write_text("# A study.")
    quick = projected(run_folder, home)
    monkeypatch.setattr(choice, "KNOWN_REVISIONS", frozenset())
    assert projected(other, new_home(tmp_path / "calls")) == quick


def test_a_death_between_news_and_ends_leaves_nothing_twice(
    run_folder: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: object) -> None:
        raise OSError("the disk of the artifacts is full")

    add(run_folder, make(0, Outcome.COMPLETE), make(1, Outcome.COMPLETE))
    with monkeypatch.context() as patch:
        patch.setattr(TableWriter, "log_files", die)
        with pytest.raises(TrackingError, match="disk of the artifacts"):
            projector(run_folder, home).catch_up()
    left = rows_of(Home(home).tracking_uri)
    assert [row.count("'RUNNING'") for row in left["runs"]] == [1, 1, 1]
    projector(run_folder, home).catch_up()
    again = rows_of(Home(home).tracking_uri)
    assert [row.count("'FINISHED'") for row in again["runs"]] == [0, 1, 1]
    for table in ("metrics", "latest_metrics"):
        assert again[table] == left[table]


def test_what_one_journal_names_often_is_sent_once(
    run_folder: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, log = list[int](), TableWriter.log

    def count(writer: TableWriter, news: Sequence[RunUpdate]) -> list[str]:
        sent.append(len(news))
        return log(writer, news)

    monkeypatch.setattr(TableWriter, "log", count)
    first = projector(run_folder, home)
    first.catch_up()
    records = [make(number, Outcome.COMPLETE) for number in range(60)]
    for _ in range(2):
        add(run_folder, *records)
    first.catch_up()
    assert sent == [50, 10]


def test_the_schema_of_this_mlflow_is_known(home: Path) -> None:
    """If not: read what changed in MLflow's log_batch, then add its revision."""
    client = open_client(Home(home).tracking_uri)
    assert isinstance(choice.writer_for(client, "0"), TableWriter)
    assert choice.schema_problem(client) == ""


def test_an_unknown_schema_is_said_once(
    home: Path, by_calls: None, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_client(Home(home).tracking_uri)
    choice._say.cache_clear()
    with caplog.at_level(logging.DEBUG, logger=choice.__name__):
        for _ in range(2):
            assert isinstance(choice.writer_for(client, "0"), ClientWriter)
    assert caplog.text.count("they are written by MLflow's own calls") == 1
    assert "several times slower" in choice.schema_problem(client)


def test_a_server_is_written_to_by_calls() -> None:
    client = mlflow.MlflowClient("http://127.0.0.1:1")
    assert isinstance(choice.writer_for(client, "0"), ClientWriter)
    assert choice.schema_problem(client) == ""


def test_what_mlflow_refuses_is_refused_and_leaves_nothing(home: Path) -> None:
    client, writer, experiment = writer_of(Home(home).tracking_uri, home.as_uri())
    good = RunUpdate("", "good", START, [("loss", 1.0, START, 1)], {"p": "1"})
    (there,) = writer.log([good])
    before = rows_of(Home(home).tracking_uri)
    wrong_name = RunUpdate("", "bad", START, [("loss (%)", 1.0, START, 1)])
    with pytest.raises(MlflowException, match="Invalid value"):
        writer.log([good, wrong_name])
    with pytest.raises(MlflowException, match=r"'p' of the run .* can't be changed"):
        writer.log([good, RunUpdate(there, "good", START, params={"p": "2"})])
    assert rows_of(Home(home).tracking_uri) == before
    client.delete_run(there)
    with pytest.raises(MlflowException, match="must be active"):
        writer.log([RunUpdate(there, "good", START, tags={"a": "b"})])
    with pytest.raises(MlflowException, match="must be active"):
        writer.end([RunEnd(there, "FINISHED", START)])
    client.delete_experiment(experiment)
    with pytest.raises(MlflowException, match="must be active"):
        writer.log([good])
