"""An archive takes what it may, and nothing of it comes to lie elsewhere."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from hpsearch.errors import FormatError, HpsearchError
from hpsearch.records.archive import (
    BLOCK_BYTES,
    MANIFEST,
    checked_members,
    pack,
    study_in,
    unpack,
)
from hpsearch.records.format import FORMAT
from hpsearch.records.layout import Home, StudyFiles
from hpsearch.records.run_folder import RunFolder

TAKEN = {
    "study.json": b"{}",
    "trials/00000/record.json": b"x" * (2 * BLOCK_BYTES + 1),
    "artifacts/figures/search.png": b"",
}
LEFT = ("mlflow.json", "projector.log", "notes.txt", "trials/00000/other.npz", "model/x")


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """An archive of the runs 1 and 12 of a study, between whose files lie others."""
    study = StudyFiles(tmp_path / "there" / "small")
    for number in (1, 12):
        for name in (*TAKEN, *LEFT):
            path = study.run(number).path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(TAKEN.get(name, b"left"))
        (study.run(number).path / "space.json").symlink_to("study.json")
    pack([RunFolder(study.run(number).path) for number in (1, 12)], tmp_path / "small.zip")
    return tmp_path / "small.zip"


@pytest.mark.parametrize("name", ["sgd/adam", "\\\u0301x", "50 %", ".고양이"])
def test_a_study_keeps_its_name_whatever_its_signs(name: str, tmp_path: Path) -> None:
    study = Home(tmp_path / "home").study(name)
    study.run(1).path.mkdir(parents=True)
    study.run(1).study_json.write_bytes(b"{}")
    pack([RunFolder(study.run(1).path)], tmp_path / "packed.zip")
    assert checked(tmp_path / "packed.zip") == [(name, 1, "study.json")]
    assert [found.name for found in Home(tmp_path / "home").all_studies()] == [name]


def made(folder: Path, *members: str, manifest: bytes = b'{"study": "small"}') -> Path:
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, manifest)
        for member in members:
            archive.writestr(member, b"")
    return path


def checked(path: Path) -> list[tuple[str, int, str]]:
    with zipfile.ZipFile(path) as archive:
        return list(checked_members(archive, path, path.parent))


def test_records_tables_and_pictures_arrive_as_they_were(packed: Path, tmp_path: Path) -> None:
    here = StudyFiles(tmp_path / "here")
    with zipfile.ZipFile(packed) as archive:
        assert json.loads(archive.read(MANIFEST)) == {"format": FORMAT, "study": "small"}
        members = checked_members(archive, packed, tmp_path)
        unpack(archive, members, here)
    assert study_in(members, packed) == "small"
    assert set(members) == {("small", number, name) for number in (1, 12) for name in TAKEN}
    for number in (1, 12):
        found = [p for p in here.run(number).path.rglob("*") if p.is_file()]
        names = {p.relative_to(here.run(number).path).as_posix(): p.read_bytes() for p in found}
        assert names == TAKEN


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "studies/small/1/notes.txt",
        "studies/small/0/study.json",
        "studies/small/1/trials/../study.json",
        "studies/../1/study.json",
        "/studies/small/1/study.json",
        "x/studies/small/1/study.json",
        "studies/small/1/model/code.py",
    ],
)
def test_what_no_export_holds_is_refused(name: str, tmp_path: Path) -> None:
    path = made(tmp_path, "studies/small/1/study.json", name)
    with pytest.raises(HpsearchError, match="must hold only records, tables and") as caught:
        checked(path)
    assert f"got {name!r}; nothing was imported" in str(caught.value)


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("studies/small/1/study.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(HpsearchError, match=r"got 'studies/small/1/study\.json'"):
        checked(tmp_path / "made.zip")


def test_one_study_is_in_an_archive(tmp_path: Path) -> None:
    path = made(tmp_path, "studies/b/1/study.json", "studies/a/2/study.json")
    with zipfile.ZipFile(path) as archive:
        members = checked_members(archive, path, tmp_path)
    with pytest.raises(HpsearchError, match="must hold a single study, got a, b"):
        study_in(members, path)
    with pytest.raises(HpsearchError, match="must hold a single study, got none"):
        study_in({}, path)


@pytest.mark.parametrize("manifest", [b"{", b"3", b"\xff"])
def test_a_manifest_that_is_none_is_said(manifest: bytes, tmp_path: Path) -> None:
    with pytest.raises(HpsearchError, match="must be a file written by hpsearch export"):
        checked(made(tmp_path, manifest=manifest))


def test_an_archive_of_a_newer_hpsearch_is_refused(tmp_path: Path) -> None:
    manifest = json.dumps({"format": FORMAT + 1}).encode()
    with pytest.raises(FormatError, match=f"got {FORMAT + 1}"):
        checked(made(tmp_path, manifest=manifest))


def test_what_is_larger_than_the_disk_is_refused(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 2 * sum(len(content) for content in TAKEN.values())
    usage = {"free": size}
    monkeypatch.setattr(
        "hpsearch.records.archive.shutil.disk_usage",
        lambda folder: type("Usage", (), {"free": usage["free"]}),
    )
    assert checked(packed)
    usage["free"] -= 1
    with pytest.raises(HpsearchError, match=f"unpacks to {size} bytes, but only {size - 1} are"):
        checked(packed)
