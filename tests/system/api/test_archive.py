"""A study on its way to another machine and back into all stores there."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from hpsearch import doctor, export_study, import_study, run_study
from hpsearch.errors import HpsearchError
from hpsearch.records.archive import checked_members, unpack
from hpsearch.records.layout import StudyFiles
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.sealed import seal, unseal
from tests.harness.study_files import TINY
from tests.harness.tampering import rewritten


@pytest.fixture(scope="module")
def archive(finished_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("archive") / "small.zip"
    return export_study("small", to, home=finished_home)


def test_a_study_arrives_whole_and_is_told_to_all_stores(
    archive: Path, finished_home: Path, tmp_path: Path
) -> None:
    home = tmp_path / "there"
    assert import_study(archive, home=home).empty
    assert doctor(home=home).empty
    here = RunFolder(finished_home / "studies/small/1")
    there = RunFolder(home / "studies/small/1")
    assert list(there.read_all("trial")) == list(here.read_all("trial"))
    assert (there.artifacts / "report.html").exists()
    (tmp_path / "tiny.toml").write_text(TINY)
    report = run_study(tmp_path / "tiny.toml", home=home, workers=0)
    assert not report.ran
    assert report.result.folder == str(there.artifacts)


def test_a_home_that_has_the_run_refuses_it(archive: Path, copied_home: Path) -> None:
    with pytest.raises(HpsearchError, match=r"already exists in"):
        import_study(archive, home=copied_home)
    assert doctor(home=copied_home).empty


def test_a_file_is_never_written_over(archive: Path, finished_home: Path) -> None:
    with pytest.raises(HpsearchError, match="--to"):
        export_study("small", archive, home=finished_home)


def add(name: str, content: str = "x", *, mode: int = 0) -> Callable[[zipfile.ZipFile], None]:
    def do(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, content)

    return do


RECORD = "studies/small/1/trials/00000/record.json"


@pytest.mark.parametrize(
    "spoil",
    [
        add("studies/small/1/trials/00000/../../../../../evil.txt"),
        add("/tmp/evil.txt"),
        add("../evil.txt"),
        add("studies/small/1/model/served_network.py"),
        add("studies/small/1/artifacts/evil.html"),
        add("studies/small/1/artifacts/..csv/../evil.csv"),
        add("studies/../1/study.json"),
        add("studies/other/1/study.json", "{}"),
        add("studies/small/1/artifacts/evil.csv", "/etc/passwd", mode=stat.S_IFLNK | 0o777),
    ],
)
def test_what_does_not_belong_into_an_archive_is_refused(
    archive: Path, tmp_path: Path, spoil: Callable[[zipfile.ZipFile], None]
) -> None:
    bad = tmp_path / "bad.zip"
    shutil.copy(archive, bad)
    with zipfile.ZipFile(bad, "a") as opened:
        spoil(opened)
    home = tmp_path / "in" / "home"
    with pytest.raises(HpsearchError, match=r"must hold (only records|a single study)"):
        import_study(bad, home=home)
    assert not list(tmp_path.rglob("evil*"))
    assert not list((home / "studies").iterdir())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"files": ["../../../../../../etc/passwd"]}, "names '../../../../../../etc/passwd'"),
        ({"state_file": "/etc/passwd"}, "names '/etc/passwd'"),
        ({"number": 77}, "is not in its own folder"),
        ({"members": 3}, "must hold readable records"),
        ({"members": []}, "has no members"),
        ({"started": 1e300}, "has an invalid time"),
        (
            {"params": {"trainer": "os:system"}, "state_file": "state-1-0.npz"},
            "its state is a pickle",
        ),
    ],
)
def test_a_record_that_leads_elsewhere_is_refused(
    archive: Path, tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(bad, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == RECORD:
                content = seal(unseal(content, RECORD) | change, RECORD)
            target.writestr(info, content)
    home = tmp_path / "home"
    with pytest.raises(HpsearchError, match=problem):
        import_study(bad, home=home)
    assert not list((home / "studies").iterdir())


TOP = "studies/small/1/"
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (f"{TOP}space.json", b"{}"),
        (f"{TOP}space.json", b"[]"),
        (
            f"{TOP}space.json",
            b'{"parameters": [], "arms": [], "named": {"x": {"a": "f()"}}}',
        ),
        (f"{TOP}artifacts/result.json", b"[]"),
        (f"{TOP}artifacts/result.json", b"{}"),
        (f"{TOP}stages/0.json", b"{}"),
        (f"{TOP}stages/0.json", DEEP),
        (f"{TOP}parent.json", b"{}"),
        (f"{TOP}study.json", b"{}"),
        (RECORD, b"{}"),
        (RECORD, DEEP),
    ],
)
def test_json_that_is_another_is_refused_in_one_line(
    archive: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    bad = rewritten(archive, tmp_path / "bad.zip", name, content)
    with pytest.raises(HpsearchError, match="nothing was imported") as caught:
        import_study(bad, home=tmp_path / "home")
    assert len(str(caught.value).splitlines()) == 1
    assert str(bad) in str(caught.value)
    assert not list((tmp_path / "home" / "studies").iterdir())


@pytest.mark.parametrize("content", [b'{"checks": {"x": 1}}', b'{"checks": {"x": [1]}}'])
def test_warnings_that_are_no_texts_are_refused(
    archive: Path, tmp_path: Path, content: bytes
) -> None:
    bad = Path(shutil.copy(archive, tmp_path / "bad.zip"))
    with zipfile.ZipFile(bad, "a") as opened:
        opened.writestr(f"{TOP}code_checks.json", content)
    with pytest.raises(HpsearchError, match="nothing was imported"):
        import_study(bad, home=tmp_path / "home")


@pytest.mark.parametrize("number", [20_000, 10**8])
def test_a_number_beyond_the_plan_is_refused_at_once(
    archive: Path, tmp_path: Path, number: int
) -> None:
    with zipfile.ZipFile(archive) as source:
        content = seal(unseal(source.read(RECORD), RECORD) | {"number": number}, RECORD)
    bad = rewritten(
        archive,
        tmp_path / "bad.zip",
        RECORD,
        content,
        called=f"{TOP}trials/{number:05d}/record.json",
    )
    with pytest.raises(HpsearchError, match=r"must be below \d+ as planned"):
        import_study(bad, home=tmp_path / "home")


def test_an_archive_larger_than_the_homes_disk_is_refused(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def usage(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(free=1000)

    monkeypatch.setattr("hpsearch.records.archive.shutil.disk_usage", usage)
    with pytest.raises(HpsearchError, match="but only 1000 are free"):
        import_study(archive, home=tmp_path / "home")
    assert asked == [tmp_path / "home"]


def test_a_member_that_is_larger_than_it_says_ends_where_it_says(
    archive: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(archive) as opened:
        members = checked_members(opened, archive, tmp_path)
        ((key, info),) = [(k, i) for k, i in members.items() if i.filename == RECORD]
        info.file_size = 10
        with pytest.raises(zipfile.BadZipFile):
            unpack(opened, {key: info}, StudyFiles(tmp_path / "small"))
    assert (tmp_path / "small/1/trials/00000/record.json").stat().st_size <= 10


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no archive")
    with pytest.raises(HpsearchError, match="written by hpsearch export"):
        import_study(tmp_path / "x.zip", home=tmp_path / "home")
