"""Artifacts of a study's parent run, and which of them is on the disk once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mlflow import MlflowClient

from hpsearch.records.layout import Home
from hpsearch.tracking.sent_files import send_files


@pytest.fixture
def client(home: Path) -> MlflowClient:
    return MlflowClient(Home(home).tracking_uri)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a study has made."""
    place = tmp_path / "made"
    (place / "figures").mkdir(parents=True)
    (place / "report.html").write_text("page")
    (place / "trials.csv").write_text("trial\n")
    (place / "figures" / "score.png").write_text("picture")
    return place


def begun(client: MlflowClient, artifacts: Path) -> tuple[str, Path]:
    """A run, and where its artifacts lie."""
    experiment = client.create_experiment("study", artifacts.as_uri())
    run_id = client.create_run(experiment).info.run_id
    return run_id, artifacts / run_id / "artifacts"


def written_anew(path: Path, text: str) -> None:
    path.with_suffix(".young").write_text(text)
    path.with_suffix(".young").replace(path)


def test_the_page_is_on_the_disk_once(client: MlflowClient, folder: Path, tmp_path: Path) -> None:
    run_id, sent = begun(client, tmp_path / "artifacts")
    for text in ("page", "another page"):  # the second time it is there already
        written_anew(folder / "report.html", text)
        for _ in range(2):
            send_files(client, run_id, folder, "report.html")
        assert (sent / "report.html").read_text() == text
        assert (sent / "report.html").samefile(folder / "report.html")
    names = {str(path.relative_to(sent)) for path in sent.rglob("*") if path.is_file()}
    assert names == {"report.html", "trials.csv", "figures/score.png"}
    assert not (sent / "trials.csv").samefile(folder / "trials.csv")
    whole = Home.size_of(folder) + Home.size_of(sent)
    assert whole == len("another page") + 2 * (len("trial\n") + len("picture"))


def test_it_is_copied_where_it_cannot_be_linked(
    client: MlflowClient, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    run_id, sent = begun(client, tmp_path / "artifacts")
    send_files(client, run_id, folder, "report.html")
    assert (sent / "report.html").read_text() == "page"
    assert not (sent / "report.html").samefile(folder / "report.html")
    assert sorted(path.name for path in sent.iterdir()) == ["figures", "report.html", "trials.csv"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_another_user_sent_is_written_anew(
    client: MlflowClient, folder: Path, tmp_path: Path
) -> None:
    """Who may write in a folder may still not set the times of another's file."""
    run_id, sent = begun(client, tmp_path / "artifacts")
    send_files(client, run_id, folder, "report.html")
    others = [sent / "trials.csv", sent / "figures" / "score.png"]
    for path in others:
        os.chown(path, 12001, -1)
    send_files(client, run_id, folder, "report.html")
    assert {path.stat().st_uid for path in others} == {0}
