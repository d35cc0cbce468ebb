"""What ends a search: asked before a batch, answered from the batches before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.confirmation.extent import Costs
from hpsearch.study.spending import Batch, Spending, kept_extent
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.space import Space
from tests.harness.study_files import ONE_STAGE

# SMALL has 3 members a trial, and stages of 2, 4 and 8 epochs.
NEW, PROMOTED, LAST = (
    Batch(0, 0, 4, False, False),
    Batch(1, 0, 4, True, False),
    Batch(2, 1, 2, False, False),
)


def spending(path: Path, *overrides: str) -> Spending:
    file = read_study(path, overrides).file
    return Spending(file, ArmPlace({}, 0, 1, Space((), {})), RunFolder(path.parent))


def trial(stage: int, epochs: int, score: float | None, **more: float) -> TrialRecord:
    members = [MemberRecord(split, SeedKey(0, 0, 0, split), epoch=epochs) for split in range(3)]
    record = TrialRecord("u", "trial", 0, {}, members, {}, stage=stage)
    if score is not None:
        record.scores[epochs] = score
        record.violations[epochs] = dict(more)
    return record


def test_without_a_budget_nothing_ends(study_file: Path) -> None:
    free = spending(study_file)
    assert free.affordable(NEW) == 4
    assert free.ends(NEW, [trial(0, 2, 1.0)] * 50) == ""
    free.keep()
    assert free.seconds_left is None
    assert not (study_file.parent / "budget").exists()


def test_the_seconds_that_are_left_are_those_of_the_narrower_limit(study_file: Path) -> None:
    left = spending(study_file, "budget.seconds=60", "budget.total_seconds=90").seconds_left
    assert left is not None
    assert 50 < left <= 60


def test_epochs_are_spent_by_what_was_trained(study_file: Path) -> None:
    left = spending(study_file, "budget.epochs=48")
    assert (left.affordable(NEW), left.ends(NEW, [])) == (4, "")
    cut = trial(0, 1, None)
    cut.outcome, cut.members[0].epoch = Outcome.DIVERGED, 0
    failed = trial(0, 1, None)
    failed.outcome = Outcome.FAILED
    left.settle(NEW, [trial(0, 2, 0.5), trial(0, 2, 0.25), cut, failed])
    assert left.epochs == 6 + 6 + (0 + 1 + 1) + 6
    left.settle(PROMOTED, [trial(0, 4, 0.5)])
    assert left.epochs == 20 + 3 * 2
    beyond = trial(0, 3, None)
    beyond.outcome = Outcome.PRUNED
    left.settle(PROMOTED, [beyond])
    assert left.epochs == 26 + 3 * 1  # of each member the epoch after the stage before
    assert (left.affordable(NEW), left.ends(NEW, [])) == (3, "epochs")
    assert (left.affordable(PROMOTED), left.affordable(LAST)) == (3, 0)
    assert left.ends(Batch(0, 1, 3, False, False), []) == ""


@pytest.mark.parametrize(
    ("direction", "score", "ends"),
    [
        ("maximize", 0.75, "target"),
        ("maximize", 0.74, ""),
        ("minimize", 0.75, "target"),
        ("minimize", 0.76, ""),
    ],
)
def test_a_target_is_met_by_a_feasible_trial_of_the_last_stage(
    study_file: Path, direction: str, score: float, ends: str
) -> None:
    aims = spending(study_file, "budget.target=0.75", f"objective.direction={direction}")
    earlier = [trial(2, 8, None), trial(2, 8, score)]
    assert aims.ends(LAST, earlier) == ends
    assert aims.ends(LAST, [trial(2, 8, score, memory=0.5)]) == ""
    assert aims.ends(Batch(1, 1, 2, False, False), [trial(1, 4, score)]) == ""
    assert aims.ends(LAST, []) == ""


def test_a_plateau_ends_the_drawing_of_a_stage_alone(study_file: Path) -> None:
    flat = spending(study_file, "budget.plateau=2", "budget.plateau_improvement=0.1")
    going_on, new = Batch(1, 0, 4, True, False), Batch(1, 1, 4, False, False)
    # Those promoted set what is to be beaten, and count as no idle ones.
    before = [trial(0, 4, 0.5), trial(0, 4, 0.4)]
    assert flat.ends(new, before) == ""
    assert flat.ends(new, [*before, trial(1, 4, 0.6)]) == ""
    assert flat.ends(new, [*before, trial(1, 4, 0.6), trial(1, 4, None)]) == "plateau"
    assert flat.ends(going_on, [*before, trial(1, 4, 0.6), trial(1, 4, None)]) == ""
    # By more than a tenth better than the best so far: counted anew.
    better = [*before, trial(1, 4, 0.5), trial(1, 4, 0.625)]
    assert flat.ends(new, better) == ""
    assert flat.ends(new, [*better, trial(1, 4, 0.7)]) == ""
    assert flat.ends(new, [*better, trial(1, 4, 0.7), trial(1, 4, 0.7)]) == "plateau"
    assert flat.ends(new, [*better, trial(1, 4, 9.0, memory=0.5), trial(1, 4, 0.7)]) == "plateau"


def test_a_plateau_of_losses_is_one_from_below(study_file: Path) -> None:
    flat = spending(study_file, "budget.plateau=1", "objective.direction=minimize")
    assert flat.ends(NEW, [trial(0, 2, 0.5), trial(0, 2, 0.4)]) == ""
    assert flat.ends(NEW, [trial(0, 2, 0.5), trial(0, 2, 0.5)]) == "plateau"


def test_what_only_the_first_batch_takes_is_no_pace_of_later_ones(
    study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr("hpsearch.study.spending.time.monotonic", lambda: clock["now"])
    cold = spending(study_file, "budget.seconds=60")
    # Two workers load for 24 of 32 s; then each trains two trials.
    first = [trial(0, 2, 0.5) for _ in range(4)]
    for record in first:
        record.wall_seconds, record.opening_seconds = 16.0, 12.0
    clock["now"] = 32.0
    cold.settle(NEW, first)
    for index in (1, 2, 3):  # 8 s each
        assert cold.ends(Batch(0, index, 4, False, False), []) == ""
        clock["now"] += 8.0
        cold.settle(NEW, first)
    assert cold.ends(Batch(0, 4, 4, False, False), []) == "seconds"


def test_the_clock_ends_a_search_before_the_batch_that_would_end_after_it(
    study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 100.0}
    monkeypatch.setattr("hpsearch.study.spending.time.monotonic", lambda: clock["now"])
    late = spending(study_file, "budget.seconds=30")
    clock["now"] += 1000
    assert late.ends(NEW, []) == ""  # of nobody the pace is known
    clock["now"] = 110.0
    late.settle(NEW, [trial(0, 2, 0.5)] * 4)
    assert (late.seconds, late.epochs) == (10.0, 24)
    second = Batch(0, 1, 4, False, False)
    assert late.ends(second, []) == ""  # 10 s for 24 epochs, and 24 ahead
    clock["now"] = 115.0
    assert late.ends(second, []) == ""  # 15 + 15
    clock["now"] = 115.5
    assert late.ends(Batch(0, 1, 4, False, True), []) == ""  # it was begun before a restart
    assert late.ends(second, []) == "seconds"
    clock["now"] = 100.0
    assert late.ends(second, []) == "seconds"  # what was decided stays
    assert late.ends(Batch(0, 2, 4, False, False), []) == ""

    again = spending(study_file, "budget.seconds=30")
    clock["now"] = 101.0
    assert again.seconds == 15.5 + 1.0  # of all starts
    again.epochs = 24
    assert again.ends(second, []) == "seconds"
    wider = spending(study_file, "budget.seconds=60")
    wider.epochs = 24
    assert wider.ends(second, []) == ""
    clock["now"] = 200.0
    assert wider.ends(Batch(1, 0, 1, True, False), []) == "seconds"


def test_the_search_leaves_time_for_what_follows_it(
    study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr("hpsearch.study.spending.time.monotonic", lambda: clock["now"])
    file = read_study(study_file, [*ONE_STAGE, "budget.total_seconds=60"]).file
    ahead, workers = Costs([2.0, 2.0], 0.0, 0.5), list[float]()

    def expected(at_once: float) -> Costs:
        workers.append(at_once)
        return ahead

    def start() -> Spending:
        arm = ArmPlace({}, 0, 1, Space((), {}))
        return Spending(file, arm, RunFolder(study_file.parent), expected)

    late, batch = start(), [trial(0, 2, 0.5) for _ in range(4)]
    for number, record in enumerate(batch):
        record.number, record.wall_seconds = number, 11.5
    clock["now"] = 10.0
    late.settle(NEW, batch)  # 10 s for 24 epochs; 3 x 4 s of repeats, 2 x 1 s of refits follow
    second = Batch(0, 1, 4, False, False)
    clock["now"] = 23.0
    assert late.ends(second, []) == ""
    clock["now"] = 23.5
    assert late.ends(second, []) == "total_seconds"
    assert workers[0] == 2.0  # two at once
    assert start().ends(second, []) == "total_seconds"  # what was decided stays
    # Of the 36.5 s that are left, all of it is run; of 10 s, one configuration.
    assert late.extent(2, beside=False) == (2, 3, 2)
    clock["now"] = 50.0
    assert late.extent(2, beside=False) == (2, 3, 2)  # for what the search took it stays
    late.epochs += 24
    assert late.extent(2, beside=False) == (1, 3, 2)


def test_what_follows_takes_half_of_the_time_at_most(
    study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr("hpsearch.study.spending.time.monotonic", lambda: clock["now"])
    file = read_study(study_file, [*ONE_STAGE, "budget.total_seconds=60"]).file
    arm, folder = ArmPlace({}, 0, 1, Space((), {})), RunFolder(study_file.parent)
    slow = Spending(file, arm, folder, lambda _: Costs([1000.0], 0.0, 1.0))
    clock["now"] = 10.0
    slow.settle(NEW, [trial(0, 2, 0.5)] * 4)
    clock["now"] = 15.0
    assert slow.ends(Batch(0, 1, 4, False, False), []) == ""
    clock["now"] = 15.5
    assert slow.ends(Batch(0, 2, 4, False, False), []) == "total_seconds"


def test_a_stage_draws_no_more_when_its_share_is_used(
    study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr("hpsearch.study.spending.time.monotonic", lambda: clock["now"])
    # The stages have 28, 24 and 36 of 88 epochs.
    shared = spending(study_file, "budget.total_seconds=88")
    clock["now"] = 7.0
    shared.settle(NEW, [trial(0, 2, 0.5)] * 4)
    second, third = Batch(0, 1, 4, False, False), Batch(0, 2, 4, False, False)
    clock["now"] = 14.0
    assert (shared.ends(second, []), shared.stage_only) == ("", False)
    clock["now"] = 14.5
    assert (shared.ends(third, []), shared.stage_only) == ("total_seconds", True)
    assert (shared.ends(PROMOTED, []), shared.stage_only) == ("", False)
    clock["now"] = 44.5
    assert (shared.ends(LAST, []), shared.stage_only) == ("total_seconds", False)
    again = spending(study_file, "budget.total_seconds=880")  # a stage that was left stays so
    assert (again.ends(third, []), again.stage_only) == ("total_seconds", True)
    assert again.ends(LAST, []) == ""
    without = spending(study_file)
    assert (without.ends(third, []), without.stage_only) == ("total_seconds", True)


def test_an_extent_of_a_budget_that_is_gone_is_forgotten(study_file: Path) -> None:
    file = read_study(study_file).file
    text = study_file.read_text()
    study_file.write_text(text.replace("top = 2\nseeds = 3\ntest_seeds = 2\n", ""))
    short = spending(study_file, "budget.epochs=48")
    short.settle(NEW, [trial(0, 2, 0.5)] * 4)
    arm, folder = ArmPlace({}, 0, 1, Space((), {})), RunFolder(study_file.parent)
    assert short.extent(4, beside=False) == kept_extent(folder, arm, file) == (1, 2, 2)
    assert spending(study_file).extent(4, beside=False) == (3, 5, 5)
    assert kept_extent(folder, arm, file) == (2, 3, 2)  # as the file says


def test_promoted_trials_count_once_among_the_busy(
    study_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr("hpsearch.study.spending.time.monotonic", lambda: clock["now"])
    alone = spending(study_file, "budget.total_seconds=1000")
    one = trial(0, 2, 0.5)
    one.wall_seconds, clock["now"] = 10.0, 10.0
    alone.settle(NEW, [one])
    one.wall_seconds, clock["now"] = 25.0, 25.0  # what it took before, too
    alone.settle(PROMOTED, [one])
    assert alone._at_once == 1.0
