"""A line of the audit of ranges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpsearch.records.range_row import RangeRow, branch_text

WHERE = {"trainer": "sgd", "shots": "5"}
ROW = RangeRow(
    stage=1,
    parameter="learning_rate[1]",
    branch=branch_text(WHERE),
    declared="0.001 … 1",
    before="0.001 … 1",
    now="0.01 … 0.1",
    low=0.01,
    high=0.1,
    share=1 / 3,
    survivors=[4, 2],
    where=WHERE,
    key="learning_rate",
    when={"policy": ["step", "exp"]},
)
PLAIN = replace(ROW, parameter="learning_rate", key="", when={})


def test_a_row_is_read_back_and_one_of_no_list_says_nothing_of_lists() -> None:
    for row in (ROW, PLAIN):
        assert RangeRow.from_dict(row.as_dict()) == row
    assert ROW.as_dict().keys() - PLAIN.as_dict().keys() == {"key", "when"}
    assert ROW.hyperparameter == PLAIN.hyperparameter == "learning_rate"


def test_a_branch_of_an_older_row_is_read_from_its_text() -> None:
    older = {key: value for key, value in PLAIN.as_dict().items() if key != "where"}
    assert older["branch"] == "trainer=sgd, shots=5"
    assert RangeRow.from_dict(older) == PLAIN
    assert RangeRow.from_dict(older | {"branch": ""}).where == {}


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"policy": "exp"}, True),
        ({"policy": "inv"}, False),
        ({"policy": None}, False),
        ({"shots": 10}, False),
        ({"trainer": "adam"}, False),
    ],
)
def test_a_range_is_of_the_trials_of_its_branch_and_condition(
    change: dict[str, object], holds: bool
) -> None:
    params = {"trainer": "sgd", "shots": 5, "policy": "step", "learning_rate": 9.0} | change
    assert ROW.holds(params) == holds
    del params["policy"]
    assert not ROW.holds(params)
