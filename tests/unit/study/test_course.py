"""What a study file asks for, counted stage by stage, and what its budget leaves of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.study.confirmation.extent import Extent
from hpsearch.study.plan import Course, Phase, Seconds, course, few_configurations
from hpsearch.studyfile.reading import read_study

# SMALL has 3 folds: 14 trials of 2 epochs, 8 of 4, half of them promoted, and 6 of 8.
WHOLE = [
    Phase("stage 1", 14, 0, 14, 2, 0, 3, stage=0),
    Phase("stage 2", 8, 4, 4, 4, 2, 3, stage=1),
    Phase("stage 3", 6, 3, 3, 8, 4, 3, stage=2),
    Phase("confirmation", 6, 0, 6, 8, 0, 3),
    Phase("refit and test", 2, 0, 2, 8, 0, 1),
]
FULL = Extent(2, 3, 2)


def counted(
    path: Path, *overrides: str, n_arms: int = 1, seconds: Seconds | None = None
) -> Course:
    return course(read_study(path, overrides).file, n_arms, seconds)


def searched(found: Course) -> list[tuple[int, int, int, int]]:
    """Of each stage: promoted, controls, new, and cut."""
    stages = [phase for phase in found.phases if phase.stage is not None]
    assert all(p.runs == p.promoted + p.controls + p.new for p in stages)
    return [(p.promoted, p.controls, p.new, p.cut) for p in stages]


def test_the_stages_are_counted_with_what_follows_them(study_file: Path) -> None:
    found = counted(study_file)
    assert found == Course(WHOLE, "", FULL)
    epochs = [phase.total_epochs for phase in found.phases]
    assert epochs == [3 * 14 * 2, 3 * (4 * 4 + 4 * 2), 3 * (3 * 8 + 3 * 4), 3 * 6 * 8, 2 * 8]


def test_every_number_is_that_of_all_compared_cases(study_file: Path) -> None:
    found = counted(study_file, n_arms=3)
    assert [phase.runs for phase in found.phases] == [3 * phase.runs for phase in WHOLE]
    assert searched(found) == [(0, 0, 42, 0), (12, 0, 12, 0), (9, 0, 9, 0)]
    found = counted(study_file, "budget.epochs=72", n_arms=3)
    assert searched(found) == [(0, 0, 36, 6), (0, 0, 0, 24), (0, 0, 0, 18)]


def test_repeats_are_members_too(study_file: Path) -> None:
    members = [phase.members for phase in counted(study_file, "evaluation.seeds=2").phases]
    assert members == [6, 6, 6, 6, 1]


def test_controls_go_on_beside_the_promoted(study_file: Path) -> None:
    found = counted(study_file, "stages.1.controls=2")
    assert searched(found) == [(0, 0, 14, 0), (4, 2, 4, 0), (3, 0, 3, 0)]
    assert found.phases[1].total_epochs == 3 * (4 * 4 + 6 * 2)
    few = counted(study_file, "stages.0.trials=5", "stages.1.controls=1")
    assert searched(few)[1] == (4, 1, 4, 0)


@pytest.mark.parametrize(
    ("epochs", "stages", "fresh"),
    [
        (71, [(0, 0, 8, 6), (0, 0, 0, 8), (0, 0, 0, 6)], 6),  # whole batches of 4
        (72, [(0, 0, 12, 2), (0, 0, 0, 8), (0, 0, 0, 6)], 6),
        (84, [(0, 0, 14, 0), (0, 0, 0, 8), (0, 0, 0, 6)], 6),
        (95, [(0, 0, 14, 0), (1, 0, 0, 7), (0, 0, 0, 6)], 3),  # promoted one by one
        (156, [(0, 0, 14, 0), (4, 0, 4, 0), (0, 0, 0, 6)], 6),
        (264, [(0, 0, 14, 0), (4, 0, 4, 0), (3, 0, 3, 0)], 6),
        (24, [(0, 0, 4, 10), (0, 0, 0, 8), (0, 0, 0, 6)], 6),
    ],
)
def test_epochs_that_are_used_up_cut_what_follows(
    study_file: Path, epochs: int, stages: list[tuple[int, int, int, int]], fresh: int
) -> None:
    found = counted(study_file, f"budget.epochs={epochs}")
    assert searched(found) == stages
    assert found.ended == ("" if epochs == 264 else "epochs")
    assert found.phases[3].runs == fresh
    used = sum(phase.total_epochs for phase in found.phases if phase.stage is not None)
    assert used <= epochs


@pytest.mark.parametrize(
    ("limit", "stages"),
    [
        (1, [(0, 0, 4, 10), (0, 0, 0, 8), (0, 0, 0, 6)]),  # the first batch, whatever it takes
        (15, [(0, 0, 4, 10), (0, 0, 0, 8), (0, 0, 0, 6)]),
        (16, [(0, 0, 8, 6), (0, 0, 0, 8), (0, 0, 0, 6)]),
        (31, [(0, 0, 14, 0), (0, 0, 0, 8), (0, 0, 0, 6)]),  # the promoted are one batch
        (32, [(0, 0, 14, 0), (4, 0, 0, 4), (0, 0, 0, 6)]),
    ],
)
def test_seconds_that_are_used_up_cut_whole_batches(
    study_file: Path, limit: int, stages: list[tuple[int, int, int, int]]
) -> None:
    def seconds(stage: int, promoted: bool) -> float:
        return 1.0 if promoted else 2.0

    found = counted(study_file, f"budget.seconds={limit}", seconds=seconds)
    assert (searched(found), found.ended) == (stages, "seconds")
    assert counted(study_file, f"budget.seconds={limit}") == Course(
        WHOLE, "", FULL
    )  # of no known pace


def test_a_space_with_fewer_configurations_than_are_asked_for_is_said(study_file: Path) -> None:
    def said(*space: str) -> list[str]:
        read = read_study(study_file, [f"space={{{', '.join(space)}}}", "sampler.repeats=false"])
        return few_configurations(read.file, read.arms)

    rates = [0.1 * n for n in range(1, 25)]  # 14 + 8 + 6 trials, 4 + 3 of them promoted
    assert said("trainer='sgd'", f"learning_rate={{choices={rates[:21]}}}") == []
    (line,) = said("trainer='sgd'", f"learning_rate={{choices={rates[:20]}}}")
    assert line.startswith("the space has 20 configurations, fewer than the 21 requested trials: ")
    (line,) = said("trainer='sgd'", "learning_rate={choices=[0.1]}")
    assert line.startswith("the space has 1 configuration, fewer than the 21 requested trials: ")


def test_what_follows_a_bounded_search_trains_no_longer_than_it(study_file: Path) -> None:
    text = study_file.read_text()
    study_file.write_text(text.replace("top = 2\nseeds = 3\ntest_seeds = 2\n", ""))
    found = counted(study_file, "budget.epochs=96")  # 16 trials of 2 epochs and 3 members
    assert found.extent == Extent(1, 3, 3)
    assert [p.total_epochs for p in found.phases[-2:]] == [3 * 3 * 8, 3 * 8]
    asked = counted(study_file, "budget.epochs=96", "confirmation.seeds=5")
    assert asked.extent == Extent(1, 5, 2)
    assert counted(study_file, "budget.epochs=96", n_arms=2).extent == Extent(3, 5, 5)


def test_the_time_of_all_is_for_the_search_and_what_follows(study_file: Path) -> None:
    def seconds(stage: int, promoted: bool) -> float:
        return 1.0 if promoted else 2.0

    # What follows would take 2 x 3 runs of 2 s and 2 refits of a third of that: 13.3 s. The stages
    # have 28, 24 and 36 of 88 epochs.
    found = counted(study_file, "budget.total_seconds=40", seconds=seconds)
    assert searched(found) == [(0, 0, 4, 10), (4, 0, 0, 4), (3, 0, 3, 0)]
    assert (found.ended, found.extent) == ("", FULL)
    found = counted(study_file, "budget.total_seconds=16", seconds=seconds)
    assert searched(found)[0] == (0, 0, 4, 10)  # half of the time
    assert found.extent == Extent(1, 3, 2)
