"""Stores that an older hpsearch wrote: every command works on them, for ever."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hpsearch import (
    delete_study,
    doctor,
    export_study,
    import_study,
    reproduce_trial,
    run_study,
    show_study,
    study_methods,
    study_status,
    study_trials,
    verify_study,
    write_study_report,
)
from hpsearch.errors import HpsearchError
from hpsearch.records.archive import MANIFEST
from hpsearch.records.format import FORMAT, converted
from hpsearch.records.layout import KNOWN, Artifact, Home
from hpsearch.records.run_folder import RunFolder
from tests.harness.stores import add_store
from tests.harness.traced import untraced

FROZEN = Path(__file__).parents[1] / "assets" / "before-format"
TOO_NEW = f"format up to {FORMAT}, got {FORMAT + 1}"
RUNS = ("plain", "plain/2", "compared")


@pytest.fixture
def frozen(tmp_path: Path) -> Path:
    """A copy of the frozen home, with the study files beside it."""
    for name in ("home", "studies"):
        shutil.copytree(FROZEN / name, tmp_path / name)
    for study in ("plain", "compared"):  # as they lay where they were run
        for path in (tmp_path / "home/studies" / study).glob("*/study.json"):
            text = path.read_text().replace("/srv/hpsearch/studies", str(tmp_path / "studies"))
            path.write_text(text)
    add_store(tmp_path / "home", "mlflow")
    return tmp_path / "home"


def printed(study: str) -> str:
    """The table that the code of that time printed."""
    return (FROZEN / f"{study}.trials.csv").read_text()


@pytest.mark.parametrize("study", ["plain/1", "compared/1"])
def test_the_table_of_trials_is_as_it_was(frozen: Path, study: str) -> None:
    table = study_trials(study, home=frozen).drop(columns="reason")  # added since
    assert table.to_csv(index=False) == printed(study.partition("/")[0])


@pytest.mark.parametrize("study", ["plain/1", "compared"])
def test_methods_are_written_of_the_protocol_of_that_time(frozen: Path, study: str) -> None:
    methods = study_methods(study, home=frozen)
    text = methods.text("text")
    assert "trained again from scratch on the splits of the search" in text
    assert "all defaults" not in text
    run = RunFolder(frozen / "studies" / study.partition("/")[0] / "1")
    lost = {f.place: untraced(run.path, f.text, f.place) for f in methods.facts()}
    # What older files do not say has the value that it had then.
    assert {place for place, missing in lost.items() if missing} == set()


def test_status_and_show_say_how_each_ended(frozen: Path) -> None:
    rows = study_status(home=frozen)
    states = {(row.study, row.run): row.state for row in rows.itertuples()}
    assert states == {("compared", 1): "finished", ("plain", 1): "finished"} | {
        ("plain", 2): "interrupted"
    }
    assert show_study("plain/1", home=frozen).result.best_number == 18
    compared = show_study("compared", home=frozen)
    assert [claim["verdict"] for claim in compared.answers.claims] == ["not shown", "holds"]
    assert len(compared.answers.agreement) == 2
    with pytest.raises(HpsearchError, match="is not finished"):
        show_study("plain/2", home=frozen)


@pytest.mark.parametrize("study", ["plain/1", "compared"])
def test_draws_and_decisions_are_derived_again(frozen: Path, study: str) -> None:
    found = verify_study(study, trials=1, home=frozen)
    assert found.problems == []
    assert found.replay.result
    assert found.replay.decisions >= 3


def test_a_trial_is_trained_again(frozen: Path) -> None:
    assert reproduce_trial("plain/1", 16, home=frozen).equal


@pytest.mark.usefixtures("without_mlflow")
def test_the_killed_run_goes_on_to_the_undisturbed_table(frozen: Path) -> None:
    path = frozen.parent / "studies" / "plain.toml"
    report = run_study(path, home=frozen, workers=0)
    assert report.ran
    there = RunFolder(Home(frozen).study("plain").run(2).path)
    assert all(record.outcome.final for record in there.read_all("trial"))
    old, new = (study_trials(f"plain/{n}", home=frozen) for n in (1, 2))
    # On another processor the last bits of scores differ, and with them the digests of curves.
    same = ["trial", "drawn_in_stage", "batch", "trainer", "learning_rate"]
    assert new[same].equals(old[same])
    assert json.loads(there.files.study_json.read_text())["format"] == FORMAT


@pytest.mark.usefixtures("without_mlflow")
def test_a_finished_comparison_runs_nothing_and_takes_more_trials(frozen: Path) -> None:
    path = frozen.parent / "studies" / "compared.toml"
    assert not run_study(path, home=frozen, workers=0).result.untested
    before = len(study_trials("compared", home=frozen))
    wider = ["stages.1.trials=8", "budget.epochs=80"]
    report = run_study(path, overrides=wider, home=frozen, workers=0)
    assert report.ran
    assert len(study_trials("compared", home=frozen)) > before


@pytest.mark.parametrize("study", ["plain/1", "compared"])
def test_a_report_is_drawn(frozen: Path, study: str) -> None:
    page = write_study_report(study, home=frozen)
    assert page.name == Artifact.REPORT
    assert page.stat().st_size > 1_000_000


def test_the_doctor_tells_optuna_and_mlflow_and_a_study_is_deleted(frozen: Path) -> None:
    found = doctor(home=frozen, repair=True)
    left = found[(found["place"] != "host") & ~found["repaired"]]
    assert left.empty
    assert doctor(home=frozen).query("place != 'host'").empty
    assert delete_study("plain", home=frozen) is not None
    assert not Home(frozen).study("plain").path.exists()


def test_a_study_is_exported_and_imported_with_all_it_was_asked(
    frozen: Path, tmp_path: Path
) -> None:
    path = export_study("compared", tmp_path / "compared.zip", home=frozen)
    left = import_study(path, home=tmp_path / "other")
    assert left.empty
    before, now = (show_study("compared", home=home) for home in (frozen, tmp_path / "other"))
    assert now.answers == before.answers
    assert now.result.arms == before.result.arms
    assert verify_study("compared", trials=0, home=tmp_path / "other").replay.decisions == 4
    runs = [RunFolder(Home(h).study("compared").run(1).path) for h in (frozen, tmp_path / "other")]
    for name in ("stages/0-3.json", "budget/2.json", "artifacts/warm_start.json"):
        old, new = ((run.path / name).read_bytes() for run in runs)
        assert new == old


def test_every_file_of_a_run_is_known_to_the_layout() -> None:
    for run in RUNS:
        study, _, number = run.partition("/")
        top = Home(FROZEN / "home").study(study).run(int(number or 1)).path
        names = [p.relative_to(top).as_posix() for p in top.rglob("*") if p.is_file()]
        assert [name for name in names if not KNOWN.fullmatch(name)] == []


def test_a_newer_format_is_one_clear_line(frozen: Path) -> None:
    with pytest.raises(HpsearchError, match=rf"{TOO_NEW}: a newer version of hpsearch wrote it"):
        converted({"format": FORMAT + 1}, "a file")
    record = Home(frozen).study("plain").run(1).record("trial", 3).json
    record.write_text(json.dumps({**json.loads(record.read_text()), "format": FORMAT + 1}))
    with pytest.raises(HpsearchError, match=rf"record\.json must have a {TOO_NEW}"):
        study_trials("plain/1", home=frozen)
    assert TOO_NEW in _reason(frozen, 1)
    found = doctor(home=frozen)
    told = found[found["problem"].str.contains(TOO_NEW)]
    assert len(told) == 1


def test_a_run_of_a_newer_format_hides_no_other(frozen: Path) -> None:
    stored = Home(frozen).study("plain").run(1).study_json
    stored.write_text(json.dumps({**json.loads(stored.read_text()), "format": FORMAT + 1}))
    assert TOO_NEW in _reason(frozen, 1)
    states = study_status(home=frozen).set_index(["study", "run"])["state"]
    assert states["plain", 1] == "unreadable"
    assert set(states.drop(("plain", 1))) == {"finished", "interrupted"}
    assert any(TOO_NEW in problem for problem in doctor(home=frozen)["problem"])


def _reason(home: Path, run: int) -> str:
    rows = study_status(home=home)
    (reason,) = rows.loc[(rows["study"] == "plain") & (rows["run"] == run), "reason"]
    return str(reason)


def test_an_archive_of_a_newer_format_is_refused(frozen: Path, tmp_path: Path) -> None:
    import zipfile

    path = export_study("plain/1", tmp_path / "plain.zip", home=frozen)
    newer = tmp_path / "newer.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(newer, "w") as new:
        for name in old.namelist():
            manifest = json.dumps({"format": FORMAT + 1, "study": "plain"})
            new.writestr(name, manifest if name == MANIFEST else old.read(name))
    with pytest.raises(HpsearchError, match="a newer version of hpsearch wrote it"):
        import_study(newer, home=tmp_path / "other")
    assert not Home(tmp_path / "other").study("plain").path.exists()
