"""Problems are values: they keep their parts, and become a sentence where they are shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from hpsearch.errors import DataError, Problem, StudyFileError, unknown, unknown_name
from hpsearch.studyfile.reading import read_study

SHOTS = Problem("data.shots", "must be at most 6", "7", "take fewer")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("name", "is missing"), "name: is missing"),
        (Problem("", "is missing"), "is missing"),
        (Problem("a.low", "must be a number", "'x'"), "a.low: must be a number, got 'x'"),
        (SHOTS, "data.shots: must be at most 6, got 7: take fewer"),
        (Problem("a", "must be left out", hint="b says it"), "a: must be left out: b says it"),
        (
            unknown_name("a", "adm", ["sgd", "adam"]),
            "a: must be one of sgd, adam, got 'adm' (did you mean 'adam'?)",
        ),
        (
            unknown_name("a", 3, ["sgd"], first="must be fast; "),
            "a: must be fast; must be one of sgd, got '3'",
        ),
    ],
)
def test_a_problem_is_a_sentence_about_its_key(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_a_value_of_any_length_makes_a_line_of_some_length() -> None:
    text = str(Problem("a", "must be short", "x" * 10_000))
    assert len(text) == 2000
    assert text.endswith("…")


def test_the_message_for_an_unknown_name_is_that_of_the_problem() -> None:
    assert unknown("adm", ["adam"]) == unknown_name("a", "adm", ["adam"]).predicate


def test_a_data_error_keeps_its_problem_on_the_way_from_a_worker() -> None:
    error = pickle.loads(pickle.dumps(DataError(SHOTS)))
    assert error.problem == SHOTS
    assert str(error) == "data.shots must be at most 6, got 7: take fewer"
    assert DataError("the file is damaged").problem is None


def test_a_study_file_error_keeps_all_problems(study_file: Path) -> None:
    overrides = ["data.split.folds=7", "space.learning_rat=1", "stages.0.controls=1"]
    with pytest.raises(StudyFileError) as caught:
        read_study(study_file, overrides)
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.problems == caught.value.problems
    found = {problem.key: problem for problem in error.problems}
    assert found.keys() == {"data.split.folds", "space.learning_rat", "stages.0.controls"}
    assert found["space.learning_rat"].nearest == "learning_rate"
    assert found["data.split.folds"].got == "7"
    for problem in error.problems:
        assert f"  {problem}" in str(error).splitlines()


@pytest.mark.parametrize(
    ("options", "key"),
    [('metric = "validation_accuracy", of = 3', "claims.0.given"), ("", "claims.0.given")],
)
def test_arguments_of_a_check_are_told_from_the_check(
    study_file: Path, options: str, key: str
) -> None:
    claim = f'claims=[{{text = "x", check = "higher", given = {{ {options} }} }}]'
    with pytest.raises(StudyFileError) as caught:
        read_study(study_file, [claim])
    assert [problem.key for problem in caught.value.problems] == [key]


def test_a_problem_of_the_data_stands_at_its_key(study_file: Path, tmp_path: Path) -> None:
    rows = "".join(f"{n},{n % 2}\n" for n in range(8))
    (tmp_path / "table.csv").write_text(f"a,kind\n{rows}")
    data = 'data={name="table.csv", target="kidn", split={kind="k-fold"}}'
    with pytest.raises(StudyFileError) as caught:
        read_study(study_file, [data])
    (problem,) = (p for p in caught.value.problems if p.key.startswith("data"))
    assert (problem.key, problem.nearest) == ("data.target", "kind")
