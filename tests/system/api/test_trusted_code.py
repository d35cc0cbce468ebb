"""Code of an imported study: nothing that its archive names is run until a person says so."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from hpsearch import (
    delete_study,
    export_study,
    import_study,
    reproduce_trial,
    run_study,
    verify_study,
)
from hpsearch.errors import HpsearchError, StudyFileError
from hpsearch.records.sealed import seal, unseal
from tests.harness.commands import call_here
from tests.harness.stores import new_home
from tests.harness.study import run
from tests.harness.study_files import ALONE
from tests.harness.tampering import rewritten

GOOD = """
def train(params, data, seed, state=None):
    while True:
        yield {"validation_accuracy": params["x"]}, 0
"""
STUDY_JSON = "studies/own/1/study.json"


class Sent:
    """A study of a training function on its way: its folder there and here, and an archive that
    names a folder whose module of that name leaves a trace when it is run."""

    def __init__(self, top: Path, *overrides: str) -> None:
        self.here, self.evil, self.home = top / "here", top / "evil", top / "home"
        self.trace = top / "trace"
        for folder in (self.here, self.evil):
            folder.mkdir()
        (self.here / "trusted_own.py").write_text(GOOD)
        (self.evil / "trusted_own.py").write_text(f"open({str(self.trace)!r}, 'w')\n{GOOD}")
        self.file = self.here / "own.toml"
        self.file.write_text(ALONE.replace("TRAINER", "trusted_own:train"))
        run(self.file, top / "there", *overrides)
        plain = export_study("own", top / "plain.zip", home=top / "there")
        self.archive = self.with_study(plain, top / "own.zip")

    def with_study(self, archive: Path, to: Path, path: str = "") -> Path:
        """The archive with another path, the evil folder's, saying that it was not imported."""
        with zipfile.ZipFile(archive) as opened:
            said = unseal(opened.read(STUDY_JSON), STUDY_JSON)
        said |= {"path": path or str(self.evil / "own.toml"), "imported": False}
        return rewritten(archive, to, STUDY_JSON, seal(said, STUDY_JSON))


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    monkeypatch.syspath_prepend(tmp_path)  # put back at the end
    made = Sent(tmp_path)
    import_study(made.archive, home=new_home(made.home))
    return made


def test_nothing_runs_until_a_folder_is_trusted(sent: Sent) -> None:
    for again in (
        lambda: verify_study("own", home=sent.home),
        lambda: reproduce_trial("own", 0, home=sent.home),
    ):
        with pytest.raises(
            StudyFileError, match=r"trusted_own:train.*--trust-code FOLDER"
        ) as told:
            again()
        assert str(told.value).count("\n") == 0
    found = verify_study("own", home=sent.home, trust_code=sent.here)
    assert (found.problems, len(found.again)) == ([], 2)
    assert reproduce_trial("own", 0, home=sent.home, trust_code=sent.here).equal
    assert not sent.trace.exists()
    with pytest.raises(StudyFileError, match="--trust-code must name a folder"):
        verify_study("own", home=sent.home, trust_code=sent.file)


@pytest.mark.parametrize("path", ["..", ".", "/", "../evil/own.toml"])
def test_a_path_of_the_archive_does_not_widen_what_is_trusted(sent: Sent, path: str) -> None:
    archive = sent.with_study(sent.archive, sent.archive.with_name("wide.zip"), path)
    there = new_home(sent.home.with_name("wide"))
    import_study(archive, home=there)
    (sent.here.parent / "trusted_own.py").write_text((sent.evil / "trusted_own.py").read_text())
    assert verify_study("own", home=there, trust_code=sent.here).problems == []
    assert not sent.trace.exists()


def test_the_commands_ask_and_say_it(sent: Sent) -> None:
    for command in (["verify", "own", "--trials", "0"], ["reproduce", "own", "1"]):
        asked = call_here(*command, "--home", str(sent.home))
        assert asked.returncode == 2
        assert "--trust-code FOLDER" in asked.stderr
        done = call_here(*command, "--home", str(sent.home), "--trust-code", str(sent.here))
        assert done.returncode == 0, done.stderr
        assert f"running code and reading data from {sent.here}" in done.stderr
    assert not sent.trace.exists()


def test_the_users_own_file_says_where_the_code_is(sent: Sent) -> None:
    report = run_study(sent.file, overrides=["stages.0.trials=3"], home=sent.home, workers=0)
    assert report.ran
    assert verify_study("own", home=sent.home).problems == []  # it was started here
    assert not sent.trace.exists()


def test_a_study_that_compares_is_deleted_without_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    sent = Sent(tmp_path, 'compare=["x"]', "space.x={choices=[0.25, 0.5]}", "stages.0.trials=1")
    import_study(sent.archive, home=new_home(sent.home))
    asked = delete_study("own", agree=lambda what: True, home=sent.home)
    assert asked is not None
    assert len(asked.optuna_studies) == 2
    assert not sent.trace.exists()


def test_a_record_of_another_trainer_than_the_studys_is_refused(sent: Sent) -> None:
    name = "studies/own/1/trials/00001/record.json"
    with zipfile.ZipFile(sent.archive) as opened:
        record = unseal(opened.read(name), name)
    record["params"]["trainer"] = "os:system"
    bad = rewritten(sent.archive, sent.archive.with_name("bad.zip"), name, seal(record, name))
    with pytest.raises(HpsearchError, match="must hold records of the study's own trainers"):
        import_study(bad, home=sent.home.with_name("other"))


def test_own_data_is_not_looked_for_where_an_archive_says(tmp_path: Path, home: Path) -> None:
    text = ALONE.replace("TRAINER", "sgd").replace("x = {", "learning_rate = {")
    text = text.replace('"digits"\nshots = 6', '"rows.csv"\ntarget = "kind"')
    text = text.replace("low = 0.0", "low = 0.1").replace(
        "[space]", '[network]\nname = "two-layer"\n[space]'
    )
    (tmp_path / "own.toml").write_text(text)
    rows = "".join(f"{n / 7 % 1},{n % 5},{'ab'[n % 2]}\n" for n in range(60))
    (tmp_path / "rows.csv").write_text(f"u,v,kind\n{rows}")
    run(tmp_path / "own.toml", home)
    archive = export_study("own", tmp_path / "own.zip", home=home)
    there = new_home(tmp_path / "there")
    import_study(archive, home=there)
    with pytest.raises(StudyFileError, match=r"holds rows.csv with --trust-code FOLDER"):
        verify_study("own", home=there)
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.move(tmp_path / "rows.csv", moved)
    assert verify_study("own", home=there, trust_code=moved).problems == []
    inside = moved / "inside"
    inside.mkdir()
    for name in ("../rows.csv", str(moved / "rows.csv")):
        archive = renamed_data(archive, tmp_path / f"{len(name)}.zip", name)
        import_study(archive, home=new_home(tmp_path / name.replace("/", "-")))
        with pytest.raises(StudyFileError, match=r"data\.name must be in .*inside, because"):
            verify_study("own", home=tmp_path / name.replace("/", "-"), trust_code=inside)
    said = json.loads((there / "studies/own/1/study.json").read_text())
    assert said["imported"] is True


def renamed_data(archive: Path, to: Path, name: str) -> Path:
    """The archive with another path of its data."""
    with zipfile.ZipFile(archive) as opened:
        said = unseal(opened.read(STUDY_JSON), STUDY_JSON)
    said["file"]["data"]["name"] = name
    return rewritten(archive, to, STUDY_JSON, seal(said, STUDY_JSON))
