"""What is told of a call while it runs."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpsearch.datasets.selection import Selection
from hpsearch.execution.live import Pace, heard, is_heard, tell
from hpsearch.execution.population import run_slice
from hpsearch.execution.slices import Slice, SliceResult, SliceSettings
from hpsearch.trainers import Member
from hpsearch.trainers.function import FunctionTrainer

# It sleeps in some of its epochs, and prints in each.
SLOW = """
    import time

    def train(params, data, seed):
        for epoch in range(1, 6):
            time.sleep(params["sleeps"][epoch - 1])
            print("epoch", epoch)
            yield {"validation_accuracy": seed % 1000 + epoch}
"""


def sliced(name: str, folder: Path, *, seconds: float, sleeps: tuple[float, ...]) -> Slice:
    params: dict[str, Any] = {"trainer": name, "sleeps": list(sleeps)}
    member = Member(params, (7, 1), 0)
    data = Selection("digits", shots=6)
    return Slice(SliceSettings(data, "validation", 5, seconds, str(folder)), (member,), 5)


def listened(work: Slice) -> list[tuple[float, SliceResult]]:
    """What a slice tells, and at last its result, with the seconds since its start."""
    began, told = time.monotonic(), list[tuple[float, SliceResult]]()
    with heard(lambda news: told.append((time.monotonic() - began, news))):
        result = run_slice(work)
    return [*told, (time.monotonic() - began, result)]


def test_who_listens_hears_what_is_told_in_the_block() -> None:
    told: list[str] = []
    tell("before")
    with heard(told.append):
        assert is_heard()
        tell("in it")
    assert not is_heard()
    tell("after")
    assert told == ["in it"]


def test_every_epoch_is_told_once_and_the_parts_make_up_the_whole(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    work = sliced(write(SLOW), tmp_path, seconds=0.0, sleeps=(0.02,) * 5)
    began = time.time()
    results = [result for _, result in listened(work)]
    took = time.time() - began
    whole = run_slice(work)
    gains = [gain for result in results for gain in result.members]
    assert [gain.epochs for gain in gains] == [1] * 5
    assert sum((gain.rows for gain in gains), ()) == whole.members[0].rows
    assert gains[-1].state == whole.members[0].state
    assert [result.log for result in results] == [f"epoch {epoch}\n" for epoch in range(1, 6)]
    assert [gain.kept for gain in gains] == [False, True, True, True, True]  # no pause
    uses = [result.use for result in results]
    assert 0.1 <= sum(use.wall_seconds for use in uses) <= took
    assert sum(use.opening_seconds for use in uses) == uses[0].opening_seconds > 0
    for before, after in itertools.pairwise(uses):
        assert after.began == pytest.approx(before.began + before.wall_seconds, abs=0.01)


def test_a_training_goes_on_from_what_was_told(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    work = sliced(write(SLOW), tmp_path, seconds=0.0, sleeps=(0.0,) * 5)
    whole = run_slice(work).members[0].rows
    states = [result.members[0].state for _, result in listened(work)]
    for epoch, state in enumerate(states[:-1], 1):
        member = replace(work.members[0], state=state)
        (rest,) = run_slice(replace(work, members=(member,))).members
        assert rest.rows == whole[epoch:]


def test_news_comes_no_sooner_and_no_later_than_half_the_seconds_of_a_slice(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    sleeps = (0.0, 0.0, 0.0, 1.0, 0.0)  # three epochs at once, then a long one
    heard_at = listened(sliced(write(SLOW), tmp_path, seconds=0.8, sleeps=sleeps))
    assert [result.members[0].epochs for _, result in heard_at] == [3, 1, 1]
    assert 0.35 < heard_at[0][0] < 0.9  # in the long epoch


@pytest.mark.parametrize("seconds", [math.inf, 60.0])
def test_a_slice_that_is_short_or_must_run_in_one_go_tells_nothing(
    seconds: float, write: Callable[[str], str], tmp_path: Path
) -> None:
    (result,) = listened(sliced(write(SLOW), tmp_path, seconds=seconds, sleeps=(0.0,) * 5))
    assert result[1].members[0].epochs == 5


def test_a_slice_that_pauses_tells_nothing_before(tmp_path: Path) -> None:
    params: dict[str, Any] = {
        "trainer": "sgd",
        "network": "two-layer",
        "hidden": 4,
        "batch_size": 5,
    }
    work = sliced("", tmp_path, seconds=0.0, sleeps=())
    member = Member({**params, "learning_rate": 0.01}, (7, 1), 0)
    (result,) = listened(replace(work, members=(member,)))
    assert result[1].members[0].epochs == 1


def test_what_raises_after_news_says_what_was_told_before_no_more(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    name = write("""
        def train(params, data, seed):
            print("one")
            yield {"validation_accuracy": 1.0}
            print("two")
            raise RuntimeError("own words")
    """)
    first, last = (r for _, r in listened(sliced(name, tmp_path, seconds=0.0, sleeps=())))
    assert (first.members[0].epochs, first.log) == (1, "one\n")
    assert last.error is not None
    assert "own words" in last.error
    assert (last.members, last.log) == ((), "two\n")


def test_a_pace_that_has_ended_calls_no_more() -> None:
    calls: list[float] = []
    pace = Pace(lambda: calls.append(time.monotonic()), 0.05)
    with pace.lock:
        pace.changed()
        pace.changed()
    time.sleep(0.3)
    assert len(calls) == 1  # both at once
    with pace.lock:
        pace.changed()
        pace.changed()
        pace.end()
        pace.changed()
    time.sleep(0.2)
    assert len(calls) == 2


def test_a_trainer_that_has_no_state_to_go_on_from_tells_nothing_before_its_end(
    write: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FunctionTrainer, "state", lambda self, row: None)
    (result,) = listened(sliced(write(SLOW), tmp_path, seconds=0.0, sleeps=(0.0,) * 5))
    assert result[1].members[0].epochs == 5
