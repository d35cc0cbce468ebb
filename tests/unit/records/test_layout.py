"""Names on the disk: what an older version wrote is looked for where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.records.layout import (
    ARCHIVED,
    KNOWN,
    Artifact,
    BatchFiles,
    Home,
    RecordFiles,
    RunFiles,
    ScheduleFiles,
    StudyFiles,
)
from hpsearch.records.refit_answers import FILE
from hpsearch.trainers.tables.model import FittedTable
from hpsearch.trainers.tables.predictor import PREDICTORS

TOP = Path("/top")
FILES = (FILE, FittedTable.file_name, *PREDICTORS)  # that a refit leaves


def of_a_home() -> dict[str, Path]:
    home, study = Home(TOP), StudyFiles(TOP / "small")
    record, batch, schedule = RecordFiles(TOP), BatchFiles(TOP), ScheduleFiles(TOP / "schedule")
    return {
        "studies": home.studies,
        "optuna.db": home.optuna,
        "mlflow.db": home.mlflow,
        "artifacts": home.artifacts,
        "studies/small": home.study("small").path,
        "projector-k.lock": home.projector_lock("k"),
        ".small.importing": home.importing("small").path,
        "schedule": home.schedule.path,
        "batches/night-k": home.batch("night", "k").path,
        "small/lock": study.lock,
        "small/lock.holder": study.holder,
        "small/3": study.run(3).path,
        "small/.3.deleted": study.deleted(3),
        "record.json": record.json,
        "log.txt": record.log,
        "state-8-1.npz": record.state(8, 1),
        "weights.npz": record.file("weights.npz"),
        "lock": batch.lock,
        "round.json": batch.round,
        "summary.json": batch.summary,
        "owed": batch.owed,
        "schedule/lock": schedule.lock,
        "schedule/standing.json": schedule.standing,
        "schedule/health.json": schedule.health,
        "schedule/orders/1.json": schedule.order("1"),
    }


def archived(run: RunFiles) -> dict[str, Path]:
    """What an export takes."""
    return {
        "study.json": run.study_json,
        "space.json": run.space,
        "code_checks.json": run.code_checks,
        "failed.json": run.failed,
        "parent.json": run.parent,
        "journal.jsonl": run.journal,
        "slices.jsonl": run.slices,
        "stages/0.json": run.stage(0, None),
        "stages/10-2.json": run.stage(10, 2),
        "budget/2.json": run.clock(2),
        "artifacts/result.json": run.artifact(Artifact.RESULT),
        "artifacts/study.toml": run.artifact(Artifact.STUDY_TOML),
        "artifacts/figures/search.png": run.figure("search"),
        "artifacts/claim_1.png": run.claim_figure(1),
        "trials/00007/record.json": run.record("trial", 7).json,
        "confirmation/00007-2/record.json": run.record("confirmation", 7, 2).json,
        "test/00007-0/state-8-0.npz": run.record("test", 7).state(8, 0),
        **{f"test/00007-1/{name}": run.record("test", 7, 1).file(name) for name in FILES},
    }


def of_one_machine(run: RunFiles) -> dict[str, Path]:
    return {
        "mlflow.json": run.mlflow,
        "projected.json": run.projected,
        "projector.log": run.projector_log,
        "artifacts/report.html": run.artifact(Artifact.REPORT),
        "artifacts/figures/search.pdf": run.figure("search", "pdf"),
        "model/MLmodel": run.model / "MLmodel",
        "damaged/trials-00007/x": run.aside(run.record("trial", 7)) / "x",
    }


def test_a_home_has_the_names_of_older_versions() -> None:
    assert of_a_home() == {name: TOP / name for name in of_a_home()}


def test_a_run_has_the_names_of_older_versions_and_an_export_takes_its_records() -> None:
    run = RunFiles(TOP / "small" / "12")
    taken, left = archived(run), of_one_machine(run)
    assert taken | left == {name: run.path / name for name in taken | left}
    assert all(KNOWN.fullmatch(name) for name in taken | left)
    assert [name for name in taken | left if ARCHIVED.fullmatch(name)] == list(taken)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_runs_are_those_with_a_study_json_by_number(tmp_path: Path) -> None:
    study = StudyFiles(tmp_path)
    assert (study.numbers(), study.newest) == ([], 0)
    touch(*(study.run(number).study_json for number in (10, 2, 1)), study.lock)
    touch(study.run(11).journal, tmp_path / "old" / "study.json")
    assert (study.numbers(), study.newest) == ([1, 2, 10], 10)
    assert (study.run(10).study, study.run(10).number) == (study, 10)


def test_a_folder_that_no_study_is_kept_in_is_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for name in ("small", "small~", "~2ehidden", ".hidden"):
        (home.studies / name).mkdir(parents=True)
    assert [study.name for study in home.all_studies()] == ["small", ".hidden"]
    assert [home.study(study.name) for study in home.all_studies()] == home.all_studies()


def test_records_and_decisions_are_found_in_order(tmp_path: Path) -> None:
    run = RunFiles(tmp_path)
    wanted = [run.record("trial", n) for n in (0, 2, 10)]
    wanted += [run.record("confirmation", 2, n) for n in (0, 1)]
    touch(*(place.json for place in reversed(wanted)), run.record("trial", 3).log)
    assert run.records() == wanted
    assert run.records("trial") == wanted[:3]
    decisions = [run.stage(1, n) for n in (0, 2, 10)]
    touch(*reversed(decisions), run.stage(10, None), run.stage(0, None))
    assert run.decisions(1) == decisions
    assert run.decisions(0) == [run.stage(0, None)]
    assert len(run.all_decisions()) == 5


def test_what_a_kill_left_half_written_is_found(tmp_path: Path) -> None:
    run = RunFiles(tmp_path)
    place = run.record("trial", 0)
    half = [place.path / ".record.json.123", run.artifacts / ".result.json.7"]
    touch(*half, place.json, run.artifact(Artifact.RESULT), tmp_path / ".hidden")
    assert run.leftovers() == sorted(half)
    assert [*run.half_written_artifacts()] == half[1:]
    touch(place.state(4, 0), place.state(8, 1))
    assert sorted(place.states()) == [place.state(4, 0), place.state(8, 1)]


def test_a_home_may_begin_with_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("HPSEARCH_HOME", "~/stores")
    assert Home.find(None).path == Path("/home/ada/stores")
    assert Home.find(Path("~/others")).path == Path("/home/ada/others")
    assert (
        Home.find(Path("~nobody-of-that-name/x")).path == Path("~nobody-of-that-name/x").absolute()
    )
