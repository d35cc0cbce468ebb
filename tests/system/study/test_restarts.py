"""Studies that are started again, and studies beside each other."""

from __future__ import annotations

from pathlib import Path

from hpsearch.execution.examples import training_data
from hpsearch.records.layout import Home
from hpsearch.study.events import TrialReached
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from hpsearch.trainers import Member
from hpsearch.trainers.backprop import Backprop
from tests.harness.interrupts import interrupt
from tests.harness.study import records, run, table


def test_stages_are_scored_at_their_ends_whatever_the_cadence(
    study_file: Path, home: Path, tmp_path: Path
) -> None:
    run(study_file, home, "evaluation.every=3")
    run(study_file, tmp_path / "always")
    seldom, always = records(home), records(tmp_path / "always")
    assert [r.scores for r in seldom] == [r.scores for r in always]
    assert {epoch for r in seldom for epoch in r.epochs} == {2, 3, 4, 6, 8}


def test_a_promoted_trial_trains_as_if_it_had_never_paused(study_file: Path, home: Path) -> None:
    run(study_file, home)
    record = next(r for r in records(home) if len(r.scores) == 3 and r.stage == 0)
    selection = read_study(study_file).file.selection()
    for kept in record.members:
        member = Member(record.params, kept.entropy, kept.split)
        trainer = Backprop([member], training_data(selection, "validation"), n_epochs=8)
        straight = [float(p.metrics["validation_loss"][0]) for p in trainer.run(8)]
        assert straight == kept.history["validation_loss"]


def test_a_restart_in_a_late_stage_prunes_nobody_that_was_promoted(
    study_file: Path, home: Path, tmp_path: Path
) -> None:
    run(study_file, tmp_path / "quiet")
    read, stores = read_study(study_file), Home(home)
    stores.create()
    for stop in range(20, 30, 3):  # trials reached, over all stages, before each restart
        opened = open_run(read, stores, fresh=False)
        interrupt(
            Study(read, opened, stores.storage_url, 0),
            lambda event, stop=stop: (  # type: ignore[misc]
                isinstance(event, TrialReached)
                and sum(len(r.scores) for r in records(home)) >= stop
            ),
        )
        opened.close()
    run(study_file, home)
    assert table(home) == table(tmp_path / "quiet")


def test_a_study_file_that_was_moved_and_renamed_goes_on_where_it_was(
    study_file: Path, home: Path, tmp_path: Path
) -> None:
    run(study_file, tmp_path / "quiet")
    read, stores = read_study(study_file), Home(home)
    stores.create()
    opened = open_run(read, stores, fresh=False)
    interrupt(
        Study(read, opened, stores.storage_url, 0),
        lambda event: isinstance(event, TrialReached) and len(records(home)) >= 5,
    )
    opened.close()
    moved = tmp_path / "another folder" / "renamed.toml"
    moved.parent.mkdir()
    study_file.rename(moved)
    run(moved, home)
    assert table(home) == table(tmp_path / "quiet")
    assert [path.name for path in (home / "studies").glob("small/[1-9]*")] == ["1"]


def test_optunas_database_may_be_lost_or_another_in_the_middle(
    study_file: Path, home: Path, tmp_path: Path
) -> None:
    run(study_file, tmp_path / "quiet")
    read, stores = read_study(study_file), Home(home)
    stores.create()
    opened = open_run(read, stores, fresh=False)
    study = Study(read, opened, stores.storage_url, 0)
    assert interrupt(study, lambda event: len(records(home)) >= 13)
    opened.close()
    (home / "optuna.db").rename(home / "lost.db")
    run(study_file, home)
    assert table(home) == table(tmp_path / "quiet")


def test_more_trials_in_the_last_stage_continue_the_study(study_file: Path, home: Path) -> None:
    run(study_file, home)
    before = {r.number: r.to_json() for r in records(home)}
    result = run(study_file, home, "stages.2.trials=10")
    after = {r.number: r.to_json() for r in records(home)}
    assert len(after) == len(before) + 4
    assert all(after[number] == text for number, text in before.items())
    assert sum(result.counts.values()) == len(after)
