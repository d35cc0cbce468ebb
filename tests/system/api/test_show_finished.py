"""A study looked up in its records."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hpsearch import best_configuration, run_study, show_study, study_trials
from hpsearch.errors import HpsearchError, StudyFileError
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run
from tests.harness.study_files import SMALL
from tests.harness.tampering import tamper


def test_the_report_is_that_of_the_studys_end(finished: Path) -> None:
    again = run_study(finished.parent / "small.toml", home=finished)
    shown = show_study("small", home=finished)
    assert shown.as_dict() == again.as_dict()
    assert not shown.missing
    assert shown.link == again.link


def test_the_winner_as_part_of_a_study_file_fixes_it(finished: Path, tmp_path: Path) -> None:
    winner = show_study("small", home=finished).result.best_params
    tables = best_configuration("small", home=finished)
    head, _, rest = SMALL.partition("[network]")
    path = tmp_path / "fixed.toml"
    path.write_text(f"{head}{tables}\n\n[[stages]]{rest.partition('[[stages]]')[2]}")
    read = read_study(path)
    assert read.space.parameters == ()
    assert read.space.complete(read.space.fixed) == winner
    assert set(tomllib.loads(tables)) == {"network", "space"}


def test_the_winner_as_json_and_as_python_is_the_same(finished: Path) -> None:
    winner = show_study("small", home=finished).result.best_params
    assert json.loads(best_configuration("small", form="json", home=finished)) == winner
    assert eval(best_configuration("small", form="python", home=finished)) == winner


def test_the_table_changes_with_a_single_bit_of_a_curve(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    home = tmp_path / "home"
    run(tmp_path / "small.toml", home)
    path = home / "studies/small/1/trials/00004/record.json"

    def change(said: dict[str, Any]) -> None:
        said["members"][0]["history"]["train_loss"][0] *= 1 + 2**-52

    tamper(path, change)
    first, second = (study_trials("small", home=h) for h in (finished, home))
    assert list(first.index[first["curves"] != second["curves"]]) == [4]


def test_a_study_that_is_not_finished_has_trials_and_no_winner(
    study_file: Path, home: Path
) -> None:
    short = "stages=[{trials=4, epochs=2}]"
    run(study_file, home, short)
    (home / "studies/small/1/artifacts/result.json").unlink()
    assert len(study_trials("small", home=home)) == 4
    for ask in (show_study, best_configuration):
        with pytest.raises(HpsearchError, match="python -m hpsearch status small"):
            ask("small", home=home)


def test_a_name_is_the_newest_run_and_a_number_a_given_one(study_file: Path, home: Path) -> None:
    for seed in (1, 2):
        run(study_file, home, f"seed={seed}", "stages=[{trials=4, epochs=2}]", fresh=True)
    newest, first, second = (
        study_trials(name, home=home) for name in ("small", "small/1", "small/2")
    )
    pd.testing.assert_frame_equal(newest, second)
    assert not newest.equals(first)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("smal", "study must be one of small, got 'smal' (did you mean 'small'?)"),
        ("small/2", "run must be one of small/1, got 'small/2'"),
    ],
)
def test_unknown_names_list_those_there_are(finished: Path, name: str, said: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        show_study(name, home=finished)
    assert said in str(caught.value)


def test_an_empty_home_says_how_to_start(nowhere: Path) -> None:
    with pytest.raises(StudyFileError, match="got no study there yet"):
        show_study("small", home=nowhere)
    assert not nowhere.exists()
