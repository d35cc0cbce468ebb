"""The idx reader: the format byte by byte, and files that are damaged."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets.idx import read_idx
from hpsearch.errors import DataError

HEADER = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])  # uint8, 2 x 3
WHOLE = HEADER + bytes([1, 2, 3, 4, 5, 255])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numbers"


def test_reads_a_plain_file(path: Path) -> None:
    path.write_bytes(WHOLE)
    array = read_idx(path)
    assert array.dtype == np.uint8
    assert array.tolist() == [[1, 2, 3], [4, 5, 255]]


def test_reads_a_gzipped_file_whatever_its_name(path: Path) -> None:
    path.write_bytes(gzip.compress(WHOLE))
    assert read_idx(path).tolist() == [[1, 2, 3], [4, 5, 255]]


@pytest.mark.parametrize(
    ("code", "data", "value"),
    [
        (0x09, "ff", -1),
        (0x0B, "fffe", -2),
        (0x0C, "00010000", 65536),
        (0x0D, "3fc00000", 1.5),
        (0x0E, "3ff8000000000000", 1.5),
    ],
)
def test_reads_numbers_of_every_type_big_endian(
    code: int, data: str, value: float, path: Path
) -> None:
    path.write_bytes(bytes([0, 0, code, 1, 0, 0, 0, 1]) + bytes.fromhex(data))
    assert read_idx(path).tolist() == [value]


@pytest.mark.parametrize(
    "raw",
    [b"", b"\0\0\x08", b"\x89PNG\r\n", b"\0\0\x07\x01\0\0\0\x01x", b"\x01\0\x08\x01\0\0\0\x01x"],
    ids=["empty", "three-bytes", "png", "unknown-type", "no-zeros"],
)
def test_a_file_of_another_format_is_refused(raw: bytes, path: Path) -> None:
    path.write_bytes(raw)
    with pytest.raises(DataError, match="numbers must be an idx file, got the first bytes"):
        read_idx(path)


@pytest.mark.parametrize("raw", [WHOLE[:-1], WHOLE + b"x", HEADER], ids=["short", "long", "none"])
def test_data_of_another_length_than_the_header_says_is_refused(raw: bytes, path: Path) -> None:
    path.write_bytes(raw)
    got = len(raw) - len(HEADER)
    with pytest.raises(DataError, match=f"must hold 6 bytes of data by its header, got {got}:"):
        read_idx(path)


def test_a_header_cut_short_is_refused(path: Path) -> None:
    path.write_bytes(HEADER[:7])
    with pytest.raises(DataError, match="of data by its header"):
        read_idx(path)


def test_a_header_of_absurd_size_is_refused(path: Path) -> None:
    path.write_bytes(bytes([0, 0, 8, 4]) + b"\0\1\0\0" * 4)  # 2^64 bytes: 0 in 64 bits
    with pytest.raises(DataError, match=f"must hold {2**64} bytes"):
        read_idx(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-9],
        lambda raw: raw[:5],
        lambda raw: raw[:12] + b"\xff\xff" + raw[14:],
        lambda raw: raw[:-8] + b"\0\0\0\0" + raw[-4:],
    ],
    ids=["truncated", "header-only", "bytes-changed", "wrong-checksum"],
)
def test_a_damaged_gzip_file_is_refused(damage: object, path: Path) -> None:
    assert callable(damage)
    path.write_bytes(damage(gzip.compress(WHOLE * 20)))
    with pytest.raises(DataError, match=r"must be a whole gzip file, got .*: fetch it again"):
        read_idx(path)
