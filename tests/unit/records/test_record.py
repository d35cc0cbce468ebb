"""The record: whole or not at all, and all of it back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np
import pytest

from hpsearch.errors import DamagedError, StorageError
from hpsearch.records import run_folder
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord, state_digest
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


def test_what_slices_use_adds_up_and_the_most_memory_is_kept() -> None:
    used = record()
    used.add_use(wall=2.0, cpu=1.5, opening=0.5, peak_bytes=300)
    used.add_use(wall=1.0, cpu=0.5, opening=0.25, peak_bytes=200)
    seconds = (used.wall_seconds, used.cpu_seconds, used.opening_seconds)
    assert (*seconds, used.peak_bytes) == (3.0, 2.0, 0.75, 300)


def test_the_seconds_of_some_folds_tell_those_of_all() -> None:
    used = record()  # two folds, of 2 epochs each
    used.add_use(wall=7.0, cpu=6.0, opening=1.0, peak_bytes=300)
    used.note_seconds(2)
    assert used.seconds == {2: 6.0}
    used.members[0].epoch = 6
    used.add_use(wall=6.0, cpu=6.0, opening=0.0, peak_bytes=300)
    used.note_seconds(6)
    assert used.seconds == {2: 6.0, 6: 18.0}  # 8 of 12 epochs took 12
    used.note_seconds(5)
    assert used.seconds[5] == 17.0  # of 17.14; what is beyond the third digit is noise


def test_an_outcome_keeps_the_reason_that_it_brings() -> None:
    ended = record()
    ended.become(Outcome.PAUSED)
    assert (ended.outcome, ended.reason, ended.sealed, ended.told) == (
        "paused",
        "",
        False,
        "paused",
    )
    ended.become(Outcome.FAILED, "no memory")
    assert (ended.outcome, ended.reason, ended.sealed, ended.told) == (
        "failed",
        "no memory",
        True,
        "failed",
    )
    ended.limit = "limits.memory"
    assert ended.told == "infeasible"
    with pytest.raises(AssertionError, match="u: failed to paused"):
        ended.become(Outcome.PAUSED)
    paused = record()
    paused.become(Outcome.PAUSED, "said before")
    paused.become(Outcome.PRUNED)
    assert paused.reason == "said before"


def test_the_history_of_one_member_is_its_own_and_a_copy() -> None:
    alone = record()
    del alone.members[1]
    history = alone.mean_history()
    assert history == {"train_loss": [0.5, 0.5], "validation_loss": [0.25, 0.25]}
    history["train_loss"].append(9.0)
    assert alone.members[0].history["train_loss"] == [0.5, 0.5]


def test_learning_rates_are_the_mean_over_members_or_none() -> None:
    rates = record()
    assert rates.mean_learning_rates() == []
    rates.members[0].learning_rates = [0.5, 0.25]
    assert rates.mean_learning_rates() == []
    rates.members[1].learning_rates = [1.5, 0.75, 9.0]
    assert rates.mean_learning_rates() == [1.0, 0.5]


def test_what_diverged_or_ended_first_is_told_of_the_record() -> None:
    first = record()
    assert (first.diverged_by, first.ended_early, first.length) == ("", 0, 0)
    first.members[1].ended_early = 4
    assert first.ended_early == 4
    first.members[0].ended_early = 2
    assert first.ended_early == 2
    first.members[0].diverged = True
    assert first.diverged_by == "loss"
    first.members[1].diverged, first.members[1].epoch = True, 1
    first.members[1].diverged_by = "validation_loss"
    assert first.diverged_by == "validation_loss"
    first.scores, first.rungs = {8: 0.5, 2: 0.25}, {4: 0.75, 2: 9.0}
    assert list(first.reported.items()) == [(2, 0.25), (4, 0.75), (8, 0.5)]
    assert first.length == 8


def test_states_that_are_not_the_records_are_damaged(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    kept = record()
    assert folder.states(kept) == [None, None]
    folder.write(kept, [b"one", b"two"])
    path = folder.files.record("trial", 3).file(kept.state_file)
    whole = path.read_bytes()
    path.write_bytes(whole + b"x")
    with pytest.raises(DamagedError, match="content that does not match the digest in its record"):
        folder.states(kept)
    path.write_bytes(whole)
    kept.states_digest = ""  # as format 1 had it
    assert folder.states(kept) == [b"one", b"two"]
    path.write_bytes(whole[:20])
    with pytest.raises(DamagedError, match="no states"):
        folder.states(kept)
    path.unlink()
    with pytest.raises(DamagedError, match="No such file"):
        folder.states(kept)


def test_files_and_log_of_a_record_are_named_once(tmp_path: Path) -> None:
    folder, kept = RunFolder(tmp_path), record()
    for text in ("one\n", "two\n"):
        folder.append_log(kept, text)
        folder.write_file(kept, "weights.npz", text.encode())
    place = folder.files.record("trial", 3)
    assert kept.files == ["log.txt", "weights.npz"]
    assert place.log.read_text() == "one\ntwo\n"
    assert place.file("weights.npz").read_bytes() == b"two\n"


def test_the_journal_and_the_slices_grow_by_lines(tmp_path: Path) -> None:
    folder, confirmed = RunFolder(tmp_path), record()
    confirmed.kind, confirmed.seed_number = "confirmation", 2
    for one in (record(), confirmed):
        folder.announce_record(one)
    lines = [json.loads(line) for line in folder.files.journal.read_text().splitlines()]
    assert lines == [
        {"kind": "trial", "number": 3, "seed": 0},
        {"kind": "confirmation", "number": 3, "seed": 2},
    ]
    folder.note_slice(None)
    assert not folder.files.slices.exists()
    folder.note_slice({"worker": 1})
    assert folder.files.slices.read_text() == '{"worker": 1}\n'


def test_a_sealed_file_that_must_be_there_is_damaged_where_it_is_not(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.read_sealed(folder.files.space, "arms") is None
    with pytest.raises(DamagedError, match="no file"):
        folder.required(folder.files.space)
    folder.write_sealed(folder.files.space, {"arms": []})
    assert folder.read_sealed(folder.files.space, "arms") == {"arms": []}
    assert folder.required(folder.files.space, "arms") == {"arms": []}
    for read in (folder.read_sealed, folder.required):
        with pytest.raises(DamagedError, match="no parameters, more"):
            read(folder.files.space, "arms", "parameters", "more")


def packed(date: tuple[int, int, int, int, int, int], weight: float = 1.0) -> bytes:
    """A state as np.savez makes it, with another date of its files, as Pythons may have it."""
    state, again = BytesIO(), BytesIO()
    np.savez(state, weights=np.full(3, weight))
    with ZipFile(state) as old, ZipFile(again, "w") as new:
        for name in old.namelist():
            new.writestr(ZipInfo(name, date), old.read(name))
    return again.getvalue()


def test_the_digest_of_a_state_is_that_of_its_arrays() -> None:
    first, second = packed((1980, 1, 1, 0, 0, 0)), packed((1981, 1, 1, 0, 0, 0))
    assert first != second
    assert state_digest(first) == state_digest(second)
    assert state_digest(first) != state_digest(packed((1980, 1, 1, 0, 0, 0), 2.0))


def test_a_digest_from_before_is_compared_with_one_of_its_kind() -> None:
    state = packed((1980, 1, 1, 0, 0, 0))
    before = hashlib.sha256(state).hexdigest()[:16]
    assert state_digest(state, like=before) == before
    assert state_digest(state, like=state_digest(state)) == state_digest(state)


def test_epochs_on_fewer_rows_are_less_work() -> None:
    member = MemberRecord(0, SeedKey(0, 0, 0, 0), epoch=7)
    record = TrialRecord("u", "trial", 0, {}, [member], {})
    assert record.work(member, 2, 5, most=100) == 3
    assert record.work(member, 5, 9, most=100) == 2
    record.rows = {2: 25, 4: 100}
    assert record.work(member, 0, 9, most=100) == 2 * 0.25 + 3
    assert record.work(member, 2, 4, most=100) == 0.5
    assert record.work(member, 4, 6, most=100) == 2
    assert (record.before, record.began_after(4), record.began_after(5)) == (2, 2, 4)
