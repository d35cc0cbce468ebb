"""Names on the disk: what an older version wrote is looked for where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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

TOP = Path("/top")
HOME, STUDY, RUN = Home(TOP), StudyFiles(TOP / "small"), RunFiles(TOP / "small" / "12")
RECORD, BATCH, SCHEDULE = RecordFiles(TOP), BatchFiles(TOP), ScheduleFiles(TOP)
PATHS: dict[str, Any] = {
    "studies": HOME.studies,
    "optuna.db": HOME.optuna,
    "mlflow.db": HOME.mlflow,
    "artifacts": HOME.artifacts,
    "studies/small": HOME.study("small").path,
    "projector-k.lock": HOME.projector_lock("k"),
    ".small.importing": HOME.importing("small").path,
    "schedule": HOME.schedule.path,
    "batches/night-k": HOME.batch("night", "k").path,
    "small/lock": STUDY.lock,
    "small/lock.holder": STUDY.holder,
    "small/3": STUDY.run(3).path,
    "small/.3.deleted": STUDY.deleted(3),
    "record.json": RECORD.json,
    "log.txt": RECORD.log,
    "state-8-1.npz": RECORD.state(8, 1),
    "weights.npz": RECORD.file("weights.npz"),
    "lock": (BATCH.lock, SCHEDULE.lock),
    "round.json": BATCH.round,
    "summary.json": BATCH.summary,
    "owed": BATCH.owed,
    "standing.json": SCHEDULE.standing,
    "health.json": SCHEDULE.health,
    "orders/1.json": SCHEDULE.order("1"),
}
OF_A_RUN: dict[str, Path] = {
    "study.json": RUN.study_json,
    "space.json": RUN.space,
    "code_checks.json": RUN.code_checks,
    "failed.json": RUN.failed,
    "parent.json": RUN.parent,
    "journal.jsonl": RUN.journal,
    "slices.jsonl": RUN.slices,
    "stages/0.json": RUN.stage(0, None),
    "stages/10-2.json": RUN.stage(10, 2),
    "budget/2.json": RUN.clock(2),
    "artifacts/result.json": RUN.artifact(Artifact.RESULT),
    "artifacts/study.toml": RUN.artifact(Artifact.STUDY_TOML),
    "artifacts/figures/search.png": RUN.figure("search"),
    "artifacts/claim_1.png": RUN.claim_figure(1),
    "trials/00007/record.json": RUN.record("trial", 7).json,
    "confirmation/00007-2/record.json": RUN.record("confirmation", 7, 2).json,
    "test/00007-0/state-8-0.npz": RUN.record("test", 7).state(8, 0),
}
OF_ONE_MACHINE: dict[str, Path] = {
    "mlflow.json": RUN.mlflow,
    "projected.json": RUN.projected,
    "projector.log": RUN.projector_log,
    "artifacts/report.html": RUN.artifact(Artifact.REPORT),
    "model/MLmodel": RUN.model / "MLmodel",
    "damaged/trials-00007/x": RUN.aside(RUN.record("trial", 7)) / "x",
}


@pytest.mark.parametrize("name", PATHS)
def test_a_home_has_the_names_of_older_versions(name: str) -> None:
    found = PATHS[name] if isinstance(PATHS[name], tuple) else (PATHS[name],)
    assert set(found) == {TOP / name}


@pytest.mark.parametrize("name", OF_A_RUN | OF_ONE_MACHINE)
def test_a_run_has_the_names_of_older_versions_and_an_export_takes_its_records(name: str) -> None:
    assert (OF_A_RUN | OF_ONE_MACHINE)[name] == RUN.path / name
    assert KNOWN.fullmatch(name)
    assert bool(ARCHIVED.fullmatch(name)) == (name in OF_A_RUN)


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
