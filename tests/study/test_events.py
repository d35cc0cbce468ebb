"""What a study tells its caller while it runs, and after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.study.events import Event, PhaseStarted, RunReached, StageStarted, TrialReached
from tests.harness.study import run
from tests.harness.study_files import LITTLE, LITTLE_TESTED

TEXT = f"""\
compare = ["trainer"]
{LITTLE}
[network]
name = "two-layer"
hidden = 5
[space]
trainer = {{ choices = ["sgd", "adam"] }}
learning_rate = {{ low = 0.001, high = 0.1, log = true }}
[[stages]]
trials = 4
epochs = 1
[[stages]]
trials = 3
epochs = 2
controls = 1
{LITTLE_TESTED}"""
SGD, ADAM = "trainer=sgd", "trainer=adam"


class Stopped(Exception):
    """The caller wants no more."""


def test_stages_and_phases_are_told_of_each_case_with_what_is_there(
    tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    told: list[Event] = []

    def stop_at_adams_second(event: Event) -> None:
        told.append(event)
        if isinstance(event, TrialReached) and event.record.number == 3:
            raise Stopped

    def begun() -> list[Event]:
        return [e for e in told if isinstance(e, StageStarted | PhaseStarted)]

    def of(arm: str, first: int = 0, second: int = 0, *, over: bool = False) -> list[Event]:
        return [
            StageStarted(0, 2, 4, 1, first, arm),
            StageStarted(1, 2, 4, 2, second, arm),  # 3 trials and a control
            PhaseStarted("confirmation", 2, 2 * over, arm),
            PhaseStarted("test", 1, 1 * over, arm),
        ]

    with pytest.raises(Stopped):
        run(path, home, "sampler.batch=2", tell=stop_at_adams_second)
    assert begun() == [*of(SGD), of(ADAM)[0]]
    reached = [e for e in told if isinstance(e, TrialReached)]
    assert sorted(e.record.number for e in reached[:4]) == [0, 2, 4, 6]
    assert reached[0].best == reached[0].record.scores[1]
    scores = [e.record.scores[1] for e in reached[:4]]
    assert [e.best for e in reached[:4]] == [max(scores[: n + 1]) for n in range(4)]
    runs = [e.record for e in told if isinstance(e, RunReached)]
    assert [record.kind for record in runs] == ["confirmation", "confirmation", "test"]

    told.clear()
    run(path, home, "sampler.batch=2", tell=told.append)
    assert begun() == [*of(SGD, 4, 4, over=True), *of(ADAM, 2)]
    runs = [e.record for e in told if isinstance(e, RunReached)]
    assert [record.kind for record in runs] == ["confirmation", "confirmation", "test"]
