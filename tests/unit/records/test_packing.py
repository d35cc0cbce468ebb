"""A folder in one file."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from hpsearch.errors import HpsearchError
from hpsearch.records.packing import PACKED, ZSTD, is_packed, pack_folder, unpack_folder

needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="needs zstd")
FORMS = [pytest.param(end, marks=needs_zstd if end == ZSTD else ()) for end in PACKED]


@pytest.mark.parametrize("end", FORMS)
def test_a_folder_comes_back_as_it_was_and_half_a_file_is_refused(
    end: str, tmp_path: Path
) -> None:
    folder, file, new = tmp_path / "a", tmp_path / f"b{end}", tmp_path / "new"
    (folder / "sub/.hidden").mkdir(parents=True)
    (folder / "sub/x").write_bytes(bytes(range(256)) * 1000)
    assert is_packed(file)
    assert not is_packed(folder)
    pack_folder(folder, file)
    new.mkdir()
    unpack_folder(file, new)
    assert (new / "sub/x").read_bytes() == (folder / "sub/x").read_bytes()
    assert (new / "sub/.hidden").is_dir()
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises((tarfile.TarError, EOFError)):
        unpack_folder(file, new)


def test_a_form_without_its_program_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(HpsearchError, match=r"zstd must be on the path .* \.tar\.gz"):
        pack_folder(tmp_path, tmp_path.with_name("b.tar.zst"))


def test_nothing_is_unpacked_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evil", "../out")
    (tmp_path / "new").mkdir()
    with pytest.raises(tarfile.TarError):
        unpack_folder(tmp_path / "b.tar.gz", tmp_path / "new")
    assert not (tmp_path / "out").exists()
