"""The record: whole or not at all, and all of it back."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from hpsearch.errors import StorageError
from hpsearch.records import run_folder
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.records.whole_files import write_whole


def record(number: int = 3) -> TrialRecord:
    members = [MemberRecord(split, SeedKey(1, number, 0, split)) for split in range(2)]
    for member in members:
        row = {"train_loss": 0.5, "validation_loss": 0.25 + member.split}
        member.extend(2, [(1, row), (2, row)])
    return TrialRecord("u", "trial", number, {"x": 0.1, "kind": "a"}, members, {"data": "d"})


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write(record(), [b"one", None])
    again = folder.read("trial", 3)
    assert again is not None
    assert again.members == record().members
    assert folder.states(again) == [b"one", None]
    assert folder.read("trial", 4) is None
    assert [r.number for r in folder.read_all("trial")] == [3]


def test_a_kill_before_the_record_is_there_leaves_the_old_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, advanced = RunFolder(tmp_path), record()
    folder.write(record(), [b"one", b"two"])

    def killed(path: Path, content: bytes) -> None:
        write_whole(path, content)
        raise KeyboardInterrupt

    monkeypatch.setattr(run_folder, "write_whole", killed)
    for member in advanced.members:
        member.extend(1, [(3, {"train_loss": 0.25, "validation_loss": 0.25})])
    with pytest.raises(KeyboardInterrupt):
        folder.write(advanced, [b"three", b"four"])
    again = folder.read("trial", 3)
    assert again is not None
    assert [member.epoch for member in again.members] == [2, 2]
    assert folder.states(again) == [b"one", b"two"]


def test_a_file_is_on_the_disk_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync, replace = os.fsync, Path.replace

    def sync(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        fsync(file)

    def rename(self: Path, target: Path) -> Path:
        assert synced == [len(b"content")]
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)
    write_whole(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_sealed_record_keeps_no_state(tmp_path: Path) -> None:
    folder, sealed = RunFolder(tmp_path), record()
    folder.write(sealed, [b"one", b"two"])
    sealed.outcome = Outcome.COMPLETE
    folder.write(sealed)
    assert [p.name for p in folder.files.record("trial", 3).path.iterdir()] == ["record.json"]


def test_history_is_the_mean_over_members_of_the_epochs_that_all_reached() -> None:
    unequal = record()
    unequal.members[1].extend(1, [(3, {"train_loss": 9.0, "validation_loss": 9.0})])
    assert unequal.mean_history() == {"train_loss": [0.5, 0.5], "validation_loss": [0.75, 0.75]}


def test_a_metric_that_a_member_lacks_is_left_out() -> None:
    unequal = record()
    unequal.members[0].history["extra"] = [1.0, 2.0]
    assert "extra" not in unequal.mean_history()


def test_what_cannot_be_written_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"must be writable.*run the same command again"):
        write_whole(tmp_path / "missing" / "file", b"x")


def test_a_write_that_fails_leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "record.json").mkdir()  # what can't be replaced
    with pytest.raises(StorageError):
        write_whole(tmp_path / "record.json", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="--home or HPSEARCH_HOME"):
        Home(tmp_path / "file").create()


def test_home_is_the_named_folder_then_the_variable_then_mlruns_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HPSEARCH_HOME", raising=False)
    assert Home.find(None).path == tmp_path / "mlruns"
    monkeypatch.setenv("HPSEARCH_HOME", "elsewhere")
    assert Home.find(None).path == tmp_path / "elsewhere"
    assert Home.find(tmp_path / "named").path == tmp_path / "named"


def test_a_clock_that_is_set_back_gives_no_negative_times(monkeypatch: pytest.MonkeyPatch) -> None:
    record = TrialRecord(
        "", "trial", 0, {}, [MemberRecord(0, SeedKey(0, 0, 0, 0))], {}, started=1000.0
    )
    for epoch, clock in ((1, 1010.0), (2, 500.0), (3, 1005.0), (4, 1020.0)):
        monkeypatch.setattr("hpsearch.records.trial_record.time.time", lambda now=clock: now)
        record.members[0].epoch = epoch
        assert record.mark_progress()
    assert record.marks == [[1, 1010.0], [2, 1010.0], [3, 1010.0], [4, 1020.0]]
    monkeypatch.setattr("hpsearch.records.trial_record.time.time", lambda: 1.0)
    record.end_now()
    assert record.ended == 1020.0


def test_half_a_file_is_not_left_where_the_disk_is_full(
    tmp_path: Path, small_files: Callable[[], AbstractContextManager[None]]
) -> None:
    write_whole(tmp_path / "file", b"before")
    with small_files(), pytest.raises(StorageError, match="must be writable, got: File too large"):
        write_whole(tmp_path / "file", bytes(100_000))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"before"
