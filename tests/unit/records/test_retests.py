"""Which refits are run again where a test command was corrected."""

from __future__ import annotations

from dataclasses import replace

from hpsearch.records.outcome import Outcome
from hpsearch.records.result import write_result
from hpsearch.records.retests import failed_refits, run_failed_again
from hpsearch.records.run_folder import RunFolder
from tests.harness.records import trial
from tests.harness.results import RESULT

WINNER, FORMER = 3, 1


def test_refits_of_a_former_winner_stay_as_they_were(run_folder: RunFolder) -> None:
    result = replace(RESULT, best_number=WINNER, untested="2 of 2 refits failed")
    for number in (FORMER, WINNER):
        record = trial(number, {}, epoch=2, outcome=Outcome.FAILED, reason="no such file")
        run_folder.write(replace(record, kind="test", uid=f"x:test:{number}"))
    assert [record.number for record in failed_refits(run_folder, result)] == [WINNER]
    write_result(run_folder, [4], {}, result)
    run_failed_again(run_folder)
    outcomes = {record.number: record.outcome for record in run_folder.read_all("test")}
    assert outcomes == {FORMER: Outcome.FAILED, WINNER: Outcome.RUNNING}


def test_a_model_on_all_rows_that_failed_is_run_again(run_folder: RunFolder) -> None:
    result = replace(RESULT, best_number=WINNER)
    for number in (FORMER, WINNER):
        record = trial(number, {}, epoch=2, outcome=Outcome.FAILED, reason="too many rows")
        run_folder.write(replace(record, kind="all-rows", uid=f"x:all-rows:{number}"))
    assert [record.uid for record in failed_refits(run_folder, result)] == [f"x:all-rows:{WINNER}"]


def test_a_refit_on_counted_epochs_begins_once_more(run_folder: RunFolder) -> None:
    result = replace(RESULT, best_number=WINNER, untested="1 of 1 refits failed")
    record = trial(WINNER, {}, epoch=6, outcome=Outcome.FAILED, reason="no such file")
    record = replace(record, kind="test", uid=f"x:test:{WINNER}", rows={4: 200})
    run_folder.write(record)
    write_result(run_folder, [4], {}, result)
    run_failed_again(run_folder)
    (again,) = run_folder.read_all("test")
    assert (again.rows, again.members[0].epoch) == ({}, 0)
    again.begin(4, 200)
    assert (again.rows, again.members[0].epoch) == ({4: 200}, 4)
