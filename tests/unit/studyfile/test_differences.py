"""What differs between study files, in their words."""

from __future__ import annotations

from pathlib import Path

from hpsearch.studyfile.differences import KeyDifference, differences
from hpsearch.studyfile.reading import read_text
from hpsearch.studyfile.study_file import StudyFile
from tests.harness.study_files import SMALL, TWO


def file_of(text: str, *overrides: str) -> StudyFile:
    return read_text(text, Path("small.toml"), overrides).file


def test_files_that_differ_in_their_names_alone_do_not_differ() -> None:
    other = file_of(SMALL.replace('name = "small"', 'name = "other"'))
    assert differences([file_of(SMALL), other]) == []


def test_only_what_differs_is_named_in_the_order_of_a_study_file() -> None:
    other = SMALL.replace("hidden = 12", "hidden = 40").replace("low = 1e-3", "low = 0.01")
    found = differences([file_of(SMALL), file_of(other, "stages.0.trials=20", "seed=8")])
    assert found == [
        KeyDifference("seed", ["7", "8"]),
        KeyDifference("network.hidden", ["12", "40"]),
        KeyDifference(
            "space.learning_rate",
            [
                "{ low = 0.001, high = 1000000.0, log = true }",
                "{ low = 0.01, high = 1000000.0, log = true }",
            ],
        ),
        KeyDifference("stages.0.trials", ["14", "20"]),
    ]


def test_a_key_that_a_file_lacks_has_no_value_and_a_default_has_one() -> None:
    less = SMALL.replace("weight_decay = 0.1", "# none")
    found = {one.key: one.values for one in differences([file_of(SMALL), file_of(less)])}
    assert found == {"space.weight_decay": ["0.1", None]}
    (shots,) = differences([file_of(SMALL), file_of(SMALL.replace("shots = 6", "shots = 7"))])
    assert shots == KeyDifference("data.shots", ["6", "7"])
    (seeds,) = differences([file_of(SMALL), file_of(SMALL, "evaluation.seeds=2")])
    assert seeds == KeyDifference("evaluation.seeds", ["1", "2"])


def test_one_objective_and_several_are_told_apart() -> None:
    keys = [one.key for one in differences([file_of(SMALL), file_of(TWO)])]
    assert "objective.metric" in keys
    assert "objectives.1.metric" in keys
    assert "constraints.0.at_most" in keys
