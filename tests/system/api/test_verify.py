"""Verifying a study that two worker processes ran."""

from __future__ import annotations

from pathlib import Path

from hpsearch import verify_study
from tests.harness.study import run


def test_a_study_of_two_workers_is_derived_and_trained_again_to_the_bit(
    study_file: Path, home: Path
) -> None:
    run(study_file, home, "execution.slice_seconds=0.001", workers=2)
    found = verify_study("small", home=home, trials=21)
    assert found.problems == []
    assert found.equal
    assert (found.replay.draws, found.replay.decisions, found.replay.result) == (21, 3, True)
    assert found.records == 21 + 2 * 3 + 2
    assert [one.trial for one in sorted(found.again, key=lambda o: o.trial)] == list(range(21))
    assert all(one.exact and one.values for one in found.again)
    # Every member that did not diverge has a final state.
    assert all(one.states == 3 for one in found.again if one.outcome != "diverged")
    assert {"diverged", "pruned", "complete"} == {one.outcome for one in found.again}
    assert len(found.table()) == 21
    assert list(found.table()["equal"].unique()) == [True]
