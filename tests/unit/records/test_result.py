"""The result: as it is read back, and as it is put into words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hpsearch.errors import DamagedError
from hpsearch.records.estimate import CORRECTED, Estimate
from hpsearch.records.layout import Artifact
from hpsearch.records.result import ArmResult, FrontMember, Result, read_result, write_result
from hpsearch.records.run_folder import RunFolder

SCORE, ONE = Estimate(0.75, 0.5, 1.0, [0.7, 0.8]), Estimate(0.5, None, None, [0.5])
RESULT = Result(
    study="small",
    objective="validation_accuracy",
    direction="maximize",
    counts={"complete": 2, "pruned": 1},
    best_number=1,
    best_params={"trainer": "sgd", "learning_rate": 0.1},
    searched={"learning_rate": 0.1},
    validation=SCORE,
    test={"test_accuracy": ONE},
    untested="",
    test_uses=1,
    optimistic=None,
    ranges=[],
    top=[],
    confirmed={"1": SCORE},
    folder="artifacts",
    arms=[
        ArmResult(
            {"trainer": "sgd"}, 1, {"learning_rate": 0.1}, SCORE, {"test_accuracy": ONE}, ""
        ),
        ArmResult({"trainer": "adam"}, None, {}, None, {}, "all failed"),
    ],
    front=[FrontMember(1, {"loss": ONE}, {"loss": 0.5}, {"learning_rate": 0.1})],
)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (SCORE, "0.7500 (95 % interval 0.5000 … 1.0000, 2 seeds, too few to say much)"),
        (
            replace(SCORE, values=[0.7, 0.75, 0.8]),
            "0.7500 (95 % interval 0.5000 … 1.0000, 3 seeds)",
        ),
        (ONE, "0.5000"),
        (Estimate(0.5, 0.5, 0.5, [0.5] * 3), "0.5000 (the same on all 3 seeds)"),
        (
            Estimate(0.5, 0.5, 0.5, [0.5] * 3, over="fresh splits", method=CORRECTED),
            "0.5000 (the same on all 3 fresh splits)",
        ),
    ],
)
def test_an_estimate_in_words(estimate: Estimate, text: str) -> None:
    assert str(estimate) == text


def test_a_result_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert read_result(folder, (4, 2), {}) is None
    write_result(folder, (4, 2), {"epochs": 9}, RESULT)
    assert read_result(folder, (4, 2), {"epochs": 9}) == RESULT
    older = RESULT.as_dict()
    del older["front"]
    assert Result.from_dict(older) == replace(RESULT, front=[])


def test_a_result_of_less_than_is_asked_for_is_none(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_result(folder, (4, 2), {"epochs": 9}, RESULT)
    assert read_result(folder, (4, 3), {"epochs": 9}) is None
    assert read_result(folder, (4, 2), {"epochs": 20}) == RESULT  # nothing of it was cut
    cut = replace(RESULT, ended="budget.epochs")
    write_result(folder, (4, 2), {"epochs": 9}, cut)
    assert read_result(folder, (4, 2), {"epochs": 9}) == cut
    assert read_result(folder, (4, 2), {"epochs": 20}) is None


def test_a_file_without_a_result_is_damaged(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_sealed(folder.files.artifact(Artifact.RESULT), {"plan": [4, 2]})
    with pytest.raises(DamagedError, match="no result"):
        read_result(folder, (4, 2), {})


def test_what_the_objective_is_called_on_the_test_set() -> None:
    assert (RESULT.test_name, RESULT.test_score) == ("test_accuracy", ONE)
    level = replace(RESULT, objective="epochs to validation_loss 0.5", metric="validation_loss")
    assert (level.curve, level.test_name, level.test_score) == (
        "validation_loss",
        "test_loss",
        None,
    )
    assert RESULT.directions == ("maximize",)
    several = replace(RESULT, objectives={"a": "minimize", "b": "maximize"})
    assert several.directions == ("minimize", "maximize")


def test_a_comparison_tells_of_lengths_that_mislead_alone() -> None:
    fidelity = [{"text": "yes", "predicts": True}, {"text": "no", "predicts": False}]
    compared = replace(RESULT, fidelity=fidelity)
    assert compared.fidelity_texts == ["no"]
    assert replace(compared, arms=[]).fidelity_texts == ["yes", "no"]


def test_that_all_configurations_were_tried_is_told_of_each_case() -> None:
    assert RESULT.tried_text == ""
    alone = replace(RESULT, arms=[])
    assert alone.tried_text == ""
    assert replace(alone, tried={"": 6}).tried_text == "all 6 configurations were tried"
    of_arms = replace(RESULT, tried={"sgd": 6, "adam": 4})
    assert of_arms.tried_text == "all configurations were tried: 6 of sgd, 4 of adam"
