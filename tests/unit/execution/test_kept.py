"""A function's trainer that stays in its process: it goes on as if it had not paused."""

from __future__ import annotations

import itertools
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from hpsearch.datasets.selection import Selection
from hpsearch.execution.population import run_slice
from hpsearch.execution.slices import MemberAdvance, Slice, SliceSettings
from hpsearch.trainers import Member

DATA = Selection("digits", shots=4)
# Its buffer is not in its state, and it draws from the generator that all code shares.
FORGETS = """
    import random

    def train(params, data, seed, state=None):
        random.seed(seed)
        weight, buffer = state or 0.0, 0.0
        while True:
            buffer = 0.5 * buffer + random.random()
            weight += buffer
            yield {"score": weight}, weight
"""
NUMBERS = itertools.count()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slice:
    """Six epochs of it in one slice."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"forgetful_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(FORGETS))
    member = Member({"trainer": f"{name}:train"}, (1, 2, 0, 0), 0)
    return Slice(SliceSettings(DATA, "validation", 6, 1e9, str(tmp_path)), (member,), 6)


def advance(work: Slice) -> MemberAdvance:
    result = run_slice(work)
    assert result.error is None
    (found,) = result.members
    return found


def sliced(work: Slice, *, keep: bool, pauses: tuple[int, ...] = ()) -> list[MemberAdvance]:
    """The same in slices of an epoch each."""
    work = replace(work, settings=replace(work.settings, seconds=0.0, keep=keep), pauses=pauses)
    found: list[MemberAdvance] = []
    while sum(one.epochs for one in found) < work.until:
        found.append(advance(work))
        (member,) = work.members
        work = replace(work, members=(replace(member, state=found[-1].state),))
    return found


def rows(advances: list[MemberAdvance]) -> list[tuple[int, float]]:
    return [(epoch, row["score"]) for one in advances for epoch, row in one.rows]


def test_a_kept_trainer_goes_on_as_if_it_had_not_paused(work: Slice) -> None:
    whole = rows([advance(work)])
    found = sliced(work, keep=True)
    assert rows(found) == whole
    assert [one.kept for one in found] == [False, *[True] * 5]


@pytest.mark.parametrize(("keep", "pauses"), [(False, ()), (True, (1, 2, 3, 4, 5))])
def test_it_is_resumed_from_its_state_where_it_is_not_to_be_kept(
    keep: bool, pauses: tuple[int, ...], work: Slice
) -> None:
    found = sliced(work, keep=keep, pauses=pauses)
    assert rows(found) != rows([advance(work)])
    assert not any(one.kept for one in found)


def test_it_is_resumed_where_another_member_or_state_came_between(work: Slice) -> None:
    settings = replace(work.settings, seconds=0.0, keep=True)
    work = replace(work, settings=settings)
    (member,) = work.members
    other = replace(work, members=(replace(member, entropy=(9, 9, 0, 0)),))
    first = advance(work)
    advance(other)
    again = replace(work, members=(replace(member, state=first.state),))
    assert not advance(again).kept
    assert not advance(again).kept  # that is not where the kept one is now
    second = advance(replace(again, settings=replace(settings, seconds=1e9)))
    assert second.epochs == 5
    assert not second.kept
