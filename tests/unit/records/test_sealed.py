"""A sealed file says when a byte of it changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import DamagedError, FormatError
from hpsearch.records.format import FORMAT
from hpsearch.records.sealed import read_sealed, seal, unseal, write_sealed

CONTENT = {"name": "a", "numbers": [1.5, float("inf")], "more": {"x": {}}}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_sealed(tmp_path / "below" / "a.json", CONTENT)
    assert read_sealed(tmp_path / "below" / "a.json") == CONTENT
    assert read_sealed(tmp_path / "none.json") is None


@pytest.mark.parametrize("content", [CONTENT, {}])
def test_no_byte_changes_without_being_seen(content: dict[str, object]) -> None:
    text = seal(content, "a")
    assert unseal(text, "a") == content
    for place in range(len(text)):
        for bit in (1, 4, 32):
            changed = bytearray(text)
            changed[place] ^= bit
            with pytest.raises((DamagedError, FormatError)):
                unseal(bytes(changed), "a")


def test_no_file_takes_anothers_place(tmp_path: Path) -> None:
    text = seal(CONTENT, tmp_path / "stages" / "0.json")
    assert unseal(text, "elsewhere/stages/0.json") == CONTENT
    with pytest.raises(DamagedError):
        unseal(text, "stages/1.json")


def test_no_cut_goes_unseen() -> None:
    text = seal(CONTENT, "a")
    for length in range(len(text)):
        with pytest.raises(DamagedError, match=r"a must hold what hpsearch wrote, got"):
            unseal(text[:length], "a")


@pytest.mark.parametrize("text", [b"[]", b"3", b"{", b"[" * 100_000, b"\xff", b""])
def test_what_is_no_table_is_damaged(text: bytes) -> None:
    with pytest.raises(DamagedError, match="doctor --repair"):
        unseal(text, "a")


def test_files_from_before_digests_are_read() -> None:
    assert unseal(b'{"format": 1, "name": "a"}', "a") == {"name": "a"}
    assert unseal(b'{"name": "a"}', "a") == {"name": "a"}
    with pytest.raises(DamagedError):
        unseal(b'{"format": 2, "name": "a"}', "a")


def test_a_newer_format_is_no_damage() -> None:
    with pytest.raises(FormatError, match=f"got {FORMAT + 1}"):
        unseal(b'{"format": %d, "name": "a"}' % (FORMAT + 1), "a")
